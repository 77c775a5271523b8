// What /proc/TID/status tells of a thread.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcell::cli {

struct ThreadStatus {
  pid_t process = 0;
  unsigned threads = 0;
  std::uint32_t real_uid = 0, effective_uid = 0;
  std::uint32_t effective_gid = 0, filesystem_gid = 0;
  std::vector<std::uint32_t> groups;
  std::uint64_t capabilities = 0;
  unsigned umask = 022;
  std::uint64_t pending = 0;         // signals for this thread, bit per number - 1
  std::uint64_t shared_pending = 0;  // for any of the process's
  std::uint64_t blocked = 0;
};

// The file stays open: what it tells is of the time of each read.
class StatusFile {
 public:
  explicit StatusFile(pid_t tid);
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  // False if the thread is gone.
  bool read(ThreadStatus* status) const;

 private:
  int file_;
};

// The soft RLIMIT_MSGQUEUE of the thread's process, in bytes. prlimit(2) tells other users' to
// CAP_SYS_RESOURCE alone.
std::uint64_t mqueue_limit_of(pid_t tid);

// The value of a variable in the environment that the process was started with; empty if there is
// none.
std::string environment_of(pid_t pid, const std::string& name);

}  // namespace ipcell::cli
