// syscall(2): programs that make IPC calls by number get the cell as well.
//
// Only the numbers of kOurs go to C++ code. All others run the few instructions that libc's own
// syscall() is, in place: a vfork(2) or clone(2) made by number must not return into a frame of
// ours.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "core/base/usercopy.h"
#include "core/syscalls.h"
#include "interpose/by_number.h"
#include "interpose/descriptors.h"
#include "interpose/errno.h"
#include "interpose/memory.h"
#include "interpose/mqueue.h"
#include "interpose/process.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"

#if defined(__x86_64__)

namespace {

using ipcell::Task;
using ipcell::u64;

constexpr int kOurs[] = {SYS_semget,       SYS_semop,         SYS_semctl,
                         SYS_semtimedop,   SYS_unshare,       SYS_msgget,
                         SYS_msgsnd,       SYS_msgrcv,        SYS_msgctl,
                         SYS_setuid,       SYS_setgid,        SYS_setreuid,
                         SYS_setregid,     SYS_setgroups,     SYS_setresuid,
                         SYS_setresgid,    SYS_setfsuid,      SYS_setfsgid,
                         SYS_capset,       SYS_chroot,        SYS_shmget,
                         SYS_shmat,        SYS_shmdt,         SYS_shmctl,
                         SYS_mmap,         SYS_munmap,        SYS_mremap,
                         SYS_mprotect,     SYS_madvise,       SYS_mlock,
                         SYS_munlock,      SYS_mlock2,        SYS_mlockall,
                         SYS_munlockall,   SYS_setrlimit,     SYS_prlimit64,
                         SYS_fork,         SYS_pkey_mprotect, SYS_mq_open,
                         SYS_mq_unlink,    SYS_mq_timedsend,  SYS_mq_timedreceive,
                         SYS_mq_notify,    SYS_mq_getsetattr, SYS_close,
                         SYS_dup2,         SYS_dup3,          SYS_close_range,
                         SYS_read,         SYS_write,         SYS_lseek,
                         SYS_setns,        SYS_execve,        SYS_execveat,
                         SYS_rt_sigaction, SYS_rt_sigprocmask};

struct NumberSet {
  u64 words[8];
};

constexpr NumberSet make_set() {
  NumberSet set = {};
  for (int number : kOurs) set.words[number / 64] |= 1ull << (number % 64);
  return set;
}

template <class T>
T* pointer(long value) {
  return reinterpret_cast<T*>(value);
}

long call_core(Task& task, long number, long a, long b, long c, long d, long e) {
  const int id = static_cast<int>(a);
  switch (number) {
    case SYS_semget: return ipcell::sys_semget(task, id, static_cast<int>(b), static_cast<int>(c));
    case SYS_semop:
    case SYS_semtimedop:
      return ipcell::sys_semtimedop(task, id, pointer<const struct sembuf>(b),
                                    static_cast<std::size_t>(c),
                                    number == SYS_semop ? nullptr : pointer<const timespec>(d));
    case SYS_semctl:
      return ipcell::sys_semctl(task, id, static_cast<int>(b), static_cast<int>(c),
                                static_cast<unsigned long>(d));
    case SYS_msgget: return ipcell::sys_msgget(task, id, static_cast<int>(b));
    case SYS_msgsnd:
      return ipcell::sys_msgsnd(task, id, pointer<const void>(b), static_cast<std::size_t>(c),
                                static_cast<int>(d));
    case SYS_msgrcv:
      return ipcell::sys_msgrcv(task, id, pointer<void>(b), static_cast<std::size_t>(c), d,
                                static_cast<int>(e));
    case SYS_shmget:
      return ipcell::sys_shmget(task, id, static_cast<std::size_t>(b), static_cast<int>(c));
    case SYS_shmdt: return ipcell::detach_segment(pointer<const void>(a));
    case SYS_shmctl: return ipcell::sys_shmctl(task, id, static_cast<int>(b), pointer<void>(c));
    case SYS_msgctl: return ipcell::sys_msgctl(task, id, static_cast<int>(b), pointer<void>(c));
  }
  return -ENOSYS;
}

constexpr bool is_ipc(long number) {
  static_assert(SYS_semget + 1 == SYS_semop && SYS_semop + 1 == SYS_semctl &&
                SYS_msgget + 3 == SYS_msgctl && SYS_shmget + 2 == SYS_shmctl);
  return (number >= SYS_msgget && number <= SYS_msgctl) ||
         (number >= SYS_semget && number <= SYS_semctl) || number == SYS_semtimedop ||
         (number >= SYS_shmget && number <= SYS_shmctl) || number == SYS_shmdt;
}

// POSIX message queues. -ENOSYS: the number is none of theirs.
long call_mqueue(long number, long a, long b, long c, long d, long e) {
  const int fd = static_cast<int>(a);
  switch (number) {
    case SYS_mq_open:
      return ipcell::open_mqueue(pointer<const char>(a), static_cast<int>(b),
                                 static_cast<ipcell::u32>(c), pointer<const struct mq_attr>(d),
                                 true);
    case SYS_mq_unlink: return ipcell::unlink_mqueue(pointer<const char>(a));
    case SYS_mq_timedsend:
      return ipcell::send_mqueue(fd, pointer<const char>(b), static_cast<std::size_t>(c),
                                 static_cast<ipcell::u32>(d), pointer<const timespec>(e));
    case SYS_mq_timedreceive:
      return ipcell::receive_mqueue(fd, pointer<char>(b), static_cast<std::size_t>(c),
                                    pointer<ipcell::u32>(d), pointer<const timespec>(e));
    case SYS_mq_getsetattr:
      return ipcell::get_set_mqueue(fd, pointer<const struct mq_attr>(b),
                                    pointer<struct mq_attr>(c));
    case SYS_mq_notify: {
      if (b == 0) return ipcell::notify_mqueue(fd, nullptr);
      struct sigevent event;
      if (ipcell::copy_from_user(&event, pointer<const void>(b), sizeof event) != 0) return -EFAULT;
      return ipcell::notify_mqueue(fd, &event);
    }
    default: return -ENOSYS;
  }
}

constexpr bool is_mqueue(long number) {
  static_assert(SYS_mq_open + 5 == SYS_mq_getsetattr);
  return number >= SYS_mq_open && number <= SYS_mq_getsetattr;
}

constexpr bool is_about_file(long number) {
  return number == SYS_read || number == SYS_write || number == SYS_lseek;
}

// Of queues and sysctls by libc's functions, of all else by the kernel: the number is no
// cancellation point.
long call_file(long number, long a, long b, long c) {
  const int fd = static_cast<int>(a);
  const auto size = static_cast<std::size_t>(c);
  if (ipcell::known_file(fd) == nullptr) return ipcell::to_libc(ipcell::sys::call(number, a, b, c));
  switch (number) {
    case SYS_read: return read(fd, pointer<void>(b), size);
    case SYS_write: return write(fd, pointer<const void>(b), size);
    default: return lseek64(fd, b, static_cast<int>(c));
  }
}

constexpr bool changes_credentials(long number) {
  return (number >= SYS_setuid && number <= SYS_setfsgid) || number == SYS_capset ||
         number == SYS_chroot;
}

}  // namespace

extern "C" {

// Bit per system call number below 512; read by syscall() below.
__attribute__((visibility("hidden"), used)) extern const NumberSet ipcell_our_numbers = make_set();

__attribute__((visibility("hidden"), used)) long
ipcell_our_syscall(long number, long a, long b, long c, long d, long e, long f) {
  switch (number) {
    case SYS_unshare: return unshare(static_cast<int>(a));
    case SYS_execve:
      return execve(pointer<char>(a), pointer<char* const>(b), pointer<char* const>(c));
    case SYS_execveat:
      return execveat(static_cast<int>(a), pointer<char>(b), pointer<char* const>(c),
                      pointer<char* const>(d), static_cast<int>(e));
    case SYS_rt_sigaction:
      return ipcell::to_libc(ipcell::action_by_number(static_cast<int>(a), pointer<const void>(b),
                                                      pointer<void>(c), d));
    case SYS_rt_sigprocmask:
      return ipcell::to_libc(
          ipcell::mask_by_number(static_cast<int>(a), pointer<const void>(b), pointer<void>(c), d));
    case SYS_setns: return setns(static_cast<int>(a), static_cast<int>(b));
    case SYS_shmat:
      return reinterpret_cast<long>(
          ipcell::attach_segment(static_cast<int>(a), pointer<const void>(b), static_cast<int>(c)));
    case SYS_fork:
    case SYS_clone: return ipcell::fork_by_number(number, a, b, c, d, e);
    case SYS_clone3: return ipcell::clone3_by_number(pointer<const void>(a), static_cast<u64>(b));
    case SYS_close: return close(static_cast<int>(a));
    case SYS_dup2: return dup2(static_cast<int>(a), static_cast<int>(b));
    case SYS_dup3: return dup3(static_cast<int>(a), static_cast<int>(b), static_cast<int>(c));
    case SYS_close_range:
      return close_range(static_cast<unsigned>(a), static_cast<unsigned>(b), static_cast<int>(c));
  }
  if (is_about_file(number)) return call_file(number, a, b, c);
  if (is_mqueue(number)) return ipcell::to_libc(call_mqueue(number, a, b, c, d, e));
  if (is_ipc(number)) {
    Task* task = ipcell::current_task();
    return ipcell::to_libc(task != nullptr ? call_core(*task, number, a, b, c, d, e) : -ENOSYS);
  }
  if (!changes_credentials(number))
    return ipcell::to_libc(ipcell::change_mappings(number, a, b, c, d, e, f));
  ipcell::map_cell_early();
  const long result = ipcell::sys::call(number, a, b, c, d, e, f);
  ipcell::forget_credentials();
  return ipcell::to_libc(result);
}

__attribute__((visibility("hidden"), used)) bool ipcell_copies_memory(const void* arguments,
                                                                      u64 size) {
  return ipcell::copies_memory(arguments, size);
}

__attribute__((visibility("hidden"), used)) long ipcell_syscall_failed(long result) {
  return ipcell::to_libc(result);
}
}

namespace ipcell {

long call_by_number(long number, long a, long b, long c, long d, long e, long f) {
  if (!is_ipc(number) && !is_mqueue(number) && number != SYS_shmat) return -ENOSYS;
  const long result = ipcell_our_syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}

}  // namespace ipcell

asm(R"(
        .pushsection .text
        .globl syscall
        .type syscall, @function
        .p2align 4
syscall:
        .cfi_startproc
        endbr64
        cmpq $512, %rdi
        jae 1f
        cmpq $56, %rdi
        je 3f
        cmpq $435, %rdi
        je 4f
        btq %rdi, ipcell_our_numbers(%rip)
        jc ipcell_our_syscall
1:      movq %rdi, %rax
        movq %rsi, %rdi
        movq %rdx, %rsi
        movq %rcx, %rdx
        movq %r8, %r10
        movq %r9, %r8
        movq 8(%rsp), %r9
        syscall
        cmpq $-4095, %rax
        jae 2f
        ret
2:      movq %rax, %rdi
        jmp ipcell_syscall_failed
        # clone(2): a child in the same memory, or on another stack, can't return through a frame.
3:      testl $0x100, %esi
        jnz 1b
        testq %rdx, %rdx
        jnz 1b
        jmp ipcell_our_syscall
        # clone3(2): the same, by its struct.
4:      pushq %rdi
        pushq %rsi
        pushq %rdx
        pushq %rcx
        pushq %r8
        pushq %r9
        subq $8, %rsp
        .cfi_adjust_cfa_offset 56
        movq %rsi, %rdi
        movq %rdx, %rsi
        call ipcell_copies_memory
        addq $8, %rsp
        popq %r9
        popq %r8
        popq %rcx
        popq %rdx
        popq %rsi
        popq %rdi
        .cfi_adjust_cfa_offset -56
        testb %al, %al
        jz 1b
        jmp ipcell_our_syscall
        .cfi_endproc
        .size syscall, .-syscall
        .popsection
)");

#endif
