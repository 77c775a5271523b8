// The calls themselves. What the program points to is copied here and back, so that the core meets
// the same faults at the same place.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/audit.h>
#include <mqueue.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/trap/served.h"

namespace ipcell::cli {

namespace {

#if defined(__x86_64__)
constexpr u32 kOwnArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr u32 kOwnArchitecture = AUDIT_ARCH_AARCH64;
#endif

// No message is larger.
constexpr std::size_t kLargestText = 1u << 30;
// semop(2) knows more operations to be too many before it looks at them.
constexpr std::size_t kMostOperations = 1 << 16;
// A set has fewer semaphores.
constexpr std::size_t kMostSemaphores = 1 << 16;
constexpr std::size_t kLongestPath = 4096;

int number(u64 argument) { return static_cast<int>(argument); }

// The bit that says which of old structs a 32-bit program has.
int command_of(u64 argument) { return number(argument) & ~0x100; }

std::size_t at_most(u64 size, std::size_t limit) {
  return static_cast<std::size_t>(std::min<u64>(size, limit));
}

// What a *ctl(2) command takes or gives.
struct Exchange {
  std::size_t size = 0;
  bool takes = false, gives = false;
};

Exchange msgctl_exchange(int command) {
  switch (command) {
    case IPC_SET: return {sizeof(msqid_ds), true, false};
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: return {sizeof(msqid_ds), false, true};
    case IPC_INFO:
    case MSG_INFO: return {sizeof(msginfo), false, true};
    default: return {};
  }
}

Exchange semctl_exchange(int command) {
  switch (command) {
    case IPC_SET: return {sizeof(semid_ds), true, false};
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY: return {sizeof(semid_ds), false, true};
    case IPC_INFO:
    case SEM_INFO: return {sizeof(seminfo), false, true};
    case SETALL: return {kMostSemaphores * sizeof(u16), true, false};
    default: return {};
  }
}

Exchange shmctl_exchange(int command) {
  switch (command) {
    case IPC_SET: return {sizeof(shmid_ds), true, false};
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY: return {sizeof(shmid_ds), false, true};
    case IPC_INFO: return {sizeof(shminfo), false, true};
    case SHM_INFO: return {sizeof(shm_info), false, true};
    default: return {};
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

}  // namespace

long ServedThread::call_core(const seccomp_notif& call) {
  // DIVERGES: 32-bit programs without the library, see docs/compatibility.md.
  if (call.data.arch != kOwnArchitecture) return -ENOSYS;
  switch (call.data.nr) {
    case SYS_msgget:
    case SYS_msgsnd:
    case SYS_msgrcv:
    case SYS_msgctl: return call_msg(call.data);
    case SYS_semget:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_semctl: return call_sem(call.data);
    case SYS_shmget:
    case SYS_shmctl: return call_shm(call.data);
    case SYS_mq_open:
    case SYS_mq_unlink:
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
    case SYS_mq_notify:
    case SYS_mq_getsetattr: return call_mqueue(call);
    // DIVERGES: nobody but the program itself can map memory into it, see docs/compatibility.md.
    default: return -ENOSYS;
  }
}

// Runs `core(buffer)` for a command whose argument, at `address` of the program, is exchanged.
template <class Core>
static long exchange(Mirror& mirror, pid_t pid, u64 address, const Exchange& what,
                     const Core& core) {
  if (what.size == 0) return core(reinterpret_cast<void*>(address));
  void* const buffer = what.takes ? mirror.read(pid, address, what.size) : mirror.make(what.size);
  if (buffer == nullptr) return -ENOMEM;
  const long result = core(buffer);
  if (result >= 0 && what.gives && !mirror.write_back(pid, address, what.size)) return -EFAULT;
  return result;
}

long ServedThread::call_msg(const seccomp_data& call) {
  const auto& a = call.args;
  const pid_t pid = tid_;
  switch (call.nr) {
    case SYS_msgget: return sys_msgget(task_, number(a[0]), number(a[1]));
    case SYS_msgsnd: {
      const void* const message =
          first_.read(pid, a[1], sizeof(long) + at_most(a[2], kLargestText));
      if (message == nullptr) return -ENOMEM;
      return sys_msgsnd(task_, number(a[0]), message, a[2], number(a[3]));
    }
    case SYS_msgrcv: {
      const bool is_size = static_cast<i64>(a[2]) >= 0;
      const std::size_t size = at_most(a[2], kLargestText);
      // With MSG_COPY the kernel reads the program's buffer first.
      const bool is_read = (a[4] & MSG_COPY) != 0;
      void* const message =
          is_read ? first_.read(pid, a[1], sizeof(long) + size) : first_.make(sizeof(long) + size);
      if (message == nullptr) return -ENOMEM;
      const long result = sys_msgrcv(task_, number(a[0]), message, is_size ? size : a[2],
                                     static_cast<long>(a[3]), number(a[4]));
      if (result < 0) return result;
      const std::size_t length = sizeof(long) + static_cast<std::size_t>(result);
      return first_.write_back(pid, a[1], length) ? result : -EFAULT;
    }
    default:
      return exchange(first_, pid, a[2], msgctl_exchange(command_of(a[1])), [&](void* buffer) {
        return sys_msgctl(task_, number(a[0]), number(a[1]), buffer);
      });
  }
}

long ServedThread::call_sem(const seccomp_data& call) {
  const auto& a = call.args;
  const pid_t pid = tid_;
  if (call.nr == SYS_semget) return sys_semget(task_, number(a[0]), number(a[1]), number(a[2]));
  if (call.nr == SYS_semctl) {
    Exchange what = semctl_exchange(command_of(a[2]));
    if (command_of(a[2]) == GETALL) {
      // As many as the set has: if it can't be asked, GETALL fails for the same reason.
      semid_ds set = {};
      sys_semctl(task_, number(a[0]), 0, IPC_STAT, reinterpret_cast<unsigned long>(&set));
      what = {std::max<std::size_t>(set.sem_nsems, 1) * sizeof(u16), false, true};
    }
    return exchange(first_, pid, a[3], what, [&](void* buffer) {
      return sys_semctl(task_, number(a[0]), number(a[1]), number(a[2]),
                        reinterpret_cast<unsigned long>(buffer));
    });
  }
  const std::size_t count = static_cast<std::size_t>(a[2]);
  void* const operations = first_.read(pid, a[1], at_most(a[2], kMostOperations) * sizeof(sembuf));
  const bool has_timeout = call.nr == SYS_semtimedop && a[3] != 0;
  const void* const timeout = has_timeout ? second_.read(pid, a[3], sizeof(timespec)) : nullptr;
  if (operations == nullptr || (has_timeout && timeout == nullptr)) return -ENOMEM;
  return sys_semtimedop(task_, number(a[0]), static_cast<const sembuf*>(operations), count,
                        static_cast<const timespec*>(timeout));
}

long ServedThread::call_shm(const seccomp_data& call) {
  const auto& a = call.args;
  if (call.nr == SYS_shmget)
    return sys_shmget(task_, number(a[0]), static_cast<std::size_t>(a[1]), number(a[2]));
  return exchange(
      first_, process_->pid, a[2], shmctl_exchange(command_of(a[1])),
      [&](void* buffer) { return sys_shmctl(task_, number(a[0]), number(a[1]), buffer); });
}

// ------------------------------------------------------------------------ POSIX message queues

// `core(queue)` with a copy of the program's descriptor.
template <class Core>
long ServedThread::with_queue(const seccomp_data& call, const Core& core) {
  const Descriptor copy(process_->copy_descriptor(number(call.args[0])));
  MqueueDescriptor queue = {};
  // It is asked all the same for what is no queue's: others of its arguments may be wrong first.
  if (copy.get() >= 0) sys_mq_find(task_, copy.get(), &queue);
  return core(queue);
}

// The descriptor is put into the program, which goes on with its number.
long ServedThread::open_mqueue(const seccomp_notif& call) {
  const auto& a = call.data.args;
  const pid_t pid = tid_;
  const void* const name = first_.read(pid, a[0], kLongestPath);
  const bool has_attributes = a[3] != 0;
  const void* const attributes =
      has_attributes ? second_.read(pid, a[3], sizeof(mq_attr)) : nullptr;
  if (name == nullptr || (has_attributes && attributes == nullptr)) return -ENOMEM;
  // Nor that it has closed another.
  sys_mq_sweep(task_);
  umask(status_.umask);
  MqueueDescriptor opened;
  const Descriptor made(static_cast<int>(sys_mq_open(
      task_,
      {static_cast<const char*>(name), number(a[1]), static_cast<u32>(a[2]),
       static_cast<const mq_attr*>(attributes), status_.real_uid, mqueue_limit_of(pid), true},
      &opened)));
  if (made.get() < 0) return made.get();
  // Nobody will tell when the program polls it.
  sys_mq_watch(task_, opened, MqueueWatch::Epoll);
  seccomp_notif_addfd handed = {};
  handed.id = call.id;
  handed.flags = SECCOMP_ADDFD_FLAG_SEND;
  handed.srcfd = static_cast<u32>(made.get());
  handed.newfd_flags = O_CLOEXEC;
  if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_ADDFD, &handed) < 0) return -errno;
  has_replied_ = true;
  return 0;
}

long ServedThread::call_mqueue(const seccomp_notif& call) {
  const auto& a = call.data.args;
  const pid_t pid = tid_;
  const bool has_deadline =
      (call.data.nr == SYS_mq_timedsend || call.data.nr == SYS_mq_timedreceive) && a[4] != 0;
  const void* const deadline = has_deadline ? second_.read(pid, a[4], sizeof(timespec)) : nullptr;
  if (has_deadline && deadline == nullptr) return -ENOMEM;
  const auto* const until = static_cast<const timespec*>(deadline);
  switch (call.data.nr) {
    case SYS_mq_open: return open_mqueue(call);
    case SYS_mq_unlink: {
      const void* const name = first_.read(pid, a[0], kLongestPath);
      return name != nullptr ? sys_mq_unlink(task_, static_cast<const char*>(name)) : -ENOMEM;
    }
    case SYS_mq_timedsend: {
      const void* const text = first_.read(pid, a[1], at_most(a[2], kLargestText));
      if (text == nullptr) return -ENOMEM;
      return with_queue(call.data, [&](const MqueueDescriptor& queue) {
        return sys_mq_timedsend(task_, queue, static_cast<const char*>(text), a[2],
                                static_cast<u32>(a[3]), until);
      });
    }
    case SYS_mq_timedreceive: {
      void* const text = first_.make(at_most(a[2], kLargestText));
      if (text == nullptr) return -ENOMEM;
      u32 priority = 0;
      const long result = with_queue(call.data, [&](const MqueueDescriptor& queue) {
        return sys_mq_timedreceive(task_, queue, static_cast<char*>(text), a[2], &priority, until);
      });
      if (result < 0) return result;
      if (a[3] != 0 && !write_memory(pid, a[3], &priority, sizeof priority)) return -EFAULT;
      return first_.write_back(pid, a[1], static_cast<std::size_t>(result)) ? result : -EFAULT;
    }
    case SYS_mq_notify: {
      sigevent event = {};
      if (a[1] != 0 && read_memory(pid, a[1], &event, sizeof event) != sizeof event) return -EFAULT;
      return with_queue(call.data, [&](const MqueueDescriptor& queue) {
        return sys_mq_notify(task_, queue, a[1] != 0 ? &event : nullptr);
      });
    }
    default: {
      mq_attr wanted = {}, old = {};
      if (a[1] != 0 && read_memory(pid, a[1], &wanted, sizeof wanted) != sizeof wanted)
        return -EFAULT;
      const long result = with_queue(call.data, [&](const MqueueDescriptor& queue) {
        return sys_mq_getsetattr(task_, queue, a[1] != 0 ? &wanted : nullptr, &old);
      });
      if (result == 0 && a[2] != 0 && !write_memory(pid, a[2], &old, sizeof old)) return -EFAULT;
      return result;
    }
  }
}

}  // namespace ipcell::cli
