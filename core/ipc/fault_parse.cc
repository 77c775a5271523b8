// A rule's frame: its place in the text, id and calls. The other parts: fault_predicates.cc,
// fault_triggers.cc, fault_actions.cc; then fault_legal.cc judges the whole.
#include "core/ipc/fault_parse.h"

#include "core/ipc/fault_draft.h"

namespace ipcell {

namespace {

constexpr const char* kIdChars = "_.-";

bool is_blank_or_end(char c) { return is_fault_space(c) || c == '\n'; }

// How far a rule goes: with its comment, and without.
struct Extent {
  std::size_t content, whole;
};

Extent extent_of(const char* text, std::size_t length) {
  bool is_quoted = false, is_behind_blank = true;
  for (std::size_t n = 0; n < length; ++n) {
    const char c = text[n];
    if (c == '\n' || (c == ';' && !is_quoted)) return {n, n};
    if (c == '#' && is_behind_blank && !is_quoted) {
      const std::size_t comment = n;
      while (n < length && text[n] != '\n') ++n;
      return {comment, n};
    }
    if (c == '"') is_quoted = !is_quoted;
    is_behind_blank = is_fault_space(c);
  }
  return {length, length};
}

// --------------------------------------------------------------------------- calls

// The calls that the word stands for; 0 if there are none.
u32 calls_of(FaultSpan word, u32* named) {
  if (const FaultWord* call = find_fault_word(fault_call_words(), word)) {
    *named |= call->ops;
    return call->ops;
  }
  if (const FaultWord* group = find_fault_word(fault_group_words(), word)) return group->ops;
  u32 ops = 0;
  for (const FaultWord& call : fault_call_words()) {
    if (matches_fault_glob(word, call.name)) ops |= call.ops;
  }
  return ops;
}

bool complain_of_call(const FaultDraft& draft, FaultSpan word) {
  for (const FaultWord& group : fault_group_words()) {
    const FaultSpan family = {group.name, __builtin_strlen(group.name) - 2};
    if (family.length == word.length && __builtin_memcmp(family.text, word.text, word.length) == 0)
      return draft.in.complain(word)
             << "there is no call " << word << "; did you mean `" << group.name << "`?";
  }
  for (std::size_t n = 0; n < word.length; ++n) {
    if (word.text[n] == '*' || word.text[n] == '?')
      return draft.in.complain(word) << "no call's name matches " << word;
  }
  return complain_of_word(draft, word, "call", fault_call_words());
}

bool parse_calls(FaultDraft& draft) {
  FaultScanner& in = draft.in;
  do {
    in.skip_blanks();
    const FaultSpan word = in.take_word("_.*?");
    if (word.length == 0)
      return in.complain() << "expected a call, as `msgsnd`, or a group of calls, as `sysv.*`";
    const u32 ops = calls_of(word, &draft.named);
    if (ops == 0) return complain_of_call(draft, word);
    draft.ops |= ops;
  } while (in.take('|'));
  in.skip_blanks();
  if (in.peek() == ',') return in.complain() << "expected `|` between calls";
  return true;
}

// --------------------------------------------------------------------------- the frame

// Takes "ID :" if that comes next.
bool parse_id(FaultDraft& draft) {
  FaultScanner ahead = draft.in;
  const FaultSpan word = ahead.take_word(kIdChars);
  if (!ahead.take(':')) return true;
  if (word.length == 0)
    return draft.in.complain({draft.in.at(), 1}) << "expected the rule's id in front of the `:`";
  FaultSpan id;
  if (!take_fault_id(draft.in, &id)) return false;
  for (std::size_t n = 0; n < id.length; ++n) draft.rule->id[n] = id.text[n];
  draft.in = ahead;
  draft.in.skip_blanks();
  return true;
}

bool check_characters(const FaultScanner& in, FaultSpan content) {
  for (const char* p = content.text; p != content.end(); ++p) {
    const u8 c = static_cast<u8>(*p);
    if ((c < ' ' && c != '\t') || c == 0x7f)
      return in.complain({p, 1}) << "a control character: number " << i64{c};
  }
  return true;
}

bool keep_text(FaultDraft& draft, const char* end) {
  const std::size_t length = static_cast<std::size_t>(end - draft.text);
  if (length >= kFaultTextMax) {
    return draft.in.complain({draft.text + kFaultTextMax - 1, length - kFaultTextMax + 1})
           << "a rule has at most " << i64{kFaultTextMax - 1} << " bytes";
  }
  __builtin_memcpy(draft.rule->text, draft.text, length);
  draft.rule->text_length = static_cast<u32>(length);
  return true;
}

bool parse_content(FaultDraft& draft, const char* end) {
  draft.in.skip_blanks();
  if (draft.in.is_at_end()) {
    return draft.in.complain() << "there is no rule; expected one as `msgsnd@3=err(ENOMEM)`";
  }
  if (!parse_id(draft)) return false;
  draft.text = draft.in.at();
  if (!keep_text(draft, end) || !parse_calls(draft) || !parse_fault_predicates(draft) ||
      !parse_fault_triggers(draft) || !parse_fault_actions(draft) || !judge_fault_rule(draft))
    return false;
  draft.rule->ops = draft.ops;
  return true;
}

}  // namespace

bool complain_of_word(const FaultDraft& draft, FaultSpan name, const char* kind, FaultWords words) {
  const FaultComplaint complaint = draft.in.complain(name);
  complaint << "there is no " << kind << " " << name;
  if (const FaultWord* nearest = nearest_fault_word(words, name))
    return complaint << "; did you mean `" << nearest->name << "`?";
  return (complaint << "; expected ").list(words);
}

bool take_fault_id(FaultScanner& in, FaultSpan* id) {
  *id = in.take_word(kIdChars);
  if (id->length == 0) return in.complain() << "expected a rule's id";
  if (id->text[0] == '-' || id->text[0] == '.')
    return in.complain(*id) << "a rule's id begins with a letter, a digit or `_`";
  if (id->length >= kFaultIdMax)
    return in.complain(*id) << "a rule's id has at most " << i64{kFaultIdMax - 1} << " bytes";
  return true;
}

std::size_t fault_rule_length(const char* text, std::size_t length) {
  return extent_of(text, length).whole;
}

bool is_fault_blank(const char* text, std::size_t length) {
  for (std::size_t n = 0; n < length; ++n) {
    // A comment behind the first non-blank has something in front of it.
    if (text[n] == '#') return extent_of(text + n, length - n).whole == length - n;
    if (!is_blank_or_end(text[n])) return false;
  }
  return true;
}

bool parse_fault_rule(const char* text, std::size_t length, const FaultParseOptions& options,
                      FaultRule* rule, FaultError* error) {
  *rule = {};
  *error = {};
  const char* start = text;
  const char* const last = text + length;
  while (start != last && is_blank_or_end(*start)) ++start;
  const Extent extent = extent_of(start, static_cast<std::size_t>(last - start));
  const char* end = start + extent.content;
  while (end != start && is_fault_space(end[-1])) --end;
  FaultDraft draft = {FaultScanner(text, static_cast<std::size_t>(end - text), error), options,
                      rule};
  draft.in.advance(static_cast<std::size_t>(start - text));
  const FaultScanner whole = draft.in;
  if (!check_characters(whole, {start, static_cast<std::size_t>(end - start)}) ||
      !parse_content(draft, end)) {
    *rule = {};
    return false;
  }
  for (const char* p = start + extent.whole; p != last; ++p) {
    if (is_blank_or_end(*p) || *p == ';') continue;
    *rule = {};
    return whole.complain({p, 1}) << "expected one rule, and its end; here another one begins";
  }
  return true;
}

}  // namespace ipcell
