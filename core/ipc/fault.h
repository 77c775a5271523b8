// Fault injection: the cell's rules, and what a call does that meets one.
//
//   fault.cc         the table: rules added and removed, counters, what is recorded of calls
//   fault_match.cc   whether a rule is about a call, and whether it fires
//   fault_call.cc    a call with rules: what is done before it, when it sleeps, and behind it
//   fault_truth.cc   how an outcome is made true: objects removed, limits lowered, what must hold
//
// A function of the facade asks may_fail() first: one load and a branch where the cell has no
// rules about it. docs/faults.md says what rules are; docs/locking.md, "Fault rules", who writes
// what.
#pragma once

#include <type_traits>

#include "core/base/user_time.h"
#include "core/cell/task.h"
#include "core/ipc/fault_parse.h"

struct sembuf;

namespace ipcell {

struct MqueueDescriptor;

// ---------------------------------------------------------------- the table

// Adds a rule, in force at once in every process. Without an id it is given one (written to
// `rule.id`). 0; -EEXIST: there is one of that id; -ENOSPC: there are kFaultRules; -ENOMEM, -EIO.
int add_fault_rule(Task& task, FaultRule& rule);
// 0; -ENOENT, -EIO.
int remove_fault_rule(Task& task, const char* id);
// Removes the rules of which `is_wanted(context, rule)`; nullptr: all. How many.
int remove_fault_rules(Task& task, bool (*is_wanted)(const void* context, const FaultRule& rule),
                       const void* context);
// Of the rules' chances. 0; -ENOMEM, -EIO.
int set_fault_seed(Task& task, u64 seed);
// kRecord...: notes which calls are made. 0; -ENOMEM, -EIO.
int record_fault_sites(Task& task, u32 records);

// The rule in that place of the table, or nullptr: there is none, or it was never written.
const FaultRec* fault_rule_at(const Cell& cell, u32 number);

// The `count`th call counted under this key, from 1; 0: there is no room for another counter.
FaultCounter* fault_counter(const Cell& cell, u64 key);

// ---------------------------------------------------------------- a call

// What the layer above knows of the process, and does for the core.
struct FaultHost {
  char path[kFaultPathMax];  // fork path: "0.2.1"
  char program[24];          // base name of the executable, perhaps cut
  // The call is made for a process that is another than this one.
  bool is_remote;
  // prog= and argv~
  bool (*matches)(const FaultHost& host, const FaultRec& rec, const FaultPred& pred);
  // Where the program made the call that is under way: the base name of its file, and the offset
  // in it. Asked once for each call.
  void (*find_caller)(char* name, std::size_t size, u64* offset);
};

// A call of the facade, as rules see it. Pointers are the program's.
struct FaultArgs {
  FaultOp op;
  i32 id = -1;
  i64 key = -1;     // of the *get calls: as a u32; -1: the call has none
  i64 number = -1;  // semget: nsems; semop: nsops; semctl: semnum
  i32 command = -1;
  u32 flags = 0;  // but semop's, which stand in its operations, and O_NONBLOCK of a queue
  u64 size = 0;
  i64 type = 0;  // msgrcv's
  u32 priority = 0;
  const void* message = nullptr;  // with msgsnd's and msgrcv's type
  const struct sembuf* ops = nullptr;
  const char* name = nullptr;  // of a POSIX queue, without its slash
  const MqueueDescriptor* queue = nullptr;
  const void* address = nullptr;  // shmat's
  u64 argument = 0;               // semctl's and its like: the buffer, or SETVAL's value
  const UserTime* timeout = nullptr;
};

// The command of a *ctl call without IPC_64.
constexpr i32 fault_command(int command) { return command & ~0x100; }

// bench/faults compares with a library that does not ask.
#if defined(IPCELL_WITHOUT_FAULTS)
constexpr bool kAsksForFaults = false;
#else
constexpr bool kAsksForFaults = true;
#endif

inline bool has_faults(const Cell& cell) {
  return kAsksForFaults && load_relaxed(cell.header().faults) != 0;
}
// In Header::faults, beside bit_of() the operations that there are rules about.
constexpr u32 kFaultsRecorded = 1u << 31;
// True if the call, of one of these operations, is to be made by fail_or_call(), which makes it in
// its turn.
template <class... Ops>
IPCELL_ALWAYS_INLINE bool may_fail(const Task& task, Ops... ops) {
  const u32 wanted = (bit_of(ops) | ...) | kFaultsRecorded;
  return kAsksForFaults && (load_relaxed(task.cell->header().faults) & wanted) != 0 &&
         task.watch == nullptr;
}

using FaultedCall = long (*)(const void* context, const void* message);
long run_with_faults(Task& task, const FaultArgs& args, FaultedCall make, const void* context);

// `call()` is the very same call of the facade; `call(message)` if it sends args.message, or what
// is to be sent in its place.
template <class Call>
IPCELL_COLD long fail_or_call(Task& task, const FaultArgs& args, const Call& call) {
  const auto make = [](const void* context, const void* message) {
    const Call& wanted = *static_cast<const Call*>(context);
    if constexpr (std::is_invocable_v<Call, const void*>) {
      return wanted(message);
    } else {
      return wanted();
    }
  };
  return run_with_faults(task, args, make, &call);
}

}  // namespace ipcell
