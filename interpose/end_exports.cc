// _exit(2), and wait(2) for children: the ends of processes, of which the last takes its namespace
// along. Linux: ipc/namespace.c:put_ipc_ns()
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interpose/namespaces.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<void(int)> real_exit("_exit");
constinit Real<pid_t(int*)> real_wait("wait");
constinit Real<pid_t(pid_t, int*, int)> real_waitpid("waitpid");
constinit Real<pid_t(int*, int, struct rusage*)> real_wait3("wait3");
constinit Real<pid_t(pid_t, int*, int, struct rusage*)> real_wait4("wait4");
constinit Real<int(idtype_t, id_t, siginfo_t*, int)> real_waitid("waitid");

// Called in handlers, and between fork(2) and exec(2).
__attribute__((constructor)) void resolve_ends() {
  real_exit.resolve();
  real_waitpid.resolve();
}

// Of a child that was killed nobody else will.
pid_t clean_up(pid_t child, int status) {
  if (child > 0 && WIFSIGNALED(status)) [[unlikely]] {
    const int error = errno;
    sweep_after_child();
    errno = error;
  }
  return child;
}

// `real(status)` is the call.
template <class Call>
pid_t wait_with(int* status, Call call) {
  int own = 0;
  const pid_t child = call(status != nullptr ? status : &own);
  return child > 0 ? clean_up(child, status != nullptr ? *status : own) : child;
}

}  // namespace

}  // namespace ipcell

using ipcell::wait_with;

IPCELL_EXPORT [[noreturn]] void _exit(int status) {
  ipcell::leave_cells();
  ipcell::real_exit(status);
  __builtin_trap();
}
IPCELL_EXPORT [[noreturn]] void _Exit(int status) noexcept { _exit(status); }

IPCELL_EXPORT pid_t wait(int* status) {
  return wait_with(status, [](int* out) { return ipcell::real_wait(out); });
}
IPCELL_EXPORT pid_t waitpid(pid_t pid, int* status, int options) {
  return wait_with(status, [&](int* out) { return ipcell::real_waitpid(pid, out, options); });
}
IPCELL_EXPORT pid_t wait3(int* status, int options, struct rusage* usage) noexcept {
  return wait_with(status, [&](int* out) { return ipcell::real_wait3(out, options, usage); });
}
IPCELL_EXPORT pid_t wait4(pid_t pid, int* status, int options, struct rusage* usage) noexcept {
  return wait_with(status, [&](int* out) { return ipcell::real_wait4(pid, out, options, usage); });
}
IPCELL_EXPORT int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  const int result = ipcell::real_waitid(type, id, info, options);
  const bool was_killed = result == 0 && info != nullptr && info->si_pid > 0 &&
                          (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED);
  if (was_killed) ipcell::clean_up(info->si_pid, SIGKILL);
  return result;
}
