// i386's ipc(2), with the structs that Linux 2.0 had as well as today's: which, IPC_64 in the
// command says.
//
// Linux: ipc/syscall.c:compat_ksys_ipc(), and the compat_ksys_old_...() in ipc/msg.c, sem.c, shm.c
#if defined(__i386__)

#include <linux/ipc.h>
#include <sys/syscall.h>

#include "core/base/usercopy.h"
#include "core/syscalls.h"
#include "interpose/by_number.h"
#include "interpose/calls.h"
#include "interpose/memory.h"
#include "interpose/old_structs.h"

namespace ipcell {

namespace {

constexpr int kIpc64 = 0x100;

// What MSGRCV of version 0 is given. Linux: struct compat_ipc_kludge
struct Kludge {
  void* message;
  long type;
};

long receive(u32 version, int id, long size, long flags, void* pointer, long type) {
  if (id < 0 || size < 0) return -EINVAL;
  Kludge kludge = {pointer, type};
  if (version == 0) {
    if (pointer == nullptr) return -EINVAL;
    if (copy_from_user(&kludge, pointer, sizeof kludge) != 0) return -EFAULT;
  }
  return with_task_raw([&](Task& task) {
    return sys_msgrcv(task, id, kludge.message, static_cast<std::size_t>(size), kludge.type,
                      static_cast<int>(flags));
  });
}

// The address goes to where `third` says.
long attach(u32 version, int id, const void* address, int flags, unsigned long third) {
  if (version == 1) return -EINVAL;
  void* const attached = attach_segment(id, address, flags);
  if (attached == reinterpret_cast<void*>(-1)) return -errno;
  return copy_to_user(reinterpret_cast<void*>(third), &attached, sizeof attached) != 0 ? -EFAULT
                                                                                       : 0;
}

long control_set(Task& task, int id, int num, int command, const void* pointer) {
  unsigned long argument = 0;
  if (pointer == nullptr) return -EINVAL;
  if (copy_from_user(&argument, pointer, sizeof argument) != 0) return -EFAULT;
  if ((command & kIpc64) != 0) return sys_semctl(task, id, num, command & ~kIpc64, argument);
  return old_semctl(task, id, num, command, argument);
}

long control_queue(Task& task, int id, int command, void* pointer) {
  if ((command & kIpc64) != 0) return sys_msgctl(task, id, command & ~kIpc64, pointer);
  return old_msgctl(task, id, command, pointer);
}

long control_segment(Task& task, int id, int command, void* pointer) {
  if ((command & kIpc64) != 0) return sys_shmctl(task, id, command & ~kIpc64, pointer);
  return old_shmctl(task, id, command, pointer);
}

}  // namespace

long call_ipc(unsigned call, int first, long second, unsigned long third, void* pointer,
              long fifth) {
  const u32 version = call >> 16;
  const int number = static_cast<int>(second), flags = static_cast<int>(third);
  switch (call & 0xffff) {
    case MSGRCV: return receive(version, first, second, flags, pointer, fifth);
    case SHMAT: return attach(version, first, pointer, number, third);
    case SHMDT: return detach_segment(pointer);
    default: break;
  }
  return with_task_raw([&](Task& task) -> long {
    const auto* const ops = static_cast<const struct sembuf*>(pointer);
    const auto size = static_cast<std::size_t>(second);
    switch (call & 0xffff) {
      case SEMOP: return sys_semtimedop(task, first, ops, size, nullptr);
      case SEMTIMEDOP:
        return sys_semtimedop(task, first, ops, size, reinterpret_cast<const timespec*>(fifth));
      case SEMGET: return sys_semget(task, first, number, flags);
      case SEMCTL: return control_set(task, first, number, flags, pointer);
      case MSGSND: return sys_msgsnd(task, first, pointer, size, flags);
      case MSGGET: return sys_msgget(task, first, number);
      case MSGCTL: return control_queue(task, first, number, pointer);
      case SHMGET: return sys_shmget(task, first, size, flags);
      case SHMCTL: return control_segment(task, first, number, pointer);
      default: return -ENOSYS;
    }
  });
}

}  // namespace ipcell

#endif
