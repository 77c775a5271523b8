// What a rule does to the process that makes the call, and how long it keeps it waiting.
#include <linux/prctl.h>
#include <linux/wait.h>
#include <signal.h>

#include "core/base/clock.h"
#include "core/cell/process.h"
#include "core/ipc/fault_call.h"

namespace ipcell {

namespace {

#if defined(__i386__)
constexpr long kSysNanosleep = 407;  // clock_nanosleep_time64
#else
constexpr long kSysNanosleep = SYS_clock_nanosleep;
#endif

constexpr i64 kSecond = 1'000'000'000;
// How often it is looked whether the process is still there that a call is made for.
constexpr i64 kLook = kSecond / 20;

i64 time_now() {
  const KernelTimespec now = ask_kernel(CLOCK_MONOTONIC);
  return now.seconds * kSecond + now.nanoseconds;
}

i64 time_after(i64 nanoseconds) {
  const i64 now = time_now();
  constexpr i64 kForever = 0x7fffffffffffffff;
  return nanoseconds < kForever - now ? now + nanoseconds : kForever;
}

// 0, or -EINTR: a handler ran.
long sleep_until(i64 time) {
  const KernelTimespec end = {time / kSecond, time % kSecond};
  constexpr long kAbsolute = 1;  // TIMER_ABSTIME
  return sys::call(kSysNanosleep, CLOCK_MONOTONIC, kAbsolute, sys::arg(&end), 0);
}

bool is_remote(const Task& task) {
  return task.fault_host != nullptr && task.fault_host->is_remote;
}

// Not the task's, in a child of vfork(2).
long own_pid(const Task& task) {
  return is_remote(task) ? task.identity.pid : sys::call(SYS_getpid);
}

// The process that a call is made for may be killed, and nobody interrupts the one who makes it.
bool is_gone(const Task& task) {
  const TaskIdentity& of = task.identity;
  return is_process_gone(ProcessId{of.pid, of.start_time, of.pid_namespace});
}

// In a process of its own, which is to end with its parent at the latest: until then it has all of
// the parent's descriptors.
[[noreturn]] void stop_parent(long parent, i64 nanoseconds) {
  sys::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (sys::call(SYS_getppid) == parent) {
    sys::call(SYS_kill, parent, SIGSTOP);
    const i64 end = time_after(nanoseconds);
    while (sleep_until(end) != 0) {
    }
  }
  if (sys::call(SYS_getppid) == parent) sys::call(SYS_kill, parent, SIGCONT);
  for (;;) sys::call(SYS_exit_group, 0);
}

}  // namespace

void nap(const Task& task, i64 nanoseconds, const volatile bool* is_over) {
  const i64 end = time_after(nanoseconds);
  const bool looks = is_remote(task);
  while (is_over == nullptr || !*is_over) {
    const i64 look = looks ? time_after(kLook) : end;
    if (sleep_until(look < end ? look : end) == 0 && look >= end) return;
    if (looks && is_gone(task)) return;
  }
}

void send_signal(const Task& task, u32 signal) {
  const long thread = is_remote(task) ? task.identity.tid : sys::call(SYS_gettid);
  sys::call(SYS_tgkill, own_pid(task), thread, static_cast<long>(signal));
}

void kill_process(const Task& task) { sys::call(SYS_kill, own_pid(task), SIGKILL); }

// SIGSTOP, and SIGCONT after that time. Both by a child, in this order: all threads stop, at once
// or somewhat later, and a timer might be over before they have. The child's end tells nobody but
// this thread.
void stop_process(const Task& task, i64 nanoseconds) {
  const long pid = own_pid(task);
  if (is_remote(task)) {
    sys::call(SYS_kill, pid, SIGSTOP);
    nap(task, nanoseconds);
    if (!is_gone(task)) sys::call(SYS_kill, pid, SIGCONT);
    return;
  }
  // No handler of the program's runs in the child.
  constexpr long kMaskSize = 8;
  const u64 all = ~0ull;
  u64 before = 0;
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&all), sys::arg(&before), kMaskSize);
  const long child = sys::call(SYS_clone);
  if (child == 0) stop_parent(pid, nanoseconds);
  while (child > 0 && sys::call(SYS_wait4, child, 0, __WCLONE, 0) == -EINTR) {
  }
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&before), 0, kMaskSize);
}

void exit_process(const Task& task, u32 status) {
  if (is_remote(task)) {
    kill_process(task);
    return;
  }
  sys::call(SYS_exit_group, static_cast<long>(status));
}

}  // namespace ipcell
