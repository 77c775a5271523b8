// The kernel's own IPC, as seccomp filters name it.
#pragma once

#include <cstdint>
#include <seccomp.h>

namespace ipcell::cli {

// Each under all the names that some architecture has for it: the 64-bit times of 32-bit machines,
// and ipc(2), through which i386 makes all System V calls.
constexpr int kIpcCalls[] = {
    SCMP_SYS(msgget),          SCMP_SYS(msgsnd),
    SCMP_SYS(msgrcv),          SCMP_SYS(msgctl),
    SCMP_SYS(semget),          SCMP_SYS(semop),
    SCMP_SYS(semtimedop),      SCMP_SYS(semtimedop_time64),
    SCMP_SYS(semctl),          SCMP_SYS(shmget),
    SCMP_SYS(shmat),           SCMP_SYS(shmdt),
    SCMP_SYS(shmctl),          SCMP_SYS(ipc),
    SCMP_SYS(mq_open),         SCMP_SYS(mq_unlink),
    SCMP_SYS(mq_timedsend),    SCMP_SYS(mq_timedsend_time64),
    SCMP_SYS(mq_timedreceive), SCMP_SYS(mq_timedreceive_time64),
    SCMP_SYS(mq_notify),       SCMP_SYS(mq_getsetattr),
};

// What else the kernel may run on this machine. Calls of an architecture that is not in the filter
// are answered with ENOSYS, all of them.
constexpr std::uint32_t kArchitectures[] = {
#if defined(__x86_64__) || defined(__i386__)
    SCMP_ARCH_X86_64,
    SCMP_ARCH_X86,
    SCMP_ARCH_X32,
#elif defined(__aarch64__)
    SCMP_ARCH_AARCH64,
    SCMP_ARCH_ARM,
#else
    SCMP_ARCH_NATIVE,
#endif
};

// A libseccomp filter that lets all calls pass that have no rule, of these architectures. Throws
// Failure, with `option` in front.
class SeccompFilter {
 public:
  explicit SeccompFilter(const char* option);
  ~SeccompFilter();
  SeccompFilter(const SeccompFilter&) = delete;
  SeccompFilter& operator=(const SeccompFilter&) = delete;

  // All of kIpcCalls get this action.
  void answer_ipc(std::uint32_t action);
  scmp_filter_ctx get() const { return filter_; }
  // Throws Failure if `result` is libseccomp's word that it could not be done.
  void check(int result, const char* what) const;

 private:
  const char* option_;
  scmp_filter_ctx filter_;
};

}  // namespace ipcell::cli
