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

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// A handler that came between a fork(2) and what is to be done behind it might fork itself.
class SignalsBlocked {
 public:
  void block() {
    const u64 all = ~0ull;
    sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::arg(&all), sys::arg(&before_), sizeof before_);
  }
  void unblock() const {
    sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&before_), 0, sizeof before_);
  }

 private:
  u64 before_ = 0;
};

// A fork that was begun, and is still to be ended; the child has a copy.
struct BegunFork {
  bool has_begun;
  SignalsBlocked signals;
};
constinit thread_local BegunFork t_begun = {};
// One of our own wrappers is around libc's fork(), whose handlers then have nothing to do.
constinit thread_local bool t_is_wrapped = false;

void before_fork() {
  if (!t_is_wrapped) begin_fork();
}
void after_fork_in_parent() {
  if (!t_is_wrapped) end_fork_in_parent(0, true);
}
void after_fork_in_child() {
  if (!t_is_wrapped) end_fork_in_child();
}

// `make()` is a fork(2) as libc has it.
template <class Make>
pid_t make_fork(Make make, bool is_task = true) {
  if (const int error = begin_fork()) return static_cast<pid_t>(to_libc(error));
  const bool is_wrapped = t_is_wrapped;
  t_is_wrapped = true;
  const pid_t child = make();
  t_is_wrapped = is_wrapped;
  const int saved_errno = errno;
  if (child == 0) {
    end_fork_in_child();
  } else {
    end_fork_in_parent(child, is_task);
  }
  errno = saved_errno;
  return child;
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

// What a child of clone(3) is to run.
struct CloneStart {
  int (*run)(void*);
  void* argument;
};

// The child has its own copy of `start`.
int run_clone(void* start) {
  t_is_wrapped = false;
  end_fork_in_clone();
  const auto* wanted = static_cast<const CloneStart*>(start);
  return wanted->run(wanted->argument);
}

}  // namespace

int begin_fork() {
  t_begun.has_begun = false;
  if (process_addresses().is_empty() || is_borrowed_memory()) return 0;
  Task* task = current_task();
  if (task == nullptr) return 0;
  t_begun.signals.block();
  const int error = sys_fork_begin(*task);
  t_begun.has_begun = error == 0;
  if (error != 0) t_begun.signals.unblock();
  return error;
}

void end_fork_in_parent(int child, bool is_task) {
  if (!t_begun.has_begun) return;
  t_begun.has_begun = false;
  sys_fork_end(*task_if_any(), child, is_task);
  t_begun.signals.unblock();
}

void end_fork_in_child() {
  const bool has_begun = t_begun.has_begun;
  t_begun.has_begun = false;
  // The child's task takes over what was counted for it; if there was no memory to count it, it
  // counts now.
  if (!process_addresses().is_empty()) current_task();
  if (has_begun) t_begun.signals.unblock();
}

void end_fork_in_clone() {
  // What was counted is its parent's to name.
  process_addresses().heir = process_addresses().heir_serial = 0;
  if (t_begun.has_begun) t_begun.signals.unblock();
  t_begun.has_begun = false;
}

// daemon(3), forkpty(3) and their like call libc's fork() inside, past us.
void watch_forks() {
  static u32 is_watching;
  if (load_relaxed(is_watching) != 0 || exchange(is_watching, 1u) != 0) return;
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static void share_memory() {
  AddressMap& map = process_addresses();
  map.is_shared = map.is_lent = 1;
  if (map.is_empty() || is_borrowed_memory()) return;
  if (Task* task = current_task()) sys_share_memory(*task);
}

}  // namespace ipcell

IPCELL_EXPORT pid_t fork() noexcept {
  return ipcell::make_fork([] { return ipcell::real_fork(); });
}

IPCELL_EXPORT pid_t _Fork() noexcept {
  return ipcell::make_fork([] { return ipcell::real_fork_only(); });
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
    ipcell::CloneStart start = {run, argument};
    const auto make = [&] {
      return ipcell::real_clone(ipcell::run_clone, stack, flags, &start, parent_tid, tls,
                                child_tid);
    };
    return ipcell::make_fork(make, false);
  }
  if ((flags & CLONE_THREAD) == 0) ipcell::share_memory();
  return ipcell::real_clone(run, stack, flags, argument, parent_tid, tls, child_tid);
}
