#include "interpose/by_number.h"
#include "interpose/fault_host.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "core/base/usercopy.h"
#include "core/syscalls.h"
#include "interpose/calls.h"
#include "interpose/descriptors.h"
#include "interpose/memory.h"
#include "interpose/mqueue.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"

namespace ipcell {

namespace {

constexpr int kIpcCalls[] = {
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_semget,
    SYS_semctl,
    SYS_shmget,
    SYS_shmat,
    SYS_shmdt,
    SYS_shmctl,
#if defined(SYS_semop)
    SYS_semop,
#endif
#if defined(SYS_semtimedop)
    SYS_semtimedop,
#endif
#if defined(SYS_semtimedop_time64)
    SYS_semtimedop_time64,
#endif
#if defined(SYS_ipc)
    SYS_ipc,
#endif
    SYS_mq_open,
    SYS_mq_unlink,
    SYS_mq_timedsend,
    SYS_mq_timedreceive,
    SYS_mq_notify,
    SYS_mq_getsetattr,
#if defined(SYS_mq_timedsend_time64)
    SYS_mq_timedsend_time64,
    SYS_mq_timedreceive_time64,
#endif
};

constexpr int kCredentialCalls[] = {
    SYS_setuid,      SYS_setgid,      SYS_setreuid,   SYS_setregid,   SYS_setgroups,
    SYS_setresuid,   SYS_setresgid,   SYS_setfsuid,   SYS_setfsgid,   SYS_capset,
    SYS_chroot,
#if defined(SYS_setuid32)
    SYS_setuid32,    SYS_setgid32,    SYS_setreuid32, SYS_setregid32, SYS_setgroups32,
    SYS_setresuid32, SYS_setresgid32, SYS_setfsuid32, SYS_setfsgid32,
#endif
};

constexpr int kOtherCalls[] = {
    SYS_unshare,
    SYS_setns,
    SYS_execve,
    SYS_execveat,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    // Memory. i386's mmap(2) of old takes a struct, and no libc calls it.
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_mlock,
    SYS_munlock,
    SYS_mlock2,
    SYS_mlockall,
    SYS_munlockall,
    SYS_prlimit64,
    SYS_pkey_mprotect,
#if defined(SYS_mmap2)
    SYS_mmap2,
#elif defined(SYS_mmap)
    SYS_mmap,
#endif
#if defined(SYS_setrlimit)
    SYS_setrlimit,
#endif
#if defined(SYS_fork)
    SYS_fork,
#endif
    // Descriptors.
    SYS_close,
    SYS_dup3,
    SYS_close_range,
    SYS_read,
    SYS_write,
    SYS_lseek,
#if defined(SYS_dup2)
    SYS_dup2,
#endif
};

template <std::size_t kCount>
constexpr void add_numbers(IpcellNumbers& set, const int (&numbers)[kCount]) {
  for (int number : numbers) set.words[number / 64] |= 1ull << (number % 64);
}
template <std::size_t kCount>
constexpr IpcellNumbers set_of(const int (&numbers)[kCount]) {
  IpcellNumbers set = {};
  add_numbers(set, numbers);
  return set;
}
constexpr IpcellNumbers make_our_numbers() {
  IpcellNumbers set = {};
  add_numbers(set, kIpcCalls);
  add_numbers(set, kCredentialCalls);
  add_numbers(set, kOtherCalls);
  return set;
}
bool is_in(const IpcellNumbers& set, long number) {
  return number >= 0 && number < 512 && (set.words[number / 64] >> (number % 64) & 1) != 0;
}
constexpr IpcellNumbers kIpcNumbers = set_of(kIpcCalls);
constexpr IpcellNumbers kCredentialNumbers = set_of(kCredentialCalls);

template <class T>
T* pointer(long value) {
  return reinterpret_cast<T*>(value);
}

// What a function for libc's callers has returned.
long from_libc(long result) { return result == -1 ? -errno : result; }

// --------------------------------------------------------------------------- System V IPC

long call_sysv(Task& task, long number, long a, long b, long c, long d, long e) {
  const int id = static_cast<int>(a);
  const auto size = static_cast<std::size_t>(c);
  switch (number) {
    case SYS_semget: return sys_semget(task, id, static_cast<int>(b), static_cast<int>(c));
#if defined(SYS_semop)
    case SYS_semop: return sys_semtimedop(task, id, pointer<const struct sembuf>(b), size, nullptr);
#endif
#if defined(SYS_semtimedop)
    case SYS_semtimedop:
      return sys_semtimedop(task, id, pointer<const struct sembuf>(b), size,
                            pointer<const timespec>(d));
#endif
#if defined(SYS_semtimedop_time64)
    case SYS_semtimedop_time64:
      return sys_semtimedop(task, id, pointer<const struct sembuf>(b), size,
                            UserTime::wide(pointer<const void>(d)));
#endif
    case SYS_semctl:
      return sys_semctl(task, id, static_cast<int>(b), static_cast<int>(c),
                        static_cast<unsigned long>(d));
    case SYS_msgget: return sys_msgget(task, id, static_cast<int>(b));
    case SYS_msgsnd: return sys_msgsnd(task, id, pointer<const void>(b), size, static_cast<int>(d));
    case SYS_msgrcv: return sys_msgrcv(task, id, pointer<void>(b), size, d, static_cast<int>(e));
    case SYS_msgctl: return sys_msgctl(task, id, static_cast<int>(b), pointer<void>(c));
    case SYS_shmget: return sys_shmget(task, id, static_cast<std::size_t>(b), static_cast<int>(c));
    case SYS_shmctl: return sys_shmctl(task, id, static_cast<int>(b), pointer<void>(c));
    default: return -ENOSYS;
  }
}

// --------------------------------------------------------------------------- POSIX queues

long notify(int fd, const void* from) {
  if (from == nullptr) return notify_mqueue(fd, nullptr);
  struct sigevent event;
  if (copy_from_user(&event, from, sizeof event) != 0) return -EFAULT;
  return notify_mqueue(fd, &event);
}

// -ENOSYS: the number is none of theirs.
long call_mqueue(long number, long a, long b, long c, long d, long e) {
  const int fd = static_cast<int>(a);
  const auto size = static_cast<std::size_t>(c);
  switch (number) {
    case SYS_mq_open:
      return open_mqueue(pointer<const char>(a), static_cast<int>(b), static_cast<u32>(c),
                         pointer<const struct mq_attr>(d), true);
    case SYS_mq_unlink: return unlink_mqueue(pointer<const char>(a));
    case SYS_mq_timedsend:
      return send_mqueue(fd, pointer<const char>(b), size, static_cast<u32>(d),
                         pointer<const timespec>(e));
    case SYS_mq_timedreceive:
      return receive_mqueue(fd, pointer<char>(b), size, pointer<u32>(d),
                            pointer<const timespec>(e));
#if defined(SYS_mq_timedsend_time64)
    case SYS_mq_timedsend_time64:
      return send_mqueue(fd, pointer<const char>(b), size, static_cast<u32>(d),
                         UserTime::wide(pointer<const void>(e)));
    case SYS_mq_timedreceive_time64:
      return receive_mqueue(fd, pointer<char>(b), size, pointer<u32>(d),
                            UserTime::wide(pointer<const void>(e)));
#endif
    case SYS_mq_getsetattr:
      return get_set_mqueue(fd, pointer<const struct mq_attr>(b), pointer<struct mq_attr>(c));
    case SYS_mq_notify: return notify(fd, pointer<const void>(b));
    default: return -ENOSYS;
  }
}

bool is_mqueue(long number) {
  static_assert(SYS_mq_open + 5 == SYS_mq_getsetattr);
#if defined(SYS_mq_timedsend_time64)
  if (number == SYS_mq_timedsend_time64 || number == SYS_mq_timedreceive_time64) return true;
#endif
  return number >= SYS_mq_open && number <= SYS_mq_getsetattr;
}

// --------------------------------------------------------------------------- descriptors

bool is_about_file(long number) {
  return number == SYS_read || number == SYS_write || number == SYS_lseek;
}

// Of queues and sysctls by libc's functions, of all else by the kernel: the number is no
// cancellation point.
long call_file(long number, long a, long b, long c) {
  const int fd = static_cast<int>(a);
  const auto size = static_cast<std::size_t>(c);
  if (known_file(fd) == nullptr) return sys::call(number, a, b, c);
  switch (number) {
    case SYS_read: return from_libc(read(fd, pointer<void>(b), size));
    case SYS_write: return from_libc(write(fd, pointer<const void>(b), size));
    default: return from_libc(static_cast<long>(lseek64(fd, b, static_cast<int>(c))));
  }
}

// What libc's functions of the same names do.
long call_libc(long number, long a, long b, long c, long d, long e) {
  switch (number) {
    case SYS_unshare: return unshare(static_cast<int>(a));
    case SYS_setns: return setns(static_cast<int>(a), static_cast<int>(b));
    case SYS_execve:
      return execve(pointer<char>(a), pointer<char* const>(b), pointer<char* const>(c));
    case SYS_execveat:
      return execveat(static_cast<int>(a), pointer<char>(b), pointer<char* const>(c),
                      pointer<char* const>(d), static_cast<int>(e));
    case SYS_rt_sigaction:
      return to_libc(
          action_by_number(static_cast<int>(a), pointer<const void>(b), pointer<void>(c), d));
    case SYS_rt_sigprocmask:
      return to_libc(
          mask_by_number(static_cast<int>(a), pointer<const void>(b), pointer<void>(c), d));
#if defined(SYS_fork)
    case SYS_fork:
#endif
    case SYS_clone: return fork_by_number(number, a, b, c, d, e);
    case SYS_clone3: return clone3_by_number(pointer<const void>(a), static_cast<u64>(b));
    case SYS_close: return close(static_cast<int>(a));
#if defined(SYS_dup2)
    case SYS_dup2: return dup2(static_cast<int>(a), static_cast<int>(b));
#endif
    case SYS_dup3: return dup3(static_cast<int>(a), static_cast<int>(b), static_cast<int>(c));
    default:
      return close_range(static_cast<unsigned>(a), static_cast<unsigned>(b), static_cast<int>(c));
  }
}

bool has_libc_function(long number) {
  switch (number) {
    case SYS_unshare:
    case SYS_setns:
    case SYS_execve:
    case SYS_execveat:
    case SYS_rt_sigaction:
    case SYS_rt_sigprocmask:
#if defined(SYS_fork)
    case SYS_fork:
#endif
    case SYS_clone:
    case SYS_clone3:
    case SYS_close:
#if defined(SYS_dup2)
    case SYS_dup2:
#endif
    case SYS_dup3:
    case SYS_close_range: return true;
    default: return false;
  }
}

long change_credentials(long number, long a, long b, long c) {
  map_cell_early();
  const long result = sys::call(number, a, b, c);
  forget_credentials();
  return result;
}

}  // namespace

long call_by_number(long number, long a, long b, long c, long d, long e, [[maybe_unused]] long f) {
  if (!is_in(kIpcNumbers, number)) return -ENOSYS;
#if defined(SYS_ipc)
  if (number == SYS_ipc) {
    return call_ipc(static_cast<unsigned>(a), static_cast<int>(b), c, static_cast<unsigned long>(d),
                    pointer<void>(e), f);
  }
#endif
  if (number == SYS_shmat) {
    return from_libc(reinterpret_cast<long>(
        attach_segment(static_cast<int>(a), pointer<const void>(b), static_cast<int>(c))));
  }
  if (number == SYS_shmdt) return detach_segment(pointer<const void>(a));
  if (is_mqueue(number)) return call_mqueue(number, a, b, c, d, e);
  return with_task_raw([&](Task& task) { return call_sysv(task, number, a, b, c, d, e); });
}

}  // namespace ipcell

const IpcellNumbers ipcell_our_numbers = ipcell::make_our_numbers();

long ipcell_our_syscall(long number, long a, long b, long c, long d, long e, long f) {
  using namespace ipcell;
  IPCELL_NOTE_CALLER();
  if (has_libc_function(number)) return call_libc(number, a, b, c, d, e);
  if (is_in(kIpcNumbers, number)) return to_libc(call_by_number(number, a, b, c, d, e, f));
  if (is_about_file(number)) return to_libc(call_file(number, a, b, c));
  if (is_in(kCredentialNumbers, number)) return to_libc(change_credentials(number, a, b, c));
  return to_libc(change_mappings(number, a, b, c, d, e, f));
}
