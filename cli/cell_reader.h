// Reads records of a cell's file at their offsets in CellLayout, without mapping it: that takes no
// room, and meets no fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace ipcell::cli {

class CellReader {
 public:
  explicit CellReader(const char* path)
      : fd_(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) {}
  ~CellReader() {
    if (fd_ >= 0) close(fd_);
  }
  CellReader(const CellReader&) = delete;
  CellReader& operator=(const CellReader&) = delete;

  template <class T>
  bool read(std::uint64_t offset, T* record, std::size_t count = 1) const {
    const auto size = static_cast<ssize_t>(count * sizeof(T));
    return pread(fd_, record, static_cast<std::size_t>(size), static_cast<off_t>(offset)) == size;
  }

 private:
  int fd_;
};

}  // namespace ipcell::cli
