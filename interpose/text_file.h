// A text that programs read by a descriptor: a sealed memory file. Raw system calls alone, no
// allocation: it may be made in signal handlers.
#pragma once

#include "core/base/types.h"

namespace ipcell {

class TextFile {
 public:
  // `label`: what /proc tells of its descriptors.
  explicit TextFile(const char* label);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  // Adds a piece. What fails is told by finish().
  void write(const char* text, std::size_t size);
  // Nothing more comes: a descriptor of the file, opened with `flags`, or -errno.
  long finish(int flags);

 private:
  long fd_;
  long error_ = 0;
  u64 room_;  // bytes that may still come
};

}  // namespace ipcell
