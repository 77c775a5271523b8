// A path as text, brought to its shortest form: "//", "." and ".." are taken out, symbolic links
// are not looked at.
#pragma once

#include <string.h>

#include "core/base/types.h"

namespace ipcell {

// Longest path looked at, normalised. Those that matter are short; the rest is room for a current
// folder that "../../.." leads out of.
constexpr std::size_t kNormalPathRoom = 512;

// An absolute path that grows by one component at a time; "/" is the empty text.
class NormalPath {
 public:
  // Starts at the folder of a relative path. False if it cannot be told.
  bool start_at(int dirfd);
  // Starts at a folder that is known, by its normalised path.
  void start_in(const char* folder) {
    length_ = strlen(folder);
    memcpy(text_, folder, length_);
  }

  // Applies the next component. False if the path gets too long.
  bool push(const char* name, std::size_t length) {
    if (length == 1 && name[0] == '.') return true;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
      while (length_ > 0 && text_[--length_] != '/') continue;
      return true;
    }
    if (length_ + 1 + length > kNormalPathRoom) return false;
    text_[length_] = '/';
    memcpy(text_ + length_ + 1, name, length);
    length_ += length + 1;
    return true;
  }

  // Without a zero byte.
  const char* text() const { return text_; }
  std::size_t length() const { return length_; }
  bool is(const char* path) const {
    return strlen(path) == length_ && memcmp(text_, path, length_) == 0;
  }

 private:
  char text_[kNormalPathRoom];
  std::size_t length_ = 0;
};

}  // namespace ipcell
