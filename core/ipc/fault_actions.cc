// The part of a fault rule that says what happens.
#include "core/ipc/fault_draft.h"

namespace ipcell {

namespace {

constexpr i64 kSignals = 64;
constexpr i64 kErrnoMax = 4095;  // Linux: include/linux/err.h:MAX_ERRNO

bool begins_number(const FaultScanner& in) { return in.peek() >= '0' && in.peek() <= '9'; }

bool open(FaultDraft& draft, const char* example) {
  return draft.in.take('(') || draft.in.complain() << "expected `(`, as in `" << example << "`";
}
bool close(FaultDraft& draft) {
  return draft.in.take(')') || draft.in.complain() << "expected `)`";
}

// A name of the list, or a number.
bool take_named(FaultDraft& draft, const char* kind, const char* what, FaultWords words, i64 most,
                u32* number) {
  FaultScanner& in = draft.in;
  in.skip_blanks();
  i64 value;
  if (begins_number(in)) {
    if (!in.take_number(what, {1, most}, &value)) return false;
  } else {
    const FaultSpan name = in.take_word("");
    if (name.length == 0) return in.complain() << "expected " << what;
    const FaultWord* const word = find_fault_word(words, name);
    if (word == nullptr) {
      if (const FaultWord* nearest = nearest_fault_word(words, name))
        return in.complain(name) << "there is no " << kind << " " << name << "; did you mean `"
                                 << nearest->name << "`?";
      return in.complain(name) << "there is no " << kind << " " << name << "; expected " << what;
    }
    value = word->value;
  }
  *number = static_cast<u32>(value);
  return true;
}

bool parse_error(FaultDraft& draft, FaultAction& action) {
  return open(draft, "err(ENOMEM)") &&
         take_named(draft, "error", "an error, as `ENOMEM`, or its number", fault_errno_words(),
                    kErrnoMax, &action.number) &&
         close(draft);
}

bool parse_signal(FaultDraft& draft, FaultAction& action) {
  return open(draft, "sig(SIGTERM)") &&
         take_named(draft, "signal", "a signal, as `SIGTERM`, or its number", fault_signal_words(),
                    kSignals, &action.number) &&
         close(draft);
}

bool parse_limit(FaultDraft& draft, FaultAction& action) {
  FaultScanner& in = draft.in;
  if (!open(draft, "limit(msgmni=0)")) return false;
  in.skip_blanks();
  const FaultSpan name = in.take_word("");
  if (name.length == 0) return (in.complain() << "expected a limit: ").list(fault_limit_words());
  const FaultWord* const limit = find_fault_word(fault_limit_words(), name);
  if (limit == nullptr) return complain_of_word(draft, name, "limit", fault_limit_words());
  if (!in.take('=')) return in.complain() << "expected `=` and the limit's value";
  action.number = static_cast<u32>(limit - fault_limit_words().first);
  return in.take_size("a limit", {limit->extra, limit->value}, &action.value) && close(draft);
}

bool take_point(FaultDraft& draft, FaultAction& action) {
  FaultScanner& in = draft.in;
  const FaultWords points = fault_point_words(action.act);
  in.skip_blanks();
  const FaultSpan name = in.take_word("");
  if (name.length == 0) return (in.complain() << "expected ").list(points);
  const FaultWord* const point = find_fault_word(points, name);
  if (point == nullptr)
    return (in.complain(name) << name << " is no point of time; expected ").list(points);
  action.point = static_cast<FaultPoint>(point->value);
  return true;
}

bool parse_point(FaultDraft& draft, FaultAction& action, const char* example) {
  return open(draft, example) && take_point(draft, action) && close(draft);
}

bool parse_delay(FaultDraft& draft, FaultAction& action) {
  if (!open(draft, "delay(enter, 10ms)") || !take_point(draft, action)) return false;
  if (!draft.in.take(',')) return draft.in.complain() << "expected `,` and a duration, as `10ms`";
  return draft.in.take_duration(&action.value) && close(draft);
}

bool parse_stop(FaultDraft& draft, FaultAction& action) {
  return open(draft, "stop(1s)") && draft.in.take_duration(&action.value) && close(draft);
}

bool parse_exit(FaultDraft& draft, FaultAction& action) {
  i64 status;
  if (!open(draft, "exit(1)") || !draft.in.take_number("an exit status", {0, 255}, &status))
    return false;
  action.number = static_cast<u32>(status);
  return close(draft);
}

bool has_predicate(const FaultRule& rule, FaultField field) {
  for (u32 n = 0; n < rule.pred_count; ++n) {
    if (rule.preds[n].field == field) return true;
  }
  return false;
}

// Of an action that does not say it itself. A rule about calls that are about to sleep does nothing
// before that.
FaultPoint usual_point(const FaultRule& rule, FaultAct act) {
  if (act == FaultAct::Interrupt || act == FaultAct::Timeout) return FaultPoint::Blocked;
  return has_predicate(rule, FaultField::Block) ? FaultPoint::Blocked : FaultPoint::Enter;
}

bool parse_arguments(FaultDraft& draft, FaultAction& action) {
  switch (action.act) {
    case FaultAct::Error: return parse_error(draft, action);
    case FaultAct::Remove: return parse_point(draft, action, "rmid(before)");
    case FaultAct::Limit: return parse_limit(draft, action);
    case FaultAct::Delay: return parse_delay(draft, action);
    case FaultAct::Stop: return parse_stop(draft, action);
    case FaultAct::Signal: return parse_signal(draft, action);
    case FaultAct::Kill: return parse_point(draft, action, "kill(before)");
    case FaultAct::Exit: return parse_exit(draft, action);
    default: return true;
  }
}

// Does the same at the same time.
bool is_repeated(const FaultAction& one, const FaultAction& other) {
  const bool is_numbered = one.act == FaultAct::Limit || one.act == FaultAct::Signal;
  return one.act == other.act && one.point == other.point &&
         (!is_numbered || one.number == other.number);
}

bool parse_action(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  FaultRule& rule = *draft.rule;
  in.skip_blanks();
  const FaultSpan name = in.take_word(".");
  if (name.length == 0) return (in.complain() << "expected an action: ").list(fault_action_words());
  const FaultWord* const word = find_fault_word(fault_action_words(), name);
  if (word == nullptr) return complain_of_word(draft, name, "action", fault_action_words());
  const u32 count = rule.action_count;
  if (count == kFaultActions)
    return in.complain(name) << "a rule has at most " << i64{kFaultActions} << " actions";
  FaultAction& action = rule.actions[count];
  action.act = static_cast<FaultAct>(word->value);
  action.point = usual_point(rule, action.act);
  if (!parse_arguments(draft, action)) return false;
  draft.words[count] = word;
  draft.actions[count] = in.since(name.text);
  for (u32 n = 0; n < count; ++n) {
    if (is_repeated(rule.actions[n], action))
      return in.complain(draft.actions[count]) << draft.actions[n] << " is there already";
  }
  ++rule.action_count;
  return true;
}

// Takes `->` if it is there.
bool take_arrow(FaultScanner& in) {
  in.skip_blanks();
  if (in.left() < 2 || in.at()[0] != '-' || in.at()[1] != '>') return false;
  in.advance(2);
  return true;
}

}  // namespace

bool parse_fault_actions(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  if (!in.take('=')) {
    in.skip_blanks();
    return in.complain() << "expected `=` and an action, as in `msgsnd@3=err(ENOMEM)`";
  }
  do {
    if (!parse_action(draft)) return false;
  } while (take_arrow(in));
  return in.is_at_end() || in.complain() << "expected `->` and another action, or the rule's end";
}

}  // namespace ipcell
