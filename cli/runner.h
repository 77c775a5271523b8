// The `runner` file of a transient cell: which `ipcell run` it belongs to.
//
// The runner keeps the file locked (flock) for life, so that its death is seen however it came, and
// from other pid namespaces too. The text says the same for people, and for filesystems whose locks
// do not work.
#pragma once

#include <string>
#include <sys/types.h>

#include "core/base/types.h"

namespace ipcell::cli {

class RunnerFile {
 public:
  // Makes the file in `folder` for this process. Throws Failure.
  explicit RunnerFile(const std::string& folder);
  ~RunnerFile();
  RunnerFile(const RunnerFile&) = delete;
  RunnerFile& operator=(const RunnerFile&) = delete;
  int descriptor() const { return fd_; }

 private:
  int fd_;
};

enum class RunnerState {
  None,  // no such file: not a transient cell
  Alive,
  Gone,
  Unknown,  // of another pid namespace, whose processes cannot be seen from here
};

struct Runner {
  RunnerState state = RunnerState::None;
  pid_t pid = 0;
};
Runner look_at_runner(const std::string& folder);

}  // namespace ipcell::cli
