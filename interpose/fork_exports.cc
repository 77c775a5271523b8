// fork(2) and clone(2): a child has what its parent has attached.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "interpose/errno.h"
#include "interpose/memory.h"
#include "interpose/process.h"
#include "interpose/real.h"
#include "interpose/signals_blocked.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// A fork(2) in the making. It is begun as late before it, and ended as soon behind it, as can be:
// libc runs the program's handlers (pthread_atfork(3)) outside of ours, which may wait for other
// threads, or fork.
struct ForkFrame {
  ForkRecord record;
  bool has_begun = false;
  // No handler of a signal may come in between, and fork itself.
  SignalsBlocked signals;
};
// Of the wrapper of ours that is around libc's fork() just now; the child has a copy.
constinit thread_local ForkFrame* t_frame = nullptr;
// For forks inside of libc: daemon(3), forkpty(3) and their like.
constinit thread_local ForkFrame t_inside = {};

ForkFrame& current_frame() { return t_frame != nullptr ? *t_frame : t_inside; }

// 0, or -errno: there is to be no child.
int begin(ForkFrame& frame) {
  frame.record = {};
  frame.has_begun = false;
  if (process_addresses().is_empty() || is_borrowed_memory()) return 0;
  Task* task = current_task();
  if (task == nullptr) return 0;
  frame.signals.block();
  const int error = sys_fork_begin(*task, frame.record);
  frame.has_begun = error == 0;
  if (error != 0) frame.signals.unblock();
  return error;
}

void unlock_in_parent(ForkFrame& frame) {
  if (!frame.has_begun) return;
  frame.has_begun = false;
  sys_fork_unlock(*task_if_any());
  frame.signals.unblock();
}

// `child`: its pid, -1 if there is none, 0 if it is not known.
void end_in_parent(const ForkFrame& frame, int child, bool is_task) {
  Task* task = task_if_any();
  if (frame.record.heir != 0 && task != nullptr) sys_fork_end(*task, frame.record, child, is_task);
}

// The child's task takes over what was counted for it; if there was no memory to count it, it
// counts now.
void end_in_child(ForkFrame& frame) {
  const bool has_begun = frame.has_begun;
  frame.has_begun = false;
  if (!process_addresses().is_empty()) current_task();
  if (has_begun) frame.signals.unblock();
}

// A child that can't become a task: what was counted is its parent's to name.
void end_in_clone(ForkFrame& frame) {
  process_addresses().heir = process_addresses().heir_serial = 0;
  if (frame.has_begun) frame.signals.unblock();
  frame.has_begun = false;
}

void before_fork() { begin(current_frame()); }
void after_fork_in_parent() { unlock_in_parent(current_frame()); }
void after_fork_in_child() { end_in_child(current_frame()); }

// Registered before any of the program's: so ours come last before a fork, and first behind it.
__attribute__((constructor)) void watch_forks() {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

constinit Real<pid_t()> real_fork("fork");
constinit Real<pid_t()> real_fork_only("_Fork");
using Clone = int(int (*)(void*), void*, int, void*, pid_t*, void*, pid_t*);
constinit Real<Clone> real_clone("clone");

// Programs fork in signal handlers.
__attribute__((constructor)) void resolve_fork() {
  real_fork.resolve();
  real_fork_only.resolve();
  real_clone.resolve();
}

pid_t fork_with_handlers() {
  if (process_addresses().is_empty()) return real_fork();
  ForkFrame frame;
  ForkFrame* const outer = t_frame;
  t_frame = &frame;
  const pid_t child = real_fork();
  t_frame = outer;
  const int saved_errno = errno;
  if (child != 0) end_in_parent(frame, child, true);
  errno = saved_errno;
  return child;
}

// `make(frame)` is a fork(2) that runs no handlers, with 0 in the child.
template <class Make>
pid_t fork_without_handlers(Make make, bool is_task) {
  ForkFrame frame;
  if (const int error = begin(frame)) return static_cast<pid_t>(to_libc(error));
  const pid_t child = make(frame);
  const int saved_errno = errno;
  if (child == 0) {
    end_in_child(frame);
  } else {
    unlock_in_parent(frame);
    end_in_parent(frame, child, is_task);
  }
  errno = saved_errno;
  return child;
}

// What a child of clone(3) is to run.
struct CloneStart {
  int (*run)(void*);
  void* argument;
  ForkFrame* frame;
};

// The child has its own copies of `start`, and of the frame.
int run_clone(void* start) {
  const auto* wanted = static_cast<const CloneStart*>(start);
  t_frame = nullptr;
  end_in_clone(*wanted->frame);
  return wanted->run(wanted->argument);
}

}  // namespace

long fork_by_number(long number, long a, long b, long c, long d, long e) {
  ForkFrame frame;
  if (const int error = begin(frame)) return to_libc(error);
  const long child = sys::call(number, a, b, c, d, e);
  if (child == 0) {
    end_in_clone(frame);
  } else {
    unlock_in_parent(frame);
    end_in_parent(frame, child > 0 ? static_cast<int>(child) : -1, false);
  }
  return to_libc(child);
}

static void share_memory() {
  AddressMap& map = process_addresses();
  map.is_shared = map.is_lent = 1;
  if (map.is_empty() || is_borrowed_memory()) return;
  if (Task* task = current_task()) sys_share_memory(*task);
}

}  // namespace ipcell

IPCELL_EXPORT pid_t fork() noexcept { return ipcell::fork_with_handlers(); }

IPCELL_EXPORT pid_t _Fork() noexcept {
  return ipcell::fork_without_handlers([](const auto&) { return ipcell::real_fork_only(); }, true);
}

#if defined(__x86_64__)

// vfork(2) returns twice from the same frame, so there must be none of ours: it is noted that
// another process will run in this memory, and libc's goes on in our place.
extern "C" {
__attribute__((visibility("hidden"), used)) void* ipcell_real_vfork;
__attribute__((visibility("hidden"), used)) ipcell::u32* ipcell_is_shared;
}

namespace {

// Before any constructor that might start a program.
__attribute__((constructor(101))) void resolve_vfork() {
  ipcell_is_shared = &ipcell::process_addresses().is_shared;
  ipcell_real_vfork = dlsym(RTLD_NEXT, "vfork");
}

}  // namespace

asm(R"(
        .pushsection .text
        .globl vfork
        .type vfork, @function
        .p2align 4
vfork:
        .cfi_startproc
        endbr64
        movq ipcell_is_shared(%rip), %rax
        testq %rax, %rax
        je 1f
        movl $1, (%rax)
1:      movq ipcell_real_vfork(%rip), %rax
        testq %rax, %rax
        je 2f
        jmp *%rax
        # A constructor that runs before ours.
2:      popq %rdx
        movl $58, %eax
        syscall
        pushq %rdx
        cmpq $-4095, %rax
        jae 3f
        ret
3:      movq %rax, %rdi
        jmp ipcell_syscall_failed
        .cfi_endproc
        .size vfork, .-vfork
        .popsection
)");

#endif

// A child that shares the memory shares the attachments. Any other begins in `run`, and takes over
// at its first call what was counted for it.
IPCELL_EXPORT int clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  pid_t* parent_tid = va_arg(rest, pid_t*);
  void* tls = va_arg(rest, void*);
  pid_t* child_tid = va_arg(rest, pid_t*);
  va_end(rest);
  if ((flags & CLONE_VM) == 0) {
    const auto make = [&](ipcell::ForkFrame& frame) {
      ipcell::CloneStart start = {run, argument, &frame};
      return ipcell::real_clone(ipcell::run_clone, stack, flags, &start, parent_tid, tls,
                                child_tid);
    };
    return ipcell::fork_without_handlers(make, false);
  }
  if ((flags & CLONE_THREAD) == 0) ipcell::share_memory();
  return ipcell::real_clone(run, stack, flags, argument, parent_tid, tls, child_tid);
}
