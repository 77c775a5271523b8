// What is wrong with a call by its own arguments. An outcome that a rule asks for comes later in
// the kernel's functions, so that such a call never gets there.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/ipc/fault_call.h"
#include "core/ipc/limits.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/shm.h"

namespace ipcell {

namespace {

// A byte of each page is read.
bool is_readable(const void* from, u64 size) {
  const auto start = reinterpret_cast<std::uintptr_t>(from);
  for (u64 at = 0; at < size; at += kPage - (start + at) % kPage) {
    u8 byte;
    if (copy_from_user(&byte, static_cast<const u8*>(from) + at, 1) != 0) return false;
  }
  return true;
}

// Linux: include/linux/time64.h:timespec64_valid()
bool has_good_timeout(const FaultArgs& args) {
  if (args.timeout == nullptr || !*args.timeout) return true;
  KernelTimespec time;
  constexpr i64 kSecond = 1'000'000'000;
  return args.timeout->read(&time) == 0 && time.seconds >= 0 && time.nanoseconds >= 0 &&
         time.nanoseconds < kSecond;
}

// --------------------------------------------------------------------------- objects by key

// Linux: ipc/sem.c:ksys_semget()
bool has_good_count(FaultFacts& facts) {
  const i64 semmsl = static_cast<i32>(load_relaxed(facts.task().cell->header().limits.semmsl));
  return facts.args().number >= 0 && facts.args().number <= semmsl;
}

// Linux: ipc/sem.c:newary(), sem_more_checks()
bool is_good_semget(FaultFacts& facts) {
  if (!has_good_count(facts)) return false;
  if (!facts.has_object()) return facts.args().number > 0;
  const Cell& cell = *facts.task().cell;
  return class_of_block(cell, facts.object_offset()) == BlockClass::SemSet &&
         facts.args().number <= static_cast<i64>(cell.at<SemSetRec>(facts.object_offset())->nsems);
}

// Linux: ipc/shm.c:newseg(), shm_more_checks()
bool is_good_shmget(FaultFacts& facts) {
  const Cell& cell = *facts.task().cell;
  const FaultArgs& args = facts.args();
  if (facts.has_object()) {
    return class_of_block(cell, facts.object_offset()) == BlockClass::Segment &&
           args.size <= cell.at<SegmentRec>(facts.object_offset())->size;
  }
  return args.size >= SHMMIN && args.size <= load_relaxed(cell.header().limits.shmmax) &&
         static_cast<i64>(args.size) > 0 && (args.flags & SHM_HUGETLB) == 0;
}

// Linux: fs/namei.c:lookup_one_len()
bool is_good_queue_name(FaultFacts& facts) {
  const char* const name = facts.name();
  if (*name == '\0') return false;
  const char* const bare = name + 1;
  std::size_t length = 0;
  for (; bare[length] != '\0'; ++length) {
    if (bare[length] == '/') return false;
  }
  const bool is_dots = bare[0] == '.' && (length == 1 || (length == 2 && bare[1] == '.'));
  return length <= kMqNameMax && !is_dots;
}

// Linux: ipc/mqueue.c:prepare_open()
bool is_good_mq_open(FaultFacts& facts) {
  return is_good_queue_name(facts) && (facts.args().flags & O_ACCMODE) != O_ACCMODE;
}

// --------------------------------------------------------------------------- objects by id

// Linux: ipc/msg.c:do_msgsnd(), load_msg()
bool is_good_msgsnd(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  return args.size <= load_relaxed(facts.task().cell->header().limits.msgmax) &&
         facts.type() >= 1 &&
         is_readable(static_cast<const u8*>(args.message) + sizeof(long), args.size);
}

// Linux: ipc/msg.c:do_msgrcv()
bool is_good_msgrcv(const FaultArgs& args) {
  if (static_cast<long>(args.size) < 0) return false;
  const bool copies = (args.flags & kMsgCopy) != 0;
  return !copies || ((args.flags & kMsgExcept) == 0 && (args.flags & IPC_NOWAIT) != 0);
}

// Linux: ipc/sem.c:__do_semtimedop()
bool is_good_semop(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  const Cell& cell = *facts.task().cell;
  if (args.number < 1 || args.number > load_relaxed(cell.header().limits.semopm)) return false;
  if (!has_good_timeout(args) || !facts.has_object()) return false;
  if (class_of_block(cell, facts.object_offset()) != BlockClass::SemSet) return false;
  const u32 nsems = cell.at<SemSetRec>(facts.object_offset())->nsems;
  i64 seen = 0;
  bool are_there = true;
  facts.for_each_op([&](u16 num, std::int16_t, u32) {
    ++seen;
    are_there &= num < nsems;
  });
  return are_there &&
         seen == (args.number < FaultFacts::kOpsSeen ? args.number : FaultFacts::kOpsSeen);
}

// Linux: ipc/sem.c:semctl_main(), semctl_setval()
bool is_good_semctl(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  const Cell& cell = *facts.task().cell;
  switch (args.command) {
    case SETVAL:
      if (static_cast<int>(args.argument) < 0 || static_cast<int>(args.argument) > SEMVMX)
        return false;
      [[fallthrough]];
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
      return facts.has_object() &&
             class_of_block(cell, facts.object_offset()) == BlockClass::SemSet &&
             args.number >= 0 &&
             args.number < static_cast<i64>(cell.at<SemSetRec>(facts.object_offset())->nsems);
    case GETALL:
    case SETALL:
    case SEM_STAT:
    case SEM_STAT_ANY: return true;
    default: return false;
  }
}

// The commands that all three families have. A buffer of another length is looked at by the call.
bool is_good_control(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  switch (args.command) {
    case IPC_RMID:
    case IPC_STAT: return true;
    case IPC_SET: return is_readable(reinterpret_cast<const void*>(args.argument), sizeof(u64));
    default: break;
  }
  if (args.op == FaultOp::Semctl) return is_good_semctl(facts);
  if (args.op == FaultOp::Msgctl) return args.command == MSG_STAT || args.command == kMsgStatAny;
  return args.command == SHM_STAT || args.command == SHM_STAT_ANY || args.command == SHM_LOCK ||
         args.command == SHM_UNLOCK;
}

// Linux: ipc/shm.c:do_shmat()
bool is_good_shmat(const FaultArgs& args) {
  const auto address = reinterpret_cast<std::uintptr_t>(args.address);
  const bool replaces = (args.flags & SHM_REMAP) != 0;
  if (address == 0) return !replaces;
  if (address % kPage == 0) return true;
  return (args.flags & SHM_RND) != 0 && !(replaces && address < kPage);
}

}  // namespace

bool has_good_name(FaultFacts& facts) {
  if (facts.args().op == FaultOp::MqOpen) return is_good_queue_name(facts);
  return facts.args().op != FaultOp::Semget || has_good_count(facts);
}

bool has_good_arguments(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  switch (args.op) {
    case FaultOp::Semget: return is_good_semget(facts);
    case FaultOp::Shmget: return is_good_shmget(facts);
    case FaultOp::MqOpen: return is_good_mq_open(facts);
    case FaultOp::Msgsnd: return is_good_msgsnd(facts);
    case FaultOp::Msgrcv: return is_good_msgrcv(args);
    case FaultOp::Semop:
    case FaultOp::Semtimedop: return is_good_semop(facts);
    case FaultOp::Msgctl:
    case FaultOp::Semctl:
    case FaultOp::Shmctl: return is_good_control(facts);
    case FaultOp::Shmat: return is_good_shmat(args);
    case FaultOp::MqSend:
    case FaultOp::MqTimedsend:
      return has_good_timeout(args) && is_readable(args.message, args.size);
    case FaultOp::MqTimedreceive: return has_good_timeout(args);
    default: return true;
  }
}

}  // namespace ipcell
