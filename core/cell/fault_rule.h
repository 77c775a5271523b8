// Fault injection: a rule as it stands in a cell. docs/faults.md has the grammar; ipc/fault_parse.h
// makes rules of text, ipc/fault.h follows them.
//
// A rule is plain numbers, and places in its own text. Whoever reads one from a cell checks them at
// each use: the counts with the functions below, the rest by a switch with a default.
#pragma once

#include "core/base/types.h"

namespace ipcell {

// The calls that rules speak of. `semop` is semop(2), and semtimedop(2) without a timeout; so are
// mq_send and mq_receive calls without a deadline.
enum class FaultOp : u32 {
  Msgget,
  Msgsnd,
  Msgrcv,
  Msgctl,
  Semget,
  Semop,
  Semtimedop,
  Semctl,
  Shmget,
  Shmat,
  Shmdt,
  Shmctl,
  MqOpen,
  MqClose,
  MqUnlink,
  MqSend,
  MqTimedsend,
  MqReceive,
  MqTimedreceive,
  MqNotify,
  MqGetattr,
  MqSetattr
};
constexpr u32 kFaultOps = 22;

constexpr u32 bit_of(FaultOp op) { return 1u << static_cast<u32>(op); }

// A part of the rule's text.
struct FaultText {
  u16 start, length;
};

// What a predicate is about.
enum class FaultField : u32 {
  Key,        // key=: IPC_PRIVATE is 0; msgget, semget, shmget and what has an id
  Name,       // name=GLOB: of a POSIX queue, with its slash
  Id,         // id=
  Type,       // type=: of the message, or the one asked for
  Prio,       // prio=: of mq_send
  Size,       // size=: bytes; msgsnd, msgrcv, shmget, mq_send, mq_receive
  Nsems,      // nsems=: semget's; of semop the number of operations
  Sem,        // sem=: one of semop's operations, or semctl, is about this semaphore
  Command,    // cmd=: IPC_RMID, SETVAL, ...
  Flag,       // flag:NAME: all bits of `value` are set; or, for O_RDONLY, none of O_ACCMODE
  Depth,      // depth=: messages in the queue
  Block,      // block: the call is about to sleep
  Program,    // prog=GLOB: base name of the executable
  Arguments,  // argv~RE: extended regular expression on the arguments, joined by spaces
  Process,    // proc=: fork path, exactly
  Thread,     // thread=: 0 is the process's first that made a call, 1 the second, ...
  Uid,        // uid=: the effective one
  Caller,     // caller=LIB or LIB+0xOFFSET: where the call returns to; `value`: the offset, or -1
  After       // after:RULE: that rule has fired
};

// field OP value. Equal is all that texts have.
enum class FaultCompare : u32 { Equal, NotEqual, Less, AtMost, Greater, AtLeast };

struct FaultPred {
  FaultField field;
  FaultCompare compare;
  i64 value;       // of numbers, flags, commands, and the offset of Caller
  FaultText text;  // of the others; Caller: the file's base name
  u32 ops;         // bit_of() of the calls that have such a field: for the others it does not hold
};

// Whose calls are counted together.
enum class FaultScope : u32 { Global, Process, Thread, Object };

// Of the calls that match, counted from 1 in each scope, the rule fires for those with
//   first <= n <= last, (n - first) % step == 0, n > skip
// as often as `times` says, with probability `chance` / 2^32 each, between the two times.
struct FaultTrigger {
  u64 first = 1, last = ~0ull, step = 1;
  u64 skip = 0;
  u64 times = ~0ull;
  u64 chance = 1ull << 32;
  i64 from_ns = 0, to_ns = 0x7fffffffffffffff;  // since the rule was added; to_ns is past the end
  FaultScope scope = FaultScope::Global;
  u32 pad = 0;
};

enum class FaultAct : u32 {
  Error,      // err(ERRNO): `number`
  Interrupt,  // eintr
  Remove,     // rmid(before|blocked)
  Limit,      // limit(NAME=N): `number` is a FaultLimit, `value` its new value
  Full,       // full, empty, busy: the call finds no room, no message, no semaphore to be had
  Timeout,    // timeout: the deadline passes as soon as the call sleeps
  Delay,      // delay(POINT, DUR): `value` nanoseconds
  Yield,      // yield
  Stop,       // stop(DUR): `value` nanoseconds
  Signal,     // sig(SIG): `number`
  Kill,       // kill(before|blocked|after)
  Exit,       // exit(N): `number`
  Log,        // log
  Off,        // off
  Corrupt,    // unsafe.corrupt
  Drop,       // unsafe.drop
  Duplicate   // unsafe.dup
};

// When an action is done.
enum class FaultPoint : u32 {
  Enter,    // "enter", "before": before the call
  Blocked,  // "blocked": it is queued, and about to sleep
  Woken,    // "woken": it has slept
  Exit      // "exit", "after": it has its result
};

// limit(NAME=N): the namespace's sysctls, by their last names; of kernel.sem its four numbers.
enum class FaultLimit : u32 {
  Msgmax,
  Msgmnb,
  Msgmni,
  Semmsl,
  Semmns,
  Semopm,
  Semmni,
  Shmmax,
  Shmall,
  Shmmni,
  QueuesMax,
  MsgMax,
  MsgsizeMax
};
constexpr u32 kFaultLimits = 13;

struct FaultAction {
  FaultAct act;
  FaultPoint point;
  u32 number;
  u32 pad;
  i64 value;
};

constexpr u32 kFaultTextMax = 512;  // bytes of a rule's text
constexpr u32 kFaultIdMax = 32;     // bytes of its id, the NUL included
constexpr u32 kFaultPreds = 12;
constexpr u32 kFaultActions = 8;

struct FaultRule {
  char id[kFaultIdMax];  // empty: to be given one when it is added
  u64 ops;               // bit_of() each
  FaultTrigger trigger;
  u32 pred_count, action_count;
  FaultPred preds[kFaultPreds];
  FaultAction actions[kFaultActions];  // in the order of the text
  u32 text_length;
  u32 is_illegal;            // 1: it was parsed with allow_illegal, and needs it
  char text[kFaultTextMax];  // as it was written, without the id and the blanks around it
  i32 owner;  // pid of the process whose environment brought it, and with which it goes; 0: none's
  u32 pad;

  u32 preds_used() const { return pred_count < kFaultPreds ? pred_count : kFaultPreds; }
  u32 actions_used() const { return action_count < kFaultActions ? action_count : kFaultActions; }
};
static_assert(sizeof(FaultRule) == 1128, "the same in 32- and 64-bit processes");

// ---------------------------------------------------------------- in the cell

// A rule and what became of it. `state` is set under FaultTable::lock; the rule itself is written
// before it is kFaultSet and not changed while it is. The counts are single words, added to
// atomically without a lock: a task that dies has counted or not.
enum : u32 { kFaultFree = 0, kFaultSet = 1 };
struct FaultRec {
  u32 state;
  u32 serial;    // of this rule among all that the cell has had
  i64 added_ns;  // CLOCK_MONOTONIC
  u64 matched;   // calls that its operations and predicates let through
  u64 fired;     // ... and its triggers
  u64 refused;   // ... for which Linux could not give the outcome: nothing was done
  u32 is_off;    // 1: action `off` was met; atomic
  u32 pad;
  FaultRule rule;
};

// Calls of one rule in one scope. `key` is claimed by whoever comes first and never given back
// before the rules change; all three are atomic.
struct FaultCounter {
  u64 key;  // of rule and scope; 0: free
  u64 matched;
  u64 fired;
};

// What was seen of the calls from one place, or of one call, while FaultTable::records is set.
enum : u32 {
  kSiteBlocked = 1,     // slept at least once
  kSiteNowait = 2,      // had IPC_NOWAIT or O_NONBLOCK
  kSiteWaits = 4,       // had not
  kSiteCreates = 8,     // had IPC_CREAT, IPC_PRIVATE or O_CREAT; mq_notify: registered somebody
  kSiteExclusive = 16,  // had IPC_EXCL or O_EXCL
  kSiteFailed = 32,     // failed at least once
  kSiteUndo = 64,       // had SEM_UNDO
  kSiteMany = 128       // semop with more than one operation
};
constexpr u32 kFaultPathMax = 48;
struct FaultSite {
  u64 key;    // 0: free
  u64 count;  // calls; atomic
  FaultOp op;
  u32 seen;          // kSite..., atomic
  u32 is_ready;      // 1: the rest can be read; atomic
  i32 command;       // of msgctl, semctl, shmctl; else -1
  u64 number;        // by call: which of the process's calls of that operation, from 1; else 0
  u64 offset;        // in the caller's file
  char caller[56];   // base name of the file that the call returns to; "?" if none's
  char program[24];  // base name of the executable, perhaps cut
  char process[kFaultPathMax];  // fork path of the first process that came by
};
static_assert(sizeof(FaultSite) == 176);

enum : u32 { kRecordNothing = 0, kRecordSites = 1, kRecordCalls = 2 };

}  // namespace ipcell
