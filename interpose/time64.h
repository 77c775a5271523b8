// Structs that i386 programs of _TIME_BITS=64 give to libc, which declares them to no others.
#pragma once

#if defined(__i386__)

namespace ipcell {

// Members of 64 bits are aligned to 4 bytes, as in libc's.
struct WideTime {  // struct timespec
  long long tv_sec;
  long tv_nsec;
  long pad;
};
struct WideMicrotime {  // struct timeval
  long long tv_sec, tv_usec;
};
struct StatTime64 {  // struct stat
  unsigned long long st_dev, st_ino;
  unsigned st_mode, st_nlink, st_uid, st_gid;
  unsigned long long st_rdev;
  long long st_size;
  long st_blksize;
  long long st_blocks;
  WideTime st_atim, st_mtim, st_ctim;
};
static_assert(sizeof(StatTime64) == 108);

}  // namespace ipcell

#endif
