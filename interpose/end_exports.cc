// _exit(2), and wait(2) for children: the ends of processes, of which the last takes its namespace
// along. Linux: ipc/namespace.c:put_ipc_ns()
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "interpose/mounts.h"
#include "interpose/namespaces.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<pid_t(pid_t, int*, int, struct rusage*)> real_wait4("wait4");
constinit Real<int(idtype_t, id_t, siginfo_t*, int)> real_waitid("waitid");

// Called in handlers, and between fork(2) and exec(2).
__attribute__((constructor)) void resolve_ends() { real_wait4.resolve(); }

// A child may have mounted something; of one that was killed nobody else cleans up.
void note_end(bool was_killed) {
  expect_mounts();
  if (!was_killed) return;
  const int error = errno;
  sweep_after_child();
  errno = error;
}

// Libc's functions of this kind are wait4(2), all four of them.
pid_t wait_for_child(pid_t pid, int* status, int options, struct rusage* usage) {
  int own = 0;
  int* const out = status != nullptr ? status : &own;
  const pid_t child = real_wait4(pid, out, options, usage);
  if (child > 0) note_end(WIFSIGNALED(*out));
  return child;
}

}  // namespace

}  // namespace ipcell

using ipcell::wait_for_child;

IPCELL_EXPORT [[noreturn]] void _exit(int status) {
  ipcell::leave_cells();
  for (;;) ipcell::sys::call(SYS_exit_group, status);
}
IPCELL_EXPORT [[noreturn]] void _Exit(int status) noexcept { _exit(status); }

IPCELL_EXPORT pid_t wait(int* status) { return wait_for_child(-1, status, 0, nullptr); }
IPCELL_EXPORT pid_t waitpid(pid_t pid, int* status, int options) {
  return wait_for_child(pid, status, options, nullptr);
}
IPCELL_EXPORT pid_t wait3(int* status, int options, struct rusage* usage) noexcept {
  return wait_for_child(-1, status, options, usage);
}
IPCELL_EXPORT pid_t wait4(pid_t pid, int* status, int options, struct rusage* usage) noexcept {
  return wait_for_child(pid, status, options, usage);
}
#if defined(__i386__)
// Of programs with _TIME_BITS=64, whose struct rusage is another.
extern "C" pid_t __wait4_time64(pid_t pid, int* status, int options, void* usage) noexcept;
extern "C" pid_t __wait3_time64(int* status, int options, void* usage) noexcept;
IPCELL_EXPORT pid_t __wait4_time64(pid_t pid, int* status, int options, void* usage) noexcept {
  int own = 0;
  int* const out = status != nullptr ? status : &own;
  const pid_t child = IPCELL_REAL(__wait4_time64)(pid, out, options, usage);
  if (child > 0) ipcell::note_end(WIFSIGNALED(*out));
  return child;
}
IPCELL_EXPORT pid_t __wait3_time64(int* status, int options, void* usage) noexcept {
  return __wait4_time64(-1, status, options, usage);
}
#endif
IPCELL_EXPORT int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  const int result = ipcell::real_waitid(type, id, info, options);
  if (result == 0 && info != nullptr && info->si_pid > 0)
    ipcell::note_end(info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED);
  return result;
}
