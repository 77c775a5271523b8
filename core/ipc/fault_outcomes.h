// What Linux can answer to which call: the errors that rules may inject, and how each is brought
// about so that it is true.
#pragma once

#include "core/cell/fault_rule.h"

namespace ipcell {

// How an error comes about.
enum class FaultWay : u32 {
  Plain,     // it is returned: something outside of the namespace's state is short, or another
             // process was there for an instant
  Removed,   // the object is removed, and the call made: its own answer is the error
  Vanished,  // the object is removed while the call is on its way: -EIDRM
  Limited,   // a limit is lowered to 0 for the time of the call, which then fails by itself
  Asleep,    // only a call that sleeps: it is taken back
  Expired,   // only a call that sleeps with a deadline: the deadline passes
  Never      // Linux gives it for the call's own arguments alone, or not at all
};

// What has to hold of the call, else the rule leaves it alone.
enum : u32 {
  kNeedsObject = 1,           // what it names is there, and may be used
  kNeedsNowait = 2,           // it has IPC_NOWAIT, or O_NONBLOCK is set; of semop: one of the
                              // operations that has it could have to wait
  kNeedsCreation = 4,         // it would make an object; of mq_notify: register somebody
  kNeedsExclusive = 8,        // it has IPC_CREAT and IPC_EXCL (O_CREAT, O_EXCL), and a key
  kNeedsNoCreation = 16,      // it has no IPC_CREAT (O_CREAT), and a key
  kNeedsNoOwnerCap = 32,      // the caller has no CAP_IPC_OWNER; of mq_open: CAP_DAC_OVERRIDE, of
                              // mq_unlink: CAP_FOWNER
  kNeedsNoAdminCap = 64,      // ... no CAP_SYS_ADMIN
  kNeedsNoResourceCap = 128,  // ... no CAP_SYS_RESOURCE
  kNeedsSetting = 256,        // the command is IPC_SET or IPC_RMID
  kNeedsAllocation = 512,     // the command is GETALL or SETALL; semop: SEM_UNDO or many operations
  kNeedsNoSetting = 1024,     // the command is neither IPC_SET nor IPC_RMID
  kNeedsAccess = 2048,        // it asks for permissions: msgget and its like with bits of the mode,
                              // msgctl and its like with a command that reads or sets values
  kNeedsUnattached = 4096     // nobody has the segment attached: else its removal waits
};

struct FaultOutcome {
  FaultOp op;
  int error;  // positive
  FaultWay way;
  u32 needs;
  FaultLimit limit;    // of Limited
  const char* reason;  // of Never: a clause that says why; of others: when it happens, for lists
};

// nullptr: the manual page does not know that error. An error that comes about in several ways has
// as many, to be tried in their order: next_fault_outcome() is the one behind, or nullptr. ENOSYS
// is every call's, of which `op` does not tell; rules have it for whole families alone.
const FaultOutcome* find_fault_outcome(FaultOp op, int error);
const FaultOutcome* next_fault_outcome(const FaultOutcome* outcome);

// All of them, for lists and sweeps.
struct FaultOutcomes {
  const FaultOutcome* first;
  u32 count;
};
FaultOutcomes fault_outcomes();

// True if calls of that kind can sleep.
bool can_block(FaultOp op);

}  // namespace ipcell
