// The filter of `--deny`: the kernel's own System V IPC and POSIX message queues answer ENOSYS, in
// this process and all that it starts.
#pragma once

namespace ipcell::cli {

class Denial {
 public:
  // Builds the filter. Throws Failure where there are no seccomp filters.
  Denial();
  ~Denial();
  Denial(const Denial&) = delete;
  Denial& operator=(const Denial&) = delete;

  // Puts it in force for the calling process; with it, setuid programs get no privileges. 0 or
  // -errno.
  int load() const;

 private:
  void* filter_;
};

// True if the kernel offers what --deny needs.
bool is_denial_possible();

}  // namespace ipcell::cli
