// The one place where libipcell.so assigns errno.
#pragma once

#include <cerrno>

namespace ipcell {

// A core result (>= 0 or -errno) as libc returns it: the value, or -1 with errno set.
inline long to_libc(long result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace ipcell
