// The errors of the manual pages, and what the kernel's functions tell beside them.
#include "core/ipc/fault_outcomes.h"

#include <errno.h>

namespace ipcell {

namespace {

constexpr u32 kHeld = kNeedsObject;
constexpr u32 kRefusable = kNeedsObject | kNeedsNoOwnerCap;
constexpr u32 kOwned = kNeedsObject | kNeedsSetting | kNeedsNoAdminCap;

// Clauses that several share; those of Never end "cannot be made to fail with X: ...".
constexpr char kPointer[] = "whether a pointer is good is the program's own doing";
constexpr char kDescriptor[] =
    "what the descriptor is, and how it was opened, is the program's own doing";
constexpr char kLength[] = "the length is the program's own argument";
constexpr char kName[] = "the name's form is the program's own argument";
constexpr char kInterrupted[] = "a signal's handler ran while it slept";
constexpr char kGoneBefore[] = "it was removed before the call";
constexpr char kGone[] = "it was removed during the call";
constexpr char kMode[] = "its mode or owner was changed";
constexpr char kOwner[] = "its owner was changed";
constexpr char kMemory[] = "there was no memory";

constexpr FaultOutcome plain(FaultOp op, int error, u32 needs, const char* reason) {
  return {op, error, FaultWay::Plain, needs, FaultLimit::Msgmax, reason};
}
constexpr FaultOutcome by(FaultWay way, FaultOp op, int error, u32 needs, const char* reason) {
  return {op, error, way, needs, FaultLimit::Msgmax, reason};
}
constexpr FaultOutcome limited(FaultOp op, int error, FaultLimit limit, u32 needs,
                               const char* reason) {
  return {op, error, FaultWay::Limited, needs, limit, reason};
}
constexpr FaultOutcome never(FaultOp op, int error, const char* reason) {
  return {op, error, FaultWay::Never, 0, FaultLimit::Msgmax, reason};
}

using Op = FaultOp;
using Way = FaultWay;

// Those of one call stand together, and in them those of one error.
constexpr FaultOutcome kTable[] = {
    // Linux: ipc/util.c:ipcget_public(): ENOENT, EEXIST, what more_checks() says, EACCES.
    plain(Op::Msgget, EACCES, kRefusable | kNeedsAccess, kMode),
    plain(Op::Msgget, EEXIST, kNeedsExclusive, "another process made the queue first"),
    by(Way::Removed, Op::Msgget, ENOENT, kNeedsNoCreation, kGoneBefore),
    plain(Op::Msgget, ENOMEM, kNeedsCreation, kMemory),
    limited(Op::Msgget, ENOSPC, FaultLimit::Msgmni, kNeedsCreation, "there were msgmni queues"),

    // Linux: ipc/msg.c:do_msgsnd()
    plain(Op::Msgsnd, EACCES, kRefusable, kMode),
    plain(Op::Msgsnd, EAGAIN, kHeld | kNeedsNowait, "the queue was full, with IPC_NOWAIT"),
    never(Op::Msgsnd, EFAULT, kPointer),
    by(Way::Vanished, Op::Msgsnd, EIDRM, kHeld, kGone),
    by(Way::Asleep, Op::Msgsnd, EINTR, 0, kInterrupted),
    by(Way::Removed, Op::Msgsnd, EINVAL, kHeld, kGoneBefore),
    plain(Op::Msgsnd, ENOMEM, kHeld, kMemory),

    // Linux: ipc/msg.c:do_msgrcv()
    never(Op::Msgrcv, E2BIG, "it is the message that came which does not fit"),
    plain(Op::Msgrcv, EACCES, kRefusable, kMode),
    never(Op::Msgrcv, EAGAIN, "where there is no message its error is ENOMSG"),
    never(Op::Msgrcv, EFAULT, kPointer),
    by(Way::Vanished, Op::Msgrcv, EIDRM, kHeld, kGone),
    by(Way::Asleep, Op::Msgrcv, EINTR, 0, kInterrupted),
    by(Way::Removed, Op::Msgrcv, EINVAL, kHeld, kGoneBefore),
    never(Op::Msgrcv, ENOMEM, "it takes memory with MSG_COPY alone, and the page does not tell"),
    plain(Op::Msgrcv, ENOMSG, kHeld | kNeedsNowait, "there was no such message, with IPC_NOWAIT"),

    // Linux: ipc/msg.c:ksys_msgctl(): IPC_SET and IPC_RMID look the queue up under the registry's
    // lock, and never meet one on its way out.
    plain(Op::Msgctl, EACCES, kRefusable | kNeedsAccess, kMode),
    never(Op::Msgctl, EFAULT, kPointer),
    by(Way::Vanished, Op::Msgctl, EIDRM, kHeld | kNeedsNoSetting, kGone),
    by(Way::Removed, Op::Msgctl, EINVAL, kHeld, kGoneBefore),
    plain(Op::Msgctl, EPERM, kOwned, kOwner),

    // Linux: ipc/sem.c:ksys_semget(), newary()
    plain(Op::Semget, EACCES, kRefusable | kNeedsAccess, kMode),
    plain(Op::Semget, EEXIST, kNeedsExclusive, "another process made the set first"),
    limited(Op::Semget, EINVAL, FaultLimit::Semmsl, 0, "there were to be more than semmsl"),
    by(Way::Removed, Op::Semget, ENOENT, kNeedsNoCreation, kGoneBefore),
    plain(Op::Semget, ENOMEM, kNeedsCreation, kMemory),
    limited(Op::Semget, ENOSPC, FaultLimit::Semmni, kNeedsCreation, "there were semmni sets"),

    // Linux: ipc/sem.c:__do_semtimedop()
    limited(Op::Semop, E2BIG, FaultLimit::Semopm, kHeld, "there were more than semopm operations"),
    plain(Op::Semop, EACCES, kRefusable, kMode),
    plain(Op::Semop, EAGAIN, kHeld | kNeedsNowait,
          "the semaphore was not to be had, with IPC_NOWAIT"),
    never(Op::Semop, EFAULT, kPointer),
    never(Op::Semop, EFBIG, "the semaphore's number is the program's own argument"),
    by(Way::Vanished, Op::Semop, EIDRM, kHeld, kGone),
    by(Way::Asleep, Op::Semop, EINTR, 0, kInterrupted),
    by(Way::Removed, Op::Semop, EINVAL, kHeld, kGoneBefore),
    plain(Op::Semop, ENOMEM, kHeld | kNeedsAllocation, kMemory),
    never(Op::Semop, ERANGE, "the value has to be at its bound, and it is the programs' own"),

    limited(Op::Semtimedop, E2BIG, FaultLimit::Semopm, kHeld,
            "there were more than semopm operations"),
    plain(Op::Semtimedop, EACCES, kRefusable, kMode),
    plain(Op::Semtimedop, EAGAIN, kHeld | kNeedsNowait,
          "the semaphore was not to be had, with IPC_NOWAIT"),
    by(Way::Expired, Op::Semtimedop, EAGAIN, 0, "its time was over while it slept"),
    never(Op::Semtimedop, EFAULT, kPointer),
    never(Op::Semtimedop, EFBIG, "the semaphore's number is the program's own argument"),
    by(Way::Vanished, Op::Semtimedop, EIDRM, kHeld, kGone),
    by(Way::Asleep, Op::Semtimedop, EINTR, 0, kInterrupted),
    by(Way::Removed, Op::Semtimedop, EINVAL, kHeld, kGoneBefore),
    plain(Op::Semtimedop, ENOMEM, kHeld | kNeedsAllocation, kMemory),
    never(Op::Semtimedop, ERANGE, "the value has to be at its bound, and it is the programs' own"),
    never(Op::Semtimedop, ETIMEDOUT, "when its time is over its error is EAGAIN"),

    // Linux: ipc/sem.c:ksys_semctl(), semctl_main()
    plain(Op::Semctl, EACCES, kRefusable | kNeedsAccess, kMode),
    never(Op::Semctl, EFAULT, kPointer),
    by(Way::Vanished, Op::Semctl, EIDRM, kHeld | kNeedsNoSetting, kGone),
    by(Way::Removed, Op::Semctl, EINVAL, kHeld, kGoneBefore),
    plain(Op::Semctl, ENOMEM, kHeld | kNeedsAllocation, kMemory),
    plain(Op::Semctl, EPERM, kOwned, kOwner),
    never(Op::Semctl, ERANGE, "the value is the program's own argument"),

    // Linux: ipc/shm.c:newseg()
    plain(Op::Shmget, EACCES, kRefusable | kNeedsAccess, kMode),
    plain(Op::Shmget, EEXIST, kNeedsExclusive, "another process made the segment first"),
    limited(Op::Shmget, EINVAL, FaultLimit::Shmmax, kNeedsCreation, "it was larger than shmmax"),
    plain(Op::Shmget, ENFILE, kNeedsCreation, "the system had too many open files"),
    by(Way::Removed, Op::Shmget, ENOENT, kNeedsNoCreation, kGoneBefore),
    plain(Op::Shmget, ENOMEM, kNeedsCreation, kMemory),
    limited(Op::Shmget, ENOSPC, FaultLimit::Shmmni, kNeedsCreation, "there were shmmni segments"),
    never(Op::Shmget, EPERM, "it is SHM_HUGETLB's, and the caller's own rights decide"),

    // Linux: ipc/shm.c:do_shmat()
    plain(Op::Shmat, EACCES, kRefusable, kMode),
    by(Way::Vanished, Op::Shmat, EIDRM, kHeld | kNeedsUnattached, kGone),
    by(Way::Removed, Op::Shmat, EINVAL, kHeld | kNeedsUnattached, kGoneBefore),
    plain(Op::Shmat, ENOMEM, kHeld, kMemory),

    never(Op::Shmdt, EINVAL, "what is attached where is the program's own doing"),

    // Linux: ipc/shm.c:ksys_shmctl()
    plain(Op::Shmctl, EACCES, kRefusable | kNeedsAccess, kMode),
    never(Op::Shmctl, EFAULT, kPointer),
    by(Way::Vanished, Op::Shmctl, EIDRM, kHeld | kNeedsNoSetting | kNeedsUnattached, kGone),
    by(Way::Removed, Op::Shmctl, EINVAL, kHeld | kNeedsUnattached, kGoneBefore),
    never(Op::Shmctl, ENOMEM, "it is SHM_LOCK's, and RLIMIT_MEMLOCK decides"),
    never(Op::Shmctl, EOVERFLOW, "it is for user numbers that the structure has no room for"),
    plain(Op::Shmctl, EPERM, kOwned, kOwner),

    // Linux: ipc/mqueue.c:do_mq_open(): the descriptor is taken before the name is looked up.
    plain(Op::MqOpen, EACCES, kRefusable, kMode),
    plain(Op::MqOpen, EEXIST, kNeedsExclusive, "another process made the queue first"),
    never(Op::MqOpen, EFAULT, kPointer),
    never(Op::MqOpen, EINVAL, "name and attributes are the program's own arguments"),
    plain(Op::MqOpen, EMFILE, 0, "the process had too many open files"),
    never(Op::MqOpen, ENAMETOOLONG, kName),
    plain(Op::MqOpen, ENFILE, 0, "the system had too many open files"),
    by(Way::Removed, Op::MqOpen, ENOENT, kNeedsNoCreation, kGoneBefore),
    plain(Op::MqOpen, ENOMEM, 0, kMemory),
    limited(Op::MqOpen, ENOSPC, FaultLimit::QueuesMax, kNeedsCreation | kNeedsNoResourceCap,
            "there were queues_max queues"),

    never(Op::MqClose, EBADF, kDescriptor),

    // glibc makes the kernel's EPERM EACCES.
    plain(Op::MqUnlink, EACCES, kRefusable, "another user's queue had the name"),
    never(Op::MqUnlink, EFAULT, kPointer),
    never(Op::MqUnlink, EINVAL, kName),
    never(Op::MqUnlink, ENAMETOOLONG, kName),
    by(Way::Removed, Op::MqUnlink, ENOENT, kHeld, kGoneBefore),

    // Linux: ipc/mqueue.c:do_mq_timedsend()
    plain(Op::MqSend, EAGAIN, kHeld | kNeedsNowait, "the queue was full, with O_NONBLOCK"),
    never(Op::MqSend, EBADF, kDescriptor),
    never(Op::MqSend, EFAULT, kPointer),
    by(Way::Asleep, Op::MqSend, EINTR, 0, kInterrupted),
    never(Op::MqSend, EINVAL, "the priority is the program's own argument"),
    never(Op::MqSend, EMSGSIZE, kLength),
    plain(Op::MqSend, ENOMEM, kHeld, kMemory),
    never(Op::MqSend, ETIMEDOUT, "it has no deadline"),

    plain(Op::MqTimedsend, EAGAIN, kHeld | kNeedsNowait, "the queue was full, with O_NONBLOCK"),
    never(Op::MqTimedsend, EBADF, kDescriptor),
    never(Op::MqTimedsend, EFAULT, kPointer),
    by(Way::Asleep, Op::MqTimedsend, EINTR, 0, kInterrupted),
    never(Op::MqTimedsend, EINVAL, "priority and deadline are the program's own arguments"),
    never(Op::MqTimedsend, EMSGSIZE, kLength),
    plain(Op::MqTimedsend, ENOMEM, kHeld, kMemory),
    by(Way::Expired, Op::MqTimedsend, ETIMEDOUT, 0, "the deadline passed while it slept"),

    // Linux: ipc/mqueue.c:do_mq_timedreceive()
    plain(Op::MqReceive, EAGAIN, kHeld | kNeedsNowait, "the queue was empty, with O_NONBLOCK"),
    never(Op::MqReceive, EBADF, kDescriptor),
    never(Op::MqReceive, EFAULT, kPointer),
    by(Way::Asleep, Op::MqReceive, EINTR, 0, kInterrupted),
    never(Op::MqReceive, EINVAL, "it has no deadline that could be invalid"),
    never(Op::MqReceive, EMSGSIZE, kLength),
    never(Op::MqReceive, ETIMEDOUT, "it has no deadline"),

    plain(Op::MqTimedreceive, EAGAIN, kHeld | kNeedsNowait, "the queue was empty, with O_NONBLOCK"),
    never(Op::MqTimedreceive, EBADF, kDescriptor),
    never(Op::MqTimedreceive, EFAULT, kPointer),
    by(Way::Asleep, Op::MqTimedreceive, EINTR, 0, kInterrupted),
    never(Op::MqTimedreceive, EINVAL, "the deadline is the program's own argument"),
    never(Op::MqTimedreceive, EMSGSIZE, kLength),
    by(Way::Expired, Op::MqTimedreceive, ETIMEDOUT, 0, "the deadline passed while it slept"),

    // Linux: ipc/mqueue.c:do_mq_notify()
    never(Op::MqNotify, EBADF, kDescriptor),
    plain(Op::MqNotify, EBUSY, kHeld | kNeedsCreation, "another process was registered"),
    never(Op::MqNotify, EFAULT, kPointer),
    never(Op::MqNotify, EINVAL, "what is to be sent is the program's own argument"),
    plain(Op::MqNotify, ENOMEM, kHeld | kNeedsCreation, kMemory),

    never(Op::MqGetattr, EBADF, kDescriptor),

    never(Op::MqSetattr, EBADF, kDescriptor),
    never(Op::MqSetattr, EINVAL, "the flags are the program's own argument"),
};
constexpr u32 kRows = sizeof kTable / sizeof kTable[0];

// Of any call, on a kernel that was made without its family.
constexpr FaultOutcome kMissing = plain(Op::Msgget, ENOSYS, 0, "the kernel has no such calls");

}  // namespace

const FaultOutcome* find_fault_outcome(FaultOp op, int error) {
  if (error == ENOSYS) return &kMissing;
  for (const FaultOutcome& outcome : kTable) {
    if (outcome.op == op && outcome.error == error) return &outcome;
  }
  return nullptr;
}

const FaultOutcome* next_fault_outcome(const FaultOutcome* outcome) {
  if (outcome == &kMissing) return nullptr;
  const FaultOutcome* const next = outcome + 1;
  const bool is_same =
      next != kTable + kRows && next->op == outcome->op && next->error == outcome->error;
  return is_same ? next : nullptr;
}

FaultOutcomes fault_outcomes() { return {kTable, kRows}; }

}  // namespace ipcell
