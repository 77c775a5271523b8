// The process's own environment, where libc starts programs with it by calls that pass no PLT:
// system(3), popen(3), wordexp(3).
#pragma once

namespace ipcell {

// In its scope `environ` names what a child has to be told as well, if that is not in it already.
// A thread that is cancelled meanwhile leaves it so.
class LentEnvironment {
 public:
  LentEnvironment();
  ~LentEnvironment();
  LentEnvironment(const LentEnvironment&) = delete;
  LentEnvironment& operator=(const LentEnvironment&) = delete;

 private:
  bool is_lent_ = false;
};

}  // namespace ipcell
