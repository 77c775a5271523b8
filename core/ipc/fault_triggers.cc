// The part of a fault rule that says when it fires.
#include "core/ipc/fault_draft.h"

namespace ipcell {

namespace {

constexpr FaultRange kCounts = {1, 0x7fffffffffffffff};

bool take_count(FaultDraft& draft, const char* what, i64 least, u64* count) {
  i64 value;
  if (!draft.in.take_number(what, {least, kCounts.most}, &value)) return false;
  *count = static_cast<u64>(value);
  return true;
}

// True if there are two points; takes them.
bool take_points(FaultScanner& in) {
  if (in.left() < 2 || in.at()[0] != '.' || in.at()[1] != '.') return false;
  in.advance(2);
  return true;
}

bool begins_number(const FaultScanner& in) { return in.peek() >= '0' && in.peek() <= '9'; }

// first[..last][+[step]], as strace's when=.
bool parse_counts(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  FaultTrigger& trigger = draft.rule->trigger;
  const char* const start = in.at();
  if (!begins_number(in))
    return in.complain() << "expected a call's number, as in `@3`, `@3+2` or `@3..7`";
  if (!take_count(draft, "a call's number", 1, &trigger.first)) return false;
  trigger.last = trigger.first;
  const bool has_last = take_points(in);
  if (has_last) {
    if (!begins_number(in)) return in.complain() << "expected the last call's number";
    if (!take_count(draft, "the last call's number", 1, &trigger.last)) return false;
    if (trigger.last < trigger.first)
      return in.complain(in.since(start)) << "the last call comes before the first";
  }
  if (in.peek() != '+') return true;
  in.advance(1);
  if (!has_last) trigger.last = ~0ull;
  return !begins_number(in) || take_count(draft, "a step", 1, &trigger.step);
}

bool parse_time(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  FaultTrigger& trigger = draft.rule->trigger;
  in.skip_blanks();
  const char* const start = in.at();
  if (begins_number(in) && !in.take_duration(&trigger.from_ns)) return false;
  const bool has_from = in.at() != start;
  if (!take_points(in))
    return in.complain() << "expected a span of time, as `t=5s..9s`, `t=5s..` or `t=..9s`";
  const bool has_to = begins_number(in);
  if (has_to && !in.take_duration(&trigger.to_ns)) return false;
  if (!has_from && !has_to)
    return in.complain(in.since(start)) << "expected a time before or behind the `..`";
  if (trigger.from_ns >= trigger.to_ns)
    return in.complain(in.since(start)) << "the span of time ends before it begins";
  return true;
}

bool parse_scope(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  in.skip_blanks();
  const FaultSpan name = in.take_word("");
  if (name.length == 0) return (in.complain() << "expected ").list(fault_scope_words());
  const FaultWord* const scope = find_fault_word(fault_scope_words(), name);
  if (scope == nullptr) return complain_of_word(draft, name, "scope", fault_scope_words());
  draft.rule->trigger.scope = static_cast<FaultScope>(scope->value);
  return true;
}

bool parse_value(FaultDraft& draft, FaultSpan name) {
  FaultTrigger& trigger = draft.rule->trigger;
  if (name.is("skip")) return take_count(draft, "how many calls to skip", 0, &trigger.skip);
  if (name.is("times")) return take_count(draft, "how often to fire", 1, &trigger.times);
  if (name.is("p")) return draft.in.take_chance(&trigger.chance);
  return name.is("t") ? parse_time(draft) : parse_scope(draft);
}

// A word is a trigger, unless the `=` in front of the first action was forgotten.
bool complain_of_trigger(const FaultDraft& draft, FaultSpan name) {
  const FaultWord* const action = find_fault_word(fault_action_words(), name);
  if (action != nullptr)
    return draft.in.complain(name) << "expected `=` in front of the action " << name;
  return complain_of_word(draft, name, "trigger", fault_trigger_words());
}

// Takes one trigger if there is one, else leaves `found` false. `seen`: a bit for each word.
bool parse_trigger(FaultDraft& draft, u32* seen, bool* found) {
  FaultScanner& in = draft.in;
  in.skip_blanks();
  *found = true;
  const char* const start = in.at();
  if (in.peek() == '@') {
    in.advance(1);
    if ((*seen & 1) != 0) return in.complain({start, 1}) << "`@` is there twice";
    *seen |= 1;
    return parse_counts(draft);
  }
  const FaultSpan name = in.peek() == '.' ? FaultSpan{} : in.take_word(".");
  *found = name.length != 0;
  if (!*found) return true;
  const FaultWord* const word = find_fault_word(fault_trigger_words(), name);
  if (word == nullptr) return complain_of_trigger(draft, name);
  const u32 bit = 2u << (word - fault_trigger_words().first);
  if ((*seen & bit) != 0) return in.complain(name) << name << " is there twice";
  *seen |= bit;
  if (!in.take('=')) return in.complain() << "expected `" << word->name << "=` and its value";
  return parse_value(draft, name);
}

}  // namespace

bool parse_fault_triggers(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  u32 seen = 0;
  in.skip_blanks();
  const char* const start = in.at();
  for (bool found = true; found;) {
    if (!parse_trigger(draft, &seen, &found)) return false;
  }
  const FaultTrigger& trigger = draft.rule->trigger;
  if (trigger.last <= trigger.skip)
    return in.complain(in.since(start)) << "all calls that it counts are skipped: it never fires";
  return true;
}

}  // namespace ipcell
