// The part of a fault rule in brackets: which calls of its kind it is about.
#include "core/ipc/fault_draft.h"

namespace ipcell {

namespace {

constexpr i64 kIntMax = 0x7fffffff, kLongMax = 0x7fffffffffffffff;

// What a call that lacks the field has not, for a complaint.
const char* noun_of(FaultField field) {
  switch (field) {
    case FaultField::Key: return "key";
    case FaultField::Name: return "queue name";
    case FaultField::Id: return "id";
    case FaultField::Type: return "message type";
    case FaultField::Prio: return "priority";
    case FaultField::Size: return "size";
    case FaultField::Nsems: return "number of semaphores";
    case FaultField::Sem: return "semaphore";
    case FaultField::Command: return "such command";
    case FaultField::Flag: return "such flag";
    case FaultField::Depth: return "depth of a queue";
    default: return "such thing";
  }
}

bool name_others(const FaultComplaint& complaint, u32 ops, const char* verb) {
  return (complaint << "; ").list_calls(ops) << verb;
}

// Leaves the calls that have the field; those that were named have to have it.
bool narrow(FaultDraft& draft, const FaultPred& pred, FaultSpan where) {
  const u32 lacking = draft.named & ~pred.ops;
  const bool is_empty = (draft.ops & pred.ops) == 0;
  if (lacking == 0 && !is_empty) {
    draft.ops &= pred.ops;
    return true;
  }
  const u32 first = lacking != 0 ? lacking & (0 - lacking) : draft.ops & (0 - draft.ops);
  const FaultComplaint complaint = draft.in.complain(where);
  if (pred.field == FaultField::Block)
    return name_others(complaint.list_calls(first) << " never sleeps", pred.ops, " may");
  const bool is_one = (pred.ops & (pred.ops - 1)) == 0;
  complaint.list_calls(first) << " has no " << noun_of(pred.field);
  return name_others(complaint, pred.ops, is_one ? " has" : " have");
}

// --------------------------------------------------------------------------- how it compares

constexpr bool is_ordered(FaultField field) {
  switch (field) {
    case FaultField::Type:
    case FaultField::Prio:
    case FaultField::Size:
    case FaultField::Nsems:
    case FaultField::Sem:
    case FaultField::Depth:
    case FaultField::Thread:
    case FaultField::Uid: return true;
    default: return false;
  }
}

bool take_compare(FaultDraft& draft, const FaultWord& word, FaultCompare* compare) {
  FaultScanner& in = draft.in;
  in.skip_blanks();
  const bool is_text = word.value == static_cast<i64>(FaultField::Name) ||
                       word.value == static_cast<i64>(FaultField::Program) ||
                       word.value == static_cast<i64>(FaultField::Process) ||
                       word.value == static_cast<i64>(FaultField::Caller);
  const char* const start = in.at();
  const char c = in.peek();
  if (c == '=' || c == '!' || c == '<' || c == '>') {
    in.advance(1);
    const bool is_two = in.peek() == '=' && c != '=';
    if (is_two) in.advance(1);
    *compare = c == '='   ? FaultCompare::Equal
               : c == '!' ? FaultCompare::NotEqual
               : c == '<' ? (is_two ? FaultCompare::AtMost : FaultCompare::Less)
                          : (is_two ? FaultCompare::AtLeast : FaultCompare::Greater);
    const bool is_whole = c != '!' || is_two;
    if (is_whole && *compare == FaultCompare::Equal) return true;
    if (is_whole && !is_text &&
        (*compare == FaultCompare::NotEqual || is_ordered(static_cast<FaultField>(word.value))))
      return true;
  }
  const FaultSpan where = in.since(start);
  const FaultComplaint complaint = where.length != 0 ? in.complain(where) : in.complain();
  complaint << "expected `" << word.name << "=`";
  if (is_text) return complaint;
  complaint << ", `" << word.name << "!=`";
  return complaint << (is_ordered(static_cast<FaultField>(word.value)) ? ", `<`, `<=`, `>` or `>=`"
                                                                       : "");
}

// --------------------------------------------------------------------------- numbers

bool take_key(FaultDraft& draft, i64* value) {
  constexpr FaultRange kKeys = {-kIntMax - 1, 0xffffffff};
  FaultScanner ahead = draft.in;
  ahead.skip_blanks();
  if (ahead.take_word("").is("IPC_PRIVATE")) {
    draft.in = ahead;
    *value = 0;
    return true;
  }
  if (!draft.in.take_number("a key, as `0x1234` or `IPC_PRIVATE`", kKeys, value)) return false;
  *value = static_cast<i32>(*value);
  return true;
}

bool take_command(FaultDraft& draft, FaultPred& pred) {
  FaultScanner& in = draft.in;
  in.skip_blanks();
  if (in.peek() >= '0' && in.peek() <= '9')
    return in.take_number("a command", {0, kIntMax}, &pred.value);
  const FaultSpan name = in.take_word("");
  if (name.length == 0) return in.complain() << "expected a command, as `IPC_RMID`, or its number";
  const FaultWord* const command = find_fault_word(fault_command_words(), name);
  if (command == nullptr) return complain_of_word(draft, name, "command", fault_command_words());
  pred.value = command->value;
  pred.ops &= command->ops;
  return true;
}

bool take_value(FaultDraft& draft, FaultPred& pred) {
  FaultScanner& in = draft.in;
  switch (pred.field) {
    case FaultField::Key: return take_key(draft, &pred.value);
    case FaultField::Id: return in.take_number("an id", {0, kIntMax}, &pred.value);
    case FaultField::Type:
      return in.take_number("a message type", {-kLongMax - 1, kLongMax}, &pred.value);
    case FaultField::Prio: return in.take_number("a priority", {0, 32767}, &pred.value);
    case FaultField::Size: return in.take_size("a size, as `4K`", {0, kLongMax}, &pred.value);
    case FaultField::Nsems:
      return in.take_number("a number of semaphores", {0, kIntMax}, &pred.value);
    case FaultField::Sem: return in.take_number("a semaphore's number", {0, 65535}, &pred.value);
    case FaultField::Command: return take_command(draft, pred);
    case FaultField::Depth:
      return in.take_number("a number of messages", {0, kIntMax}, &pred.value);
    case FaultField::Thread: return in.take_number("a thread's number", {0, kIntMax}, &pred.value);
    default: return in.take_number("a user's number", {0, 0xffffffff}, &pred.value);
  }
}

// --------------------------------------------------------------------------- flags

bool parse_flags(FaultDraft& draft, FaultPred& pred) {
  FaultScanner& in = draft.in;
  if (!in.take(':'))
    return in.complain() << "expected `:` and a flag, as in `flag:IPC_NOWAIT` or `!flag:IPC_CREAT`";
  bool has_access_mode = false;
  u32 count = 0;
  const char* const start = in.at();
  do {
    in.skip_blanks();
    const FaultSpan name = in.take_word("");
    if (name.length == 0) return in.complain() << "expected a flag, as `IPC_NOWAIT`";
    const FaultWord* const flag = find_fault_word(fault_flag_words(), name);
    if (flag == nullptr) return complain_of_word(draft, name, "flag", fault_flag_words());
    has_access_mode |= flag->value == 0;
    pred.value |= flag->value;
    pred.ops &= flag->ops;
    ++count;
  } while (in.take('|'));
  if (pred.ops == 0) return in.complain(in.since(start)) << "no call has all of these flags";
  if (has_access_mode && count > 1)
    return in.complain(in.since(start)) << "O_RDONLY is no bit: expected it alone";
  return true;
}

// --------------------------------------------------------------------------- texts

bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool has_slash(FaultSpan text) {
  for (const char* p = text.text; p != text.end(); ++p) {
    if (*p == '/') return true;
  }
  return false;
}

// "0.2.1": children are counted from 1.
bool is_fork_path(FaultSpan text) {
  bool is_first = true;
  const char* p = text.text;
  while (p != text.end()) {
    const char* const start = p;
    while (p != text.end() && *p >= '0' && *p <= '9') ++p;
    const bool is_zero = p - start == 1 && *start == '0';
    if (p == start || is_first != is_zero || (!is_first && *start == '0')) return false;
    is_first = false;
    if (p == text.end()) return true;
    if (*p++ != '.') return false;
  }
  return false;
}

// The last "+0x..." of LIB+0xOFFSET; nullptr if there is none.
const char* offset_in(FaultSpan text) {
  const char* p = text.end();
  while (p != text.text && is_hexadecimal(p[-1])) --p;
  const bool has_digits = p != text.end();
  if (!has_digits || p - text.text < 3 || p[-1] != 'x' || p[-2] != '0' || p[-3] != '+')
    return nullptr;
  return p - 3;
}

bool parse_caller(FaultDraft& draft, FaultPred& pred) {
  constexpr const char* kWhat = "a caller, as `libfoo.so` or `libfoo.so+0x1234`";
  FaultScanner& in = draft.in;
  FaultSpan text;
  pred.value = -1;
  if (!in.take_text(kWhat, &text)) return false;
  if (const char* const plus = offset_in(text)) {
    FaultScanner offset = in.over({plus + 1, static_cast<std::size_t>(text.end() - plus - 1)});
    if (!offset.take_number("an offset", {0, kLongMax}, &pred.value)) return false;
    text.length = static_cast<std::size_t>(plus - text.text);
  }
  if (text.length == 0) return in.complain(text) << "expected " << kWhat;
  if (has_slash(text)) return in.complain(text) << "expected a file's name without its folder";
  pred.text = draft.place_of(text);
  return true;
}

bool parse_name(FaultDraft& draft, FaultPred& pred) {
  FaultSpan text;
  if (!draft.in.take_text("a queue's name, as `/q*`", &text)) return false;
  const char c = text.text[0];
  if (c != '/' && c != '*' && c != '?' && c != '[')
    return draft.in.complain(text) << "a queue's name begins with `/`";
  pred.text = draft.place_of(text);
  return true;
}

bool parse_program(FaultDraft& draft, FaultPred& pred) {
  FaultSpan text;
  if (!draft.in.take_text("a program's name, as `work*`", &text)) return false;
  if (has_slash(text))
    return draft.in.complain(text) << "expected a program's name without its folder";
  pred.text = draft.place_of(text);
  return true;
}

bool parse_process(FaultDraft& draft, FaultPred& pred) {
  constexpr const char* kWhat = "a process's fork path, as `0` or `0.2.1`";
  FaultSpan text;
  if (!draft.in.take_text(kWhat, &text)) return false;
  if (!is_fork_path(text)) return draft.in.complain(text) << "expected " << kWhat;
  if (text.length >= kFaultPathMax)
    return draft.in.complain(text)
           << "a fork path has at most " << i64{kFaultPathMax - 1} << " bytes";
  pred.text = draft.place_of(text);
  return true;
}

bool parse_arguments(FaultDraft& draft, FaultPred& pred) {
  FaultScanner& in = draft.in;
  if (!in.take('~'))
    return in.complain() << "expected `~` and a regular expression, as in `argv~^worker`";
  FaultSpan text;
  if (!in.take_text("a regular expression", &text)) return false;
  const auto is_regex = draft.options.is_regex;
  if (is_regex != nullptr && !is_regex(text.text, text.length))
    return in.complain(text) << text << " is no extended regular expression";
  pred.text = draft.place_of(text);
  return true;
}

bool parse_after(FaultDraft& draft, FaultPred& pred) {
  FaultScanner& in = draft.in;
  if (!in.take(':')) return in.complain() << "expected `:` and a rule's id, as in `after:RULE`";
  FaultSpan id;
  in.skip_blanks();
  if (!take_fault_id(in, &id)) return false;
  if (id.is(draft.rule->id))
    return in.complain(id) << "a rule that waits for itself would never fire";
  pred.text = draft.place_of(id);
  return true;
}

// --------------------------------------------------------------------------- one predicate

bool parse_compared(FaultDraft& draft, const FaultWord& word, FaultPred& pred) {
  if (!take_compare(draft, word, &pred.compare)) return false;
  switch (pred.field) {
    case FaultField::Name: return parse_name(draft, pred);
    case FaultField::Program: return parse_program(draft, pred);
    case FaultField::Process: return parse_process(draft, pred);
    case FaultField::Caller: return parse_caller(draft, pred);
    default: return take_value(draft, pred);
  }
}

bool parse_field(FaultDraft& draft, const FaultWord& word, FaultPred& pred) {
  switch (pred.field) {
    case FaultField::Flag: return parse_flags(draft, pred);
    case FaultField::Arguments: return parse_arguments(draft, pred);
    case FaultField::After: return parse_after(draft, pred);
    case FaultField::Block: return true;
    default: return parse_compared(draft, word, pred);
  }
}

bool parse_predicate(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  in.skip_blanks();
  const char* const start = in.at();
  const bool is_negated = in.take('!');
  in.skip_blanks();
  const FaultSpan name = in.take_word("");
  if (name.length == 0)
    return in.complain() << "expected a predicate, as `key=5`, `size>4K` or `flag:IPC_NOWAIT`";
  const FaultWord* const word = find_fault_word(fault_field_words(), name);
  if (word == nullptr) return complain_of_word(draft, name, "predicate", fault_field_words());
  FaultRule& rule = *draft.rule;
  if (rule.pred_count == kFaultPreds)
    return in.complain(name) << "a rule has at most " << i64{kFaultPreds} << " predicates";
  FaultPred& pred = rule.preds[rule.pred_count];
  pred.field = static_cast<FaultField>(word->value);
  pred.compare = is_negated ? FaultCompare::NotEqual : FaultCompare::Equal;
  pred.ops = word->ops;
  if (is_negated && pred.field != FaultField::Flag)
    return in.complain({start, 1}) << "`!` stands in front of `flag:` alone";
  if (!parse_field(draft, *word, pred)) return false;
  draft.preds[rule.pred_count] = in.since(start);
  return narrow(draft, pred, draft.preds[rule.pred_count++]);
}

}  // namespace

bool parse_fault_predicates(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  if (!in.take('[')) return true;
  do {
    if (!parse_predicate(draft)) return false;
  } while (in.take(','));
  return in.take(']') || in.complain() << "expected `,` and a predicate, or `]`; quotes go around "
                                          "a text that has one of `,` `]` `;` in it";
}

}  // namespace ipcell
