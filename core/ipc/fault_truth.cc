// How an outcome is made true. What is not of the call's own doing is as another process would have
// done it: a queue that was full for an instant, a limit that was lowered and raised again, an
// IPC_RMID. DIVERGES: such an instant leaves no trace in lspid, sempid and times.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/ipc/fault_call.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/shm.h"

namespace ipcell {

namespace {

// Linux: ipc/sem.c:SEMOPM_FAST, how many operations need no allocation.
constexpr i64 kFastOps = 64;

// For what another process does, one that may do all.
class Privileged {
 public:
  explicit Privileged(Task& task) : critical_(task), task_(task), before_(task.cred) {
    root_ = *before_;
    root_.euid = 0;
    root_.capabilities = ~0ull;
    task.cred = &root_;
    // The wait that the call may be in goes on.
    frame_ = task.wait_frame;
    task.wait_frame = nullptr;
    // No rule is about what is done for one. None of these calls sleeps.
    watch_ = task.watch;
    if (watch_ == nullptr) task.watch = &no_watch_;
  }
  ~Privileged() {
    task_.watch = watch_;
    task_.wait_frame = frame_;
    task_.cred = before_;
  }
  Privileged(const Privileged&) = delete;
  Privileged& operator=(const Privileged&) = delete;

 private:
  const Critical critical_;
  Task& task_;
  const Cred* before_;
  WaitFrame* frame_;
  CallWatch* watch_;
  CallWatch no_watch_ = {};
  Cred root_;
};

// Linux: ipc/util.c:ipcperms() is asked.
bool asks_for_access(const FaultArgs& args) {
  if (is_get(args.op)) return (args.flags & kModeBits) != 0;
  const i32 command = args.command;
  if (command == IPC_STAT) return true;
  // The numbers of the families' own commands overlap.
  if (args.op == FaultOp::Msgctl) return command == MSG_STAT;
  if (args.op == FaultOp::Shmctl) return command == SHM_STAT;
  return args.op == FaultOp::Semctl && command >= GETPID && command <= SEM_STAT;
}

bool is_exclusive(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  const u32 both = args.op == FaultOp::MqOpen ? static_cast<u32>(O_CREAT | O_EXCL)
                                              : static_cast<u32>(IPC_CREAT | IPC_EXCL);
  return (args.flags & both) == both && args.key != 0 && has_good_name(facts);
}

// What the call itself would ask of the object's mode.
u32 wanted_access(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  switch (args.op) {
    case FaultOp::Msgsnd: return kWriteForAll;
    case FaultOp::Msgrcv: return kReadForAll;
    case FaultOp::Shmat:
      return (args.flags & SHM_RDONLY) != 0 ? kReadForAll : kReadForAll | kWriteForAll;
    case FaultOp::Semop:
    case FaultOp::Semtimedop: {
      bool alters = false;
      facts.for_each_op([&](u16, std::int16_t op, u32) { alters |= op != 0; });
      return alters ? kWriteForAll : kReadForAll;
    }
    case FaultOp::Msgctl:
    case FaultOp::Semctl:
    case FaultOp::Shmctl:
      if (!asks_for_access(args)) return 0;
      return args.command == SETVAL || args.command == SETALL ? kWriteForAll : kReadForAll;
    default: return 0;
  }
}

// The object is there, and the call would get as far as it: nothing is wrong with its arguments.
bool is_usable(FaultFacts& facts) {
  if (!facts.has_object() || !has_good_arguments(facts)) return false;
  const FaultArgs& args = facts.args();
  const Cell& cell = *facts.task().cell;
  if (is_mqueue(args.op)) {
    const MqueueRec* queue = mqueue_at(cell, facts.object_offset());
    const bool sends = args.op == FaultOp::MqSend || args.op == FaultOp::MqTimedsend;
    const bool receives = args.op == FaultOp::MqReceive || args.op == FaultOp::MqTimedreceive;
    if (queue == nullptr) return false;
    if (sends)
      return args.size <= queue->max_size && args.priority < kMqPriorities &&
             args.queue->access != O_RDONLY;
    return !receives || (args.size >= queue->max_size && args.queue->access != O_WRONLY);
  }
  if (is_get(args.op) && is_exclusive(facts)) return false;
  const ObjectHead* head = cell.at<ObjectHead>(facts.object_offset());
  const u32 access = wanted_access(facts);
  return head != nullptr && (access == 0 || is_permitted(*facts.task().cred, head->perm, access));
}

bool would_create(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  if (args.op == FaultOp::MqNotify) return args.number != 0;
  if (!has_good_arguments(facts)) return false;
  if (args.op == FaultOp::MqOpen) return (args.flags & O_CREAT) != 0 && !facts.has_object();
  if (args.key == 0) return true;
  return (args.flags & IPC_CREAT) != 0 && !facts.has_object();
}

bool creates(FaultFacts& facts) {
  const u32 bit =
      facts.args().op == FaultOp::MqOpen ? static_cast<u32>(O_CREAT) : static_cast<u32>(IPC_CREAT);
  return (facts.args().flags & bit) != 0 || facts.args().key == 0;
}

bool allocates(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  if (args.op == FaultOp::Semctl) return args.command == GETALL || args.command == SETALL;
  return args.number > kFastOps || (facts.flags() & SEM_UNDO) != 0;
}

bool changes_owner(const FaultArgs& args) {
  return args.command == IPC_SET || args.command == IPC_RMID;
}

// It would not sleep, but fail.
bool gives_up(FaultFacts& facts) {
  if (facts.args().ops == nullptr) return (facts.flags() & IPC_NOWAIT) != 0;
  bool has_such = false;
  facts.for_each_op(
      [&](u16, std::int16_t op, u32 flags) { has_such |= op <= 0 && (flags & IPC_NOWAIT) != 0; });
  return has_such;
}

bool is_privileged(FaultFacts& facts) {
  int capability = kCapIpcOwner;
  if (facts.args().op == FaultOp::MqOpen) capability = kCapDacOverride;
  if (facts.args().op == FaultOp::MqUnlink) capability = kCapFowner;
  return facts.task().cred->has_capability(capability);
}

bool is_attached(FaultFacts& facts) {
  const Cell& cell = *facts.task().cell;
  const u64 offset = facts.object_offset();
  return class_of_block(cell, offset) == BlockClass::Segment &&
         cell.at<SegmentRec>(offset)->nattch != 0;
}

// One of semop's operations is of the kind that may have to wait.
bool may_wait(FaultFacts& facts) {
  bool has_waiting = false;
  facts.for_each_op([&](u16, std::int16_t op, u32) { has_waiting |= op <= 0; });
  return has_waiting;
}

}  // namespace

bool holds(FaultFacts& facts, u32 needs) {
  const Cred& cred = *facts.task().cred;
  const auto fails = [needs](u32 need, bool is_met) { return (needs & need) != 0 && !is_met; };
  return !(fails(kNeedsNoOwnerCap, !is_privileged(facts)) ||
           fails(kNeedsNoAdminCap, !cred.has_capability(kCapSysAdmin)) ||
           fails(kNeedsNoResourceCap, !cred.has_capability(kCapSysResource)) ||
           fails(kNeedsSetting, changes_owner(facts.args())) ||
           fails(kNeedsAllocation, allocates(facts)) ||
           fails(kNeedsNoSetting, !changes_owner(facts.args())) ||
           fails(kNeedsAccess, asks_for_access(facts.args())) ||
           fails(kNeedsNowait, gives_up(facts)) || fails(kNeedsUnattached, !is_attached(facts)) ||
           fails(kNeedsObject, is_usable(facts)) || fails(kNeedsCreation, would_create(facts)) ||
           fails(kNeedsExclusive, is_exclusive(facts)) || fails(kNeedsNoCreation, !creates(facts)));
}
static_assert(IPC_NOWAIT == O_NONBLOCK);

bool remove_named_object(FaultFacts& facts) {
  if (!facts.has_object()) return false;
  Task& task = facts.task();
  const Privileged privileged(task);
  if (is_mqueue(facts.args().op)) {
    // One that has lost its name is removed already: another may have the name by now.
    const MqueueRec* queue = mqueue_at(*task.cell, facts.object_offset());
    if (queue == nullptr || queue->is_linked == 0) return false;
    const char* name = facts.name();
    return *name != '\0' && sys_mq_unlink(task, name + 1) == 0;
  }
  const i32 id = facts.object_id();
  switch (facts.args().op) {
    case FaultOp::Msgget:
    case FaultOp::Msgsnd:
    case FaultOp::Msgrcv:
    case FaultOp::Msgctl: return sys_msgctl(task, id, IPC_RMID, nullptr) == 0;
    case FaultOp::Shmget:
    case FaultOp::Shmat:
    case FaultOp::Shmctl: return sys_shmctl(task, id, IPC_RMID, nullptr) == 0;
    case FaultOp::Shmdt: return false;
    default: return sys_semctl(task, id, 0, IPC_RMID, 0) == 0;
  }
}

int pretend_full(FaultFacts& facts) {
  if (!is_usable(facts)) return 1;
  const bool sleeps = !gives_up(facts);
  switch (facts.args().op) {
    case FaultOp::Msgrcv: return sleeps ? 0 : -ENOMSG;
    case FaultOp::Semop:
    case FaultOp::Semtimedop:
      if (!may_wait(facts)) return 1;
      return sleeps ? 0 : -EAGAIN;
    case FaultOp::Msgsnd:
    case FaultOp::MqSend:
    case FaultOp::MqTimedsend:
    case FaultOp::MqReceive:
    case FaultOp::MqTimedreceive: return sleeps ? 0 : -EAGAIN;
    default: return 1;
  }
}

// --------------------------------------------------------------------------- limits

namespace {

struct LimitPlace {
  u32* narrow = nullptr;
  u64* wide = nullptr;
  i64 max = 0x7fffffff;
};

LimitPlace place_of(const Cell& cell, FaultLimit limit) {
  Limits& limits = cell.header().limits;
  constexpr i64 kWide = 0x7fffffffffffffff;
  switch (limit) {
    case FaultLimit::Msgmax: return {&limits.msgmax};
    case FaultLimit::Msgmnb: return {&limits.msgmnb};
    case FaultLimit::Msgmni: return {&limits.msgmni, nullptr, kMaxIds};
    case FaultLimit::Semmsl: return {&limits.semmsl};
    case FaultLimit::Semmns: return {&limits.semmns};
    case FaultLimit::Semopm: return {&limits.semopm};
    case FaultLimit::Semmni: return {&limits.semmni, nullptr, kMaxIds};
    case FaultLimit::Shmmax: return {nullptr, &limits.shmmax, kWide};
    case FaultLimit::Shmall: return {nullptr, &limits.shmall, kWide};
    case FaultLimit::Shmmni: return {&limits.shmmni, nullptr, kMaxIds};
    case FaultLimit::QueuesMax: return {&limits.mq_queues_max};
    case FaultLimit::MsgMax: return {&limits.mq_msg_max, nullptr, kHardMsgMax};
    case FaultLimit::MsgsizeMax: return {&limits.mq_msgsize_max, nullptr, kHardMsgSizeMax};
  }
  return {};
}

}  // namespace

void set_fault_limit(Task& task, FaultLimit limit, i64 value) {
  const LimitPlace place = place_of(*task.cell, limit);
  if (value < 0) value = 0;
  if (value > place.max) value = place.max;
  if (place.narrow != nullptr) store_relaxed(*place.narrow, static_cast<u32>(value));
  if (place.wide != nullptr) store_relaxed(*place.wide, static_cast<u64>(value));
}

// What limit_of() is asked about.
const void* limit_place(const Cell& cell, FaultLimit limit) {
  const LimitPlace place = place_of(cell, limit);
  return place.narrow != nullptr ? static_cast<const void*>(place.narrow) : place.wide;
}

}  // namespace ipcell
