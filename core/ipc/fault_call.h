// A call that the cell's fault rules are asked about. See fault.h for the files.
#pragma once

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/fault_outcomes.h"

namespace ipcell {

// What a rule that fired wants done.
struct FaultStep {
  FaultAction action;
  FaultRec* rec;
  bool is_illegal;  // of the rule
  bool is_pending;  // to be done if the call goes to sleep
};

// What a rule's predicates and the recorder ask of a call, found out when first asked.
class FaultFacts {
 public:
  FaultFacts(Task& task, const FaultArgs& args) : task_(task), args_(args) {}

  Task& task() const { return task_; }
  const FaultArgs& args() const { return args_; }

  // The object that the call names by id, key, name or descriptor: its record, its key and its
  // depth. False if it names none that is there.
  bool has_object();
  u64 object_offset() { return has_object() ? object_ : 0; }
  i32 object_id() { return has_object() ? id_ : -1; }
  // Of the object; of a *get call what it asks for. False: there is none.
  bool read_key(i64* key);
  // Messages in the queue; -1: it is no queue.
  i64 depth();
  // A number of the object, or of what would be one; the same in all runs of a program.
  u64 object_hash();
  // All flags: those of semop's operations, and O_NONBLOCK of a POSIX queue's descriptor.
  u32 flags();
  // msgsnd's and msgrcv's; 0 if it can't be read.
  i64 type();
  // With its slash; empty if there is none. kFaultNameMax bytes.
  const char* name();
  // Of semop's operations, kOpsSeen at most: calls `visit(num, op, flags)`.
  template <class Visit>
  void for_each_op(Visit visit);
  // Where the program made the call.
  const char* caller();
  u64 caller_offset() {
    caller();
    return caller_offset_;
  }

  static constexpr i64 kOpsSeen = 512;

 private:
  void find_object();
  void find_keyed();
  void find_by_id();
  void find_queue();
  void read_flags();

  static constexpr u32 kNameRoom = 258;
  Task& task_;
  const FaultArgs& args_;
  bool has_looked_ = false, is_there_ = false, has_flags_ = false, has_name_ = false;
  bool has_caller_ = false;
  u64 object_ = 0;
  i32 id_ = -1;
  i32 object_key_ = 0;
  i64 depth_ = -1;
  u32 flags_ = 0;
  char name_[kNameRoom] = {};
  char caller_[56] = {};
  u64 caller_offset_ = 0;
};

template <class Visit>
void FaultFacts::for_each_op(Visit visit) {
  struct {
    u16 num;
    std::int16_t op;
    std::int16_t flags;
  } seen;
  const auto* place = reinterpret_cast<const u8*>(args_.ops);
  // More than that are not looked at by the call either: E2BIG.
  if (args_.number > load_relaxed(task_.cell->header().limits.semopm)) return;
  for (i64 n = 0; place != nullptr && n < args_.number && n < kOpsSeen; ++n) {
    if (copy_from_user(&seen, place + n * static_cast<i64>(sizeof seen), sizeof seen) != 0) return;
    visit(seen.num, seen.op, static_cast<u32>(static_cast<u16>(seen.flags)));
  }
}

constexpr bool is_get(FaultOp op) {
  return op == FaultOp::Msgget || op == FaultOp::Semget || op == FaultOp::Shmget;
}
constexpr bool is_mqueue(FaultOp op) { return op >= FaultOp::MqOpen; }

// --- fault_match.cc

// Asks all rules in their turn: those that fire give their actions to `steps`. `is_blocked`: the
// call is about to sleep, and only rules with `block` are asked, which are not before. How many.
constexpr u32 kFaultSteps = 32;
u32 choose_faults(FaultFacts& facts, bool is_blocked, FaultStep* steps, u32 count);
u64 mix_fault_hash(u64 hash, u64 value);
u64 hash_fault_text(const char* text, std::size_t length, u64 hash = 14695981039346656037ull);

// --- fault_process.cc

// Until that time is over, `is_over` is set by a handler, or the process is gone that the call is
// made for.
void nap(const Task& task, i64 nanoseconds, const volatile bool* is_over = nullptr);
void send_signal(const Task& task, u32 signal);
void kill_process(const Task& task);
void stop_process(const Task& task, i64 nanoseconds);
void exit_process(const Task& task, u32 status);

// --- fault_sites.cc

// Notes the call, if the cell wants that: the site, or nullptr.
FaultSite* record_fault_site(FaultFacts& facts);
void mark_fault_site(FaultSite* site, u32 seen);

// --- fault_arguments.cc

// True if Linux finds nothing wrong with the call's own arguments on its way to the object, nor
// with what it wants of one that is there, nor of one that it would make.
bool has_good_arguments(FaultFacts& facts);
// The part that EEXIST comes behind.
bool has_good_name(FaultFacts& facts);

// --- fault_truth.cc

// True if what the outcome needs holds of the call now.
bool holds(FaultFacts& facts, u32 needs);
// Removes the object that the call names, whoever may: as another process's IPC_RMID, or mq_unlink.
// False: there is none.
bool remove_named_object(FaultFacts& facts);
// The call finds no room, no message, no semaphore: 0 if it would sleep then, the error of one that
// does not sleep, or 1 if it can't come to that.
int pretend_full(FaultFacts& facts);
// The namespace's limit.
void set_fault_limit(Task& task, FaultLimit limit, i64 value);

// Where the limit stands, for CallWatch::lowered.
const void* limit_place(const Cell& cell, FaultLimit limit);

}  // namespace ipcell
