// The words of fault rules: calls, predicates, flags, commands, triggers, actions, errors, signals,
// limits; and which calls each is about.
#pragma once

#include "core/cell/fault_rule.h"
#include "core/ipc/text.h"

namespace ipcell {

// A part of a text that is not NUL-terminated.
struct FaultSpan {
  const char* text = nullptr;
  std::size_t length = 0;

  const char* end() const { return text + length; }
  bool is(const char* word) const;
};

// Names stand in the words themselves: a table of pointers would be relocated in each process.
struct FaultWord {
  char name[18];
  u16 extra;  // limits: their lowest value
  u32 ops;    // bit_of() of the calls that know it
  i64 value;  // of the word's enumeration; limits: the highest value
};

struct FaultWords {
  const FaultWord* first;
  u32 count;

  const FaultWord* begin() const { return first; }
  const FaultWord* end() const { return first + count; }
};

constexpr u32 operator|(FaultOp a, FaultOp b) { return bit_of(a) | bit_of(b); }
constexpr u32 operator|(u32 a, FaultOp b) { return a | bit_of(b); }
constexpr u32 operator|(FaultOp a, u32 b) { return bit_of(a) | b; }

constexpr u32 kMsgOps = FaultOp::Msgget | FaultOp::Msgsnd | FaultOp::Msgrcv | FaultOp::Msgctl;
constexpr u32 kSemOps = FaultOp::Semget | FaultOp::Semop | FaultOp::Semtimedop | FaultOp::Semctl;
constexpr u32 kShmOps = FaultOp::Shmget | FaultOp::Shmat | FaultOp::Shmdt | FaultOp::Shmctl;
constexpr u32 kSysvOps = kMsgOps | kSemOps | kShmOps;
constexpr u32 kAllOps = (1u << kFaultOps) - 1;
constexpr u32 kMqOps = kAllOps & ~kSysvOps;
constexpr u32 kGetOps = FaultOp::Msgget | FaultOp::Semget | FaultOp::Shmget;
constexpr u32 kCtlOps = FaultOp::Msgctl | FaultOp::Semctl | FaultOp::Shmctl;
constexpr u32 kSemopOps = FaultOp::Semop | FaultOp::Semtimedop;
constexpr u32 kMqSendOps = FaultOp::MqSend | FaultOp::MqTimedsend;
constexpr u32 kMqReceiveOps = FaultOp::MqReceive | FaultOp::MqTimedreceive;
constexpr u32 kSendOps = kMqSendOps | FaultOp::Msgsnd;
constexpr u32 kReceiveOps = kMqReceiveOps | FaultOp::Msgrcv;
constexpr u32 kBlockingOps = kSendOps | kReceiveOps | kSemopOps;
constexpr u32 kDeadlineOps = FaultOp::Semtimedop | FaultOp::MqTimedsend | FaultOp::MqTimedreceive;

FaultWords fault_call_words();     // value: FaultOp
FaultWords fault_group_words();    // sysv.*, ...: the calls alone
FaultWords fault_field_words();    // value: FaultField
FaultWords fault_flag_words();     // value: its bits
FaultWords fault_command_words();  // of msgctl, semctl, shmctl; several words have one value
FaultWords fault_trigger_words();
FaultWords fault_scope_words();              // value: FaultScope
FaultWords fault_action_words();             // value: FaultAct
FaultWords fault_point_words(FaultAct act);  // those that it takes; value: FaultPoint
FaultWords fault_limit_words();              // value: its highest; in the order of FaultLimit
FaultWords fault_signal_words();
FaultWords fault_errno_words();

const FaultWord* find_fault_word(FaultWords words, FaultSpan name);
// The one that was meant, if a slip of one or two letters explains it.
const FaultWord* nearest_fault_word(FaultWords words, FaultSpan name);

// True if `*` and `?` of the pattern make it the word.
bool matches_fault_glob(FaultSpan pattern, const char* word);

// The page of the manual: "msgop(2)".
const char* manual_page_of(FaultOp op);

}  // namespace ipcell
