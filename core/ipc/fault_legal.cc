// What rules may do: an outcome that Linux could not give to the call in that state is refused
// unless it is allowed; what has no meaning at all is always refused.
#include <errno.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "core/ipc/fault_draft.h"
#include "core/ipc/fault_outcomes.h"

namespace ipcell {

namespace {

enum class Verdict { Fine, Illegal, Senseless };

constexpr i64 kUnknown = -1;

// What a rule's predicates say of all its calls.
struct Premises {
  bool blocks = false;  // they are about to sleep
  bool nowait = false;  // they never sleep
  bool waits = false;   // they would
  bool creates = false, never_creates = false;
  bool never_exclusive = false;
  bool is_private = false, has_key = false;
  i64 command = kUnknown;
};

constexpr const char* kNoSleep = "a call with IPC_NOWAIT or O_NONBLOCK never sleeps";

void note_flags(Premises& premises, const FaultPred& pred) {
  const bool is_set = pred.compare == FaultCompare::Equal;
  // Words are of different calls, and their bits are each other's: the calls tell which they are.
  const auto has = [&](const char* name) {
    const FaultWord* flag = find_fault_word(fault_flag_words(), {name, __builtin_strlen(name)});
    return (pred.ops & ~flag->ops) == 0 && (pred.value & flag->value) == flag->value;
  };
  if (has("IPC_NOWAIT") || has("O_NONBLOCK")) (is_set ? premises.nowait : premises.waits) = true;
  if (has("IPC_CREAT") || has("O_CREAT")) {
    (is_set ? premises.creates : premises.never_creates) = true;
    if (!is_set) premises.never_exclusive = true;
  }
  if ((has("IPC_EXCL") || has("O_EXCL")) && !is_set) premises.never_exclusive = true;
}

Premises premises_of(const FaultRule& rule) {
  Premises premises;
  for (u32 n = 0; n < rule.pred_count; ++n) {
    const FaultPred& pred = rule.preds[n];
    const bool is_equal = pred.compare == FaultCompare::Equal;
    if (pred.field == FaultField::Block) premises.blocks = premises.waits = true;
    if (pred.field == FaultField::Flag) note_flags(premises, pred);
    if (pred.field == FaultField::Command && is_equal) premises.command = pred.value;
    if (pred.field == FaultField::Key && (pred.value == 0) == is_equal) premises.is_private = true;
    if (pred.field == FaultField::Key && is_equal && pred.value != 0) premises.has_key = true;
  }
  return premises;
}

// --------------------------------------------------------------------------- errors

// Of msgctl and its like.
const char* objection_to_command(const FaultOutcome& outcome, i64 command) {
  if (command == kUnknown) return nullptr;
  const bool is_setting = command == IPC_SET || command == IPC_RMID;
  if ((outcome.needs & kNeedsObject) != 0 && command == IPC_INFO)
    return "IPC_INFO is about no object";
  if ((outcome.needs & kNeedsSetting) != 0 && !is_setting)
    return "only IPC_SET and IPC_RMID are the owner's";
  if ((outcome.needs & kNeedsNoSetting) != 0 && is_setting)
    return "IPC_SET and IPC_RMID find the object there, or do not";
  if ((outcome.needs & kNeedsAccess) != 0 && is_setting)
    return "IPC_SET and IPC_RMID fail with EPERM";
  if ((outcome.needs & kNeedsAllocation) != 0 && outcome.op == FaultOp::Semctl &&
      command != GETALL && command != SETALL)
    return "only GETALL and SETALL take memory";
  return nullptr;
}

// Of msgget and its like, and mq_open.
const char* objection_to_creation(const FaultOutcome& outcome, const Premises& premises) {
  const bool is_mqueue = outcome.op == FaultOp::MqOpen;
  // IPC_PRIVATE makes an object without IPC_CREAT.
  const bool never_creates = premises.never_creates && (is_mqueue || premises.has_key);
  if ((outcome.needs & kNeedsCreation) != 0 && never_creates)
    return "only a call that makes something fails so";
  if ((outcome.needs & kNeedsExclusive) != 0 && (premises.never_exclusive || premises.is_private))
    return "only a call with a key, or a name, and both CREAT and EXCL fails so";
  if ((outcome.needs & kNeedsNoCreation) != 0 && (premises.creates || premises.is_private))
    return "a call that makes what is not there does not fail so";
  return nullptr;
}

// Why this way to the error is closed for the rule's calls; nullptr if it is not.
const char* objection_to(const FaultOutcome& outcome, const Premises& premises) {
  if (outcome.way == FaultWay::Never) return outcome.reason;
  const bool is_asleep = outcome.way == FaultWay::Asleep || outcome.way == FaultWay::Expired;
  if (is_asleep && premises.nowait) return kNoSleep;
  if ((outcome.needs & kNeedsNowait) != 0 && premises.waits)
    return "only a call with IPC_NOWAIT or O_NONBLOCK fails so";
  if (premises.blocks && !is_asleep && outcome.way != FaultWay::Vanished)
    return "when a call is about to sleep it is too late for that";
  const char* const objection = objection_to_command(outcome, premises.command);
  return objection != nullptr ? objection : objection_to_creation(outcome, premises);
}

// "EACCES, EEXIST"
void list_errors(const FaultComplaint& complaint, FaultOp op) {
  const char* separator = "";
  const FaultOutcomes all = fault_outcomes();
  int last = 0;
  for (const FaultOutcome* row = all.first; row != all.first + all.count; ++row) {
    if (row->op != op || row->way == FaultWay::Never || row->error == last) continue;
    last = row->error;
    complaint << separator << name_of_errno(last);
    separator = ", ";
  }
  if (last == 0) complaint << "no error";
}

const FaultComplaint& put_error(const FaultComplaint& complaint, u32 number) {
  const char* const name = name_of_errno(static_cast<int>(number));
  return name != nullptr ? complaint << name : complaint << "error " << i64{number};
}

Verdict judge_error(FaultOp op, const FaultAction& action, const Premises& premises,
                    const FaultComplaint& why) {
  const FaultOutcome* outcome = find_fault_outcome(op, static_cast<int>(action.number));
  if (outcome == nullptr) {
    if (action.number == EINTR && !can_block(op)) {
      why << name_of(op) << " never sleeps, so no signal interrupts it";
      return Verdict::Illegal;
    }
    put_error(why << manual_page_of(op) << " does not know ", action.number);
    list_errors(why << "; " << name_of(op) << " can be made to fail with ", op);
    return Verdict::Illegal;
  }
  const char* objection = nullptr;
  for (; outcome != nullptr; outcome = next_fault_outcome(outcome)) {
    const char* const found = objection_to(*outcome, premises);
    if (found == nullptr) return Verdict::Fine;
    if (objection == nullptr) objection = found;
  }
  put_error(why << name_of(op) << " cannot be made to fail with ", action.number)
      << ": " << objection;
  return Verdict::Illegal;
}

// --------------------------------------------------------------------------- the other actions

Verdict judge_sleep(FaultOp op, const Premises& premises, const FaultComplaint& why) {
  if (!can_block(op)) {
    why << name_of(op) << " never sleeps";
    return Verdict::Senseless;
  }
  if (premises.nowait) {
    why << kNoSleep;
    return Verdict::Senseless;
  }
  return Verdict::Fine;
}

Verdict judge_interrupt(FaultOp op, const Premises& premises, const FaultComplaint& why) {
  if (!can_block(op)) {
    why << name_of(op) << " never sleeps, so no signal interrupts it";
    return Verdict::Illegal;
  }
  if (!premises.nowait) return Verdict::Fine;
  why << kNoSleep << ", so no signal interrupts it";
  return Verdict::Illegal;
}

// An action that only some calls know: `ops`.
Verdict judge_kind(FaultOp op, u32 ops, const char* name, const FaultComplaint& why) {
  if ((ops & bit_of(op)) != 0) return Verdict::Fine;
  why << name_of(op) << " has nothing to do with " << name << "; it is for ";
  why.list_calls(ops);
  return Verdict::Senseless;
}

constexpr bool is_unsafe(FaultAct act) {
  return act == FaultAct::Corrupt || act == FaultAct::Drop || act == FaultAct::Duplicate;
}

// True if it is done before a call can sleep.
constexpr bool is_early(const FaultAction& action) {
  switch (action.act) {
    case FaultAct::Limit:
    case FaultAct::Full: return true;
    case FaultAct::Remove:
    case FaultAct::Kill:
    case FaultAct::Delay: return action.point == FaultPoint::Enter;
    default: return is_unsafe(action.act);
  }
}

struct Judge {
  const Premises premises;
  const FaultDraft& draft;

  Verdict judge(FaultOp op, u32 n, const FaultComplaint& why) const {
    const FaultAction& action = draft.rule->actions[n];
    const FaultWord& word = *draft.words[n];
    if (premises.blocks && is_early(action)) {
      why << "when a call is about to sleep it is too late for " << draft.actions[n];
      return Verdict::Senseless;
    }
    switch (action.act) {
      case FaultAct::Error: return judge_error(op, action, premises, why);
      case FaultAct::Interrupt: return judge_interrupt(op, premises, why);
      case FaultAct::Timeout:
      case FaultAct::Full: return judge_word(op, action, word, why);
      case FaultAct::Limit: {
        const FaultWord& limit = fault_limit_words().first[action.number];
        return judge_kind(op, limit.ops, limit.name, why);
      }
      default: break;
    }
    if (is_unsafe(action.act)) return judge_unsafe(op, word, why);
    const bool is_while_asleep =
        action.act != FaultAct::Log &&
        (action.point == FaultPoint::Blocked || action.point == FaultPoint::Woken);
    return is_while_asleep ? judge_sleep(op, premises, why) : Verdict::Fine;
  }

 private:
  Verdict judge_word(FaultOp op, const FaultAction& action, const FaultWord& word,
                     const FaultComplaint& why) const {
    const Verdict verdict = judge_kind(op, word.ops, word.name, why);
    const bool has_to_sleep = action.act == FaultAct::Timeout;
    return verdict == Verdict::Fine && has_to_sleep ? judge_sleep(op, premises, why) : verdict;
  }

  Verdict judge_unsafe(FaultOp op, const FaultWord& word, const FaultComplaint& why) const {
    const Verdict verdict = judge_kind(op, word.ops, word.name, why);
    if (verdict == Verdict::Fine)
      why << word.name << ": Linux never loses, doubles or changes a message";
    return verdict == Verdict::Fine ? Verdict::Illegal : verdict;
  }
};

// --------------------------------------------------------------------------- an action of a rule

constexpr FaultOp first_of(u32 ops) { return static_cast<FaultOp>(__builtin_ctz(ops)); }

// All calls that were named can be dealt with so, and of a group one at least.
bool is_enough(const FaultDraft& draft, u32 fine) {
  return fine != 0 && (draft.named & draft.ops & ~fine) == 0;
}

// A kernel without the calls: the only one that answers ENOSYS.
bool is_missing_family(const FaultRule& rule, u32 ops) {
  u32 whole = 0;
  constexpr u32 kWholes[] = {kMsgOps, kSemOps, kShmOps, kMqOps};
  for (u32 family : kWholes) {
    if ((ops & family) == family) whole |= family;
  }
  const FaultTrigger& t = rule.trigger;
  const bool is_always = t.first == 1 && t.last == ~0ull && t.step == 1 && t.skip == 0 &&
                         t.times == ~0ull && t.chance == 1ull << 32 && t.from_ns == 0 &&
                         t.to_ns == FaultTrigger().to_ns;
  return whole == ops && rule.pred_count == 0 && is_always;
}

bool judge_missing(FaultDraft& draft, u32 n) {
  if (is_missing_family(*draft.rule, draft.ops)) return true;
  if (draft.options.allow_illegal) {
    draft.rule->is_illegal = 1;
    return true;
  }
  const FaultComplaint why = draft.in.complain(draft.actions[n]);
  why.mark_illegal();
  return why << "ENOSYS is the answer of a kernel without such calls, and always: expected a whole "
                "family, as `msg.*=err(ENOSYS)`, without predicates and triggers";
}

bool judge_action(FaultDraft& draft, const Judge& judge, u32 n) {
  u32 fine = 0, illegal = 0;
  for (u32 op = 0; op < kFaultOps; ++op) {
    if ((draft.ops & 1u << op) == 0) continue;
    const Verdict verdict =
        judge.judge(static_cast<FaultOp>(op), n, FaultComplaint(nullptr, nullptr, {}));
    if (verdict == Verdict::Fine) fine |= 1u << op;
    if (verdict == Verdict::Illegal) illegal |= 1u << op;
  }
  if (is_enough(draft, fine)) return true;
  const bool could_be_allowed = is_enough(draft, fine | illegal);
  if (could_be_allowed && draft.options.allow_illegal) {
    draft.rule->is_illegal = 1;
    return true;
  }
  const u32 bad_named = draft.named & draft.ops & ~fine;
  u32 culprits = bad_named != 0 ? bad_named : draft.ops;
  // What is told is what stands in the way.
  const u32 worst = could_be_allowed ? illegal : ~illegal;
  if ((culprits & worst) != 0) culprits &= worst;
  const FaultComplaint why = draft.in.complain(draft.actions[n]);
  if (could_be_allowed) why.mark_illegal();
  judge.judge(first_of(culprits), n, why);
  return false;
}

// --------------------------------------------------------------------------- actions together

constexpr bool is_result(FaultAct act) {
  return act == FaultAct::Error || act == FaultAct::Interrupt || act == FaultAct::Timeout ||
         act == FaultAct::Drop;
}
constexpr bool is_end(FaultAct act) { return act == FaultAct::Kill || act == FaultAct::Exit; }

bool judge_together(const FaultDraft& draft) {
  const FaultAction* const actions = draft.rule->actions;
  for (u32 later = 1; later < draft.rule->action_count; ++later) {
    for (u32 n = 0; n < later; ++n) {
      if (is_result(actions[n].act) && is_result(actions[later].act))
        return draft.in.complain(draft.actions[later])
               << draft.actions[n] << " is the call's result already; it has but one";
      if (is_end(actions[n].act) && actions[later].point >= actions[n].point)
        return draft.in.complain(draft.actions[later])
               << "nothing comes behind " << draft.actions[n] << ": the process is gone";
    }
  }
  return true;
}

bool judge_predicates(const FaultDraft& draft, const Premises& premises) {
  if (!premises.nowait || !premises.waits) return true;
  const FaultRule& rule = *draft.rule;
  u32 last = rule.pred_count - 1;
  while (last > 0 && rule.preds[last].field != FaultField::Flag &&
         rule.preds[last].field != FaultField::Block)
    --last;
  return draft.in.complain(draft.preds[last]) << "no call is so: " << kNoSleep;
}

}  // namespace

bool judge_fault_rule(FaultDraft& draft) {
  const Judge judge = {premises_of(*draft.rule), draft};
  if (!judge_predicates(draft, judge.premises) || !judge_together(draft)) return false;
  for (u32 n = 0; n < draft.rule->action_count; ++n) {
    const FaultAction& action = draft.rule->actions[n];
    const bool is_missing = action.act == FaultAct::Error && action.number == ENOSYS;
    if (!(is_missing ? judge_missing(draft, n) : judge_action(draft, judge, n))) return false;
  }
  return true;
}

}  // namespace ipcell
