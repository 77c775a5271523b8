// Tells another process of the ends and stops of a child of this one.
#pragma once

#include <sys/types.h>

namespace ipcell::cli {

class Reporter {
 public:
  // SIGCHLD is blocked from here on.
  Reporter(pid_t reader, pid_t child);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Readable when there may be something to report.
  int descriptor() const { return signals_; }
  // Reports it.
  void report();
  void wait_for_end();

 private:
  const pid_t reader_;
  const pid_t child_;
  int signals_;
  bool has_ended_ = false;
};

}  // namespace ipcell::cli
