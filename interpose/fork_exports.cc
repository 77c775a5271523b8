// fork(2) and clone(2): a child has what its parent has attached.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "interpose/errno.h"
#include "interpose/fault_host.h"
#include "interpose/memory.h"
#include "interpose/namespaces.h"
#include "interpose/process.h"
#include "interpose/real.h"
#include "interpose/sanitizers.h"
#include "interpose/signals_blocked.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// What is counted for the child in one cell.
struct ForkPart {
  u32 cell;
  ForkRecord record;
};

// A fork(2) in the making. It is begun as late before it, and ended as soon behind it, as can be:
// libc runs the program's handlers (pthread_atfork(3)) outside of ours, which may wait for other
// threads, or fork.
struct ForkFrame {
  ForkPart parts[kProcessCells];
  u32 count = 0;
  u32 child = 0;  // its number among those of this process
  bool has_begun = false;
  // No handler of a signal may come in between, and fork itself; nor may one in the child before
  // libc has told the kernel of its robust mutexes, by which the child's tasks live.
  SignalsBlocked signals;
};
// Of the wrapper of ours that is around libc's fork() just now; the child has a copy.
constinit thread_local ForkFrame* t_frame = nullptr;
// For forks inside of libc: daemon(3), forkpty(3) and their like.
constinit thread_local ForkFrame t_inside = {};

ForkFrame& current_frame() { return t_frame != nullptr ? *t_frame : t_inside; }

void unlock_in_parent(ForkFrame& frame) {
  if (!frame.has_begun) return;
  frame.has_begun = false;
  for (u32 n = frame.count; n > 0; --n) {
    const InCell in(frame.parts[n - 1].cell);
    sys_fork_unlock(*task_if_any());
  }
  frame.signals.unblock();
}

// `child`: its pid, -1 if there is none, 0 if it is not known.
void end_in_parent(const ForkFrame& frame, int child, bool is_task) {
  for (u32 n = 0; n < frame.count; ++n) {
    const ForkPart& part = frame.parts[n];
    const InCell in(part.cell);
    Task* task = task_if_any();
    if (part.record.heir != 0 && task != nullptr) sys_fork_end(*task, part.record, child, is_task);
  }
}

// 0, or -errno: there is to be no child.
int begin(ForkFrame& frame) {
  frame.count = 0;
  frame.child = next_fault_child();
  frame.signals.block();
  frame.has_begun = true;
  if (!has_attachments() || is_borrowed_memory() || current_task() == nullptr) return 0;
  int error = 0;
  for_each_cell([&](u32 number, const ProcessCell& known) {
    if (known.addresses.is_empty() || error != 0) return;
    const InCell in(number);
    ForkPart& part = frame.parts[frame.count];
    part = {number, {}};
    error = sys_fork_begin(*current_task(), part.record);
    if (error == 0) ++frame.count;
  });
  if (error == 0) return 0;
  unlock_in_parent(frame);
  end_in_parent(frame, -1, false);
  return error;
}

// The child's tasks take over what was counted for it; if there was no memory to count it, they
// count now.
void end_in_child(ForkFrame& frame) {
  const bool has_begun = frame.has_begun;
  frame.has_begun = false;
  become_fault_child(frame.child);
  be_main_thread();
  show_namespace_in_child();
  for_each_cell([](u32 number, const ProcessCell& known) {
    if (known.addresses.is_empty()) return;
    const InCell in(number);
    current_task();
  });
  if (has_begun) frame.signals.unblock();
}

// Where libc has the kernel look for a thread's robust mutexes at its end. A child of clone(2)
// starts with none. Glibc: sysdeps/nptl/fork.h:reclaim_stacks()
class RobustList {
 public:
  RobustList() { sys::call(SYS_get_robust_list, 0, sys::arg(&head_), sys::arg(&size_)); }
  // In the child. Its parent's mutexes are not in it: the list is as a fork(2) leaves it, which has
  // a link backwards before the one forwards.
  void restore() const {
    if (head_ == nullptr) return;
    head_[-1] = head_[0] = head_;
    sys::call(SYS_set_robust_list, sys::arg(head_), size_);
  }

 private:
  void** head_ = nullptr;
  unsigned long size_ = 0;
};

void end_in_clone(ForkFrame& frame, const RobustList& robust) {
  robust.restore();
  end_in_child(frame);
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
  if (!has_attachments()) return real_fork();
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
pid_t fork_without_handlers(Make make) {
  ForkFrame frame;
  if (const int error = begin(frame)) return static_cast<pid_t>(to_libc(error));
  const pid_t child = make(frame);
  const int saved_errno = errno;
  if (child == 0) {
    end_in_child(frame);
  } else {
    unlock_in_parent(frame);
    end_in_parent(frame, child, true);
  }
  errno = saved_errno;
  return child;
}

// What a child of clone(3) is to run.
struct CloneStart {
  int (*run)(void*);
  void* argument;
  ForkFrame* frame;
  NewNamespace* fresh;  // that it moves to, or nullptr
  RobustList robust;
};

// The child has its own copies of `start`, and of the frame.
int run_clone(void* start) {
  const auto* wanted = static_cast<const CloneStart*>(start);
  t_frame = nullptr;
  end_in_clone(*wanted->frame, wanted->robust);
  if (wanted->fresh != nullptr) wanted->fresh->enter();
  return wanted->run(wanted->argument);
}

// A clone(2) without CLONE_VM. `make(flags, frame, fresh)`: as above, but that the child may not
// return from it. Linux: kernel/nsproxy.c:copy_namespaces()
template <class Make>
long clone_memory(u64 flags, Make make) {
  NewNamespace fresh;
  bool is_new = (flags & CLONE_NEWIPC) != 0;
  if (is_new && (flags & CLONE_SYSVSEM) != 0) return -EINVAL;
  const long error = is_new ? fresh.make() : 0;
  if (error < 0) return error;
  is_new = is_new && error == 0;
  const u64 left = is_new ? flags & ~static_cast<u64>(CLONE_NEWIPC) : flags;
  ForkFrame frame;
  if (const int failed = begin(frame)) return failed;
  const long child = make(left, frame, is_new ? &fresh : nullptr);
  if (child == 0) return 0;
  unlock_in_parent(frame);
  end_in_parent(frame, child > 0 ? static_cast<int>(child) : -1, true);
  if (is_new && child > 0) fresh.leave_to_child();
  return child;
}

}  // namespace

long fork_by_number(long number, long a, long b, long c, long d, long e) {
  const RobustList robust;
  const u64 flags = number == SYS_clone ? static_cast<u64>(a) : 0;
  return to_libc(clone_memory(flags, [&](u64 left, ForkFrame& frame, NewNamespace* fresh) {
    const long child =
        sys::call(number, number == SYS_clone ? static_cast<long>(left) : a, b, c, d, e);
    if (child == 0) {
      end_in_clone(frame, robust);
      if (fresh != nullptr) fresh->enter();
    }
    return child;
  }));
}

// Linux: struct clone_args, and what may come behind it.
struct CloneArguments {
  static constexpr u64 kLeast = 64;
  u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  u64 rest[8];
};

// Too long or too short for us is a case for the kernel. Read by it, too: a process without a cell
// catches no faults.
static bool read_arguments(const void* from, u64 size, CloneArguments* arguments) {
  if (size < CloneArguments::kLeast || size > sizeof *arguments) return false;
  const struct iovec to = {arguments, static_cast<std::size_t>(size)};
  const struct iovec of = {const_cast<void*>(from), static_cast<std::size_t>(size)};
  return sys::call(SYS_process_vm_readv, sys::call(SYS_getpid), sys::arg(&to), 1, sys::arg(&of), 1,
                   0) == static_cast<long>(size);
}

bool copies_memory(const void* arguments, u64 size) {
  CloneArguments copy;
  return read_arguments(arguments, size, &copy) && (copy.flags & CLONE_VM) == 0 && copy.stack == 0;
}

long clone3_by_number(const void* arguments, u64 size) {
  CloneArguments copy;
  if (!read_arguments(arguments, size, &copy)) return to_libc(-EFAULT);
  const RobustList robust;
  return to_libc(clone_memory(copy.flags, [&](u64 left, ForkFrame& frame, NewNamespace* fresh) {
    copy.flags = left;
    const long child = sys::call(SYS_clone3, sys::arg(&copy), static_cast<long>(size));
    if (child == 0) {
      end_in_clone(frame, robust);
      if (fresh != nullptr) fresh->enter();
    }
    return child;
  }));
}

static void share_memory() {
  AddressMap& first = g_process_cells[0].addresses;
  first.is_shared = first.is_lent = 1;
  for_each_cell([](u32 number, ProcessCell& known) {
    known.addresses.is_shared = known.addresses.is_lent = 1;
    if (known.addresses.is_empty() || is_borrowed_memory()) return;
    const InCell in(number);
    if (Task* task = current_task()) sys_share_memory(*task);
  });
}

}  // namespace ipcell

IPCELL_EXPORT pid_t fork() noexcept { return ipcell::fork_with_handlers(); }

IPCELL_EXPORT pid_t _Fork() noexcept {
  return ipcell::fork_without_handlers([](const auto&) { return ipcell::real_fork_only(); });
}

// vfork(2) returns twice from the same frame, so there must be none of ours, and what is on the
// stack is lost when the parent goes on. It is noted that another process will run in this memory,
// and afterwards looked at how that left it. Libc's does the same as this without that.
extern "C" {
__attribute__((visibility("hidden"), used)) void ipcell_before_vfork() {
  ipcell::g_process_cells[0].addresses.is_shared = 1;
}

__attribute__((visibility("hidden"), used)) void ipcell_after_vfork(long child, void* stack) {
  ipcell::tell_of_vfork(stack);
  ipcell::recover_from_borrower(static_cast<ipcell::i32>(child));
}
}

#if defined(__x86_64__)
asm(R"(
        .pushsection .text
        .globl vfork
        .type vfork, @function
        .p2align 4
vfork:
        .cfi_startproc
        endbr64
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        call ipcell_before_vfork
        addq $8, %rsp
        .cfi_adjust_cfa_offset -8
        # The way back, in a register that the kernel keeps.
        popq %rdx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rdx
        movl $58, %eax
        syscall
        pushq %rdx
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rip, -8
        testq %rax, %rax
        je 1f
        cmpq $-4095, %rax
        jae 2f
        pushq %rax
        .cfi_adjust_cfa_offset 8
        movq %rax, %rdi
        movq %rsp, %rsi
        call ipcell_after_vfork
        popq %rax
        .cfi_adjust_cfa_offset -8
1:      ret
2:      movq %rax, %rdi
        jmp ipcell_syscall_failed
        .cfi_endproc
        .size vfork, .-vfork
        .popsection
)");
#elif defined(__i386__)
asm(R"(
        .pushsection .text
        .globl vfork
        .type vfork, @function
        .p2align 4
vfork:
        .cfi_startproc
        subl $12, %esp
        .cfi_adjust_cfa_offset 12
        call ipcell_before_vfork
        addl $12, %esp
        .cfi_adjust_cfa_offset -12
        popl %edx
        .cfi_adjust_cfa_offset -4
        .cfi_register eip, edx
        movl $190, %eax
        int $0x80
        pushl %edx
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset eip, 0
        testl %eax, %eax
        je 1f
        cmpl $-4095, %eax
        jae 2f
        pushl %eax
        .cfi_adjust_cfa_offset 4
        movl %esp, %edx
        pushl %edx
        .cfi_adjust_cfa_offset 4
        pushl %eax
        .cfi_adjust_cfa_offset 4
        call ipcell_after_vfork
        addl $8, %esp
        .cfi_adjust_cfa_offset -8
        popl %eax
        .cfi_adjust_cfa_offset -4
1:      ret
2:      pushl %eax
        .cfi_adjust_cfa_offset 4
        call ipcell_syscall_failed
        addl $4, %esp
        .cfi_adjust_cfa_offset -4
        ret
        .cfi_endproc
        .size vfork, .-vfork
        .popsection
)");
#elif defined(__aarch64__)
// clone(2) with CLONE_VM, CLONE_VFORK and SIGCHLD. The way back is in a register anyway.
asm(R"(
        .pushsection .text
        .globl vfork
        .type vfork, %function
        .p2align 4
vfork:
        .cfi_startproc
        hint #34
        stp x29, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov x29, sp
        bl ipcell_before_vfork
        ldp x29, x30, [sp], #16
        .cfi_adjust_cfa_offset -16
        .cfi_restore x29
        .cfi_restore x30
        mov x0, #0x4111
        mov x1, #0
        mov x2, #0
        mov x3, #0
        mov x4, #0
        mov w8, #220
        svc #0
        cbz x0, 1f
        cmn x0, #4095
        b.hs 2f
        stp x0, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x30, 8
        mov x1, sp
        bl ipcell_after_vfork
        ldp x0, x30, [sp], #16
        .cfi_adjust_cfa_offset -16
        .cfi_restore x30
1:      ret
2:      b ipcell_syscall_failed
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
  const bool is_new = (flags & CLONE_NEWIPC) != 0 && ipcell::has_cell();
  // DIVERGES: in its parent's memory a child can't have a namespace of its own. It gets a copy of
  // that memory, if its parent waits for it and so hardly sees the difference.
  if (is_new && (flags & CLONE_VM) != 0 && (flags & CLONE_VFORK) == 0)
    return static_cast<int>(ipcell::to_libc(-EINVAL));
  if (is_new) flags &= ~CLONE_VM;
  if ((flags & CLONE_VM) == 0) {
    const auto make = [&](ipcell::u64 left, ipcell::ForkFrame& frame, ipcell::NewNamespace* fresh) {
      ipcell::CloneStart start = {run, argument, &frame, fresh, {}};
      const int child = ipcell::real_clone(ipcell::run_clone, stack, static_cast<int>(left), &start,
                                           parent_tid, tls, child_tid);
      return child < 0 ? -static_cast<long>(errno) : child;
    };
    return static_cast<int>(
        ipcell::to_libc(ipcell::clone_memory(static_cast<unsigned>(flags), make)));
  }
  if ((flags & CLONE_THREAD) == 0) ipcell::share_memory();
  return ipcell::real_clone(run, stack, flags, argument, parent_tid, tls, child_tid);
}
