#include <fcntl.h>
#include <sys/msg.h>

#include "core/base/clock.h"
#include "core/ipc/fault_call.h"

namespace ipcell {

namespace {

constexpr u64 kChanceUnit = 1ull << 32;
// Beside those of FaultScope: where the draws of a rule for all are counted.
constexpr u64 kDrawScope = 16;

// --------------------------------------------------------------------------- texts

struct Span {
  const char* text;
  std::size_t length;
};

Span text_of(const FaultRule& rule, const FaultText& part) {
  const u32 start = part.start < kFaultTextMax ? part.start : 0;
  const u32 room = kFaultTextMax - start;
  return {rule.text + start, part.length < room ? part.length : room};
}

bool is_same(const Span& span, const char* text) {
  return __builtin_strlen(text) == span.length &&
         __builtin_memcmp(span.text, text, span.length) == 0;
}

// A set of characters, "[a-z]" or "[!a-z]", at the start of the pattern: whether `c` is in it, and
// its length; 0 if it is not closed, and so no set.
std::size_t match_set(const Span& pattern, char c, bool* is_in) {
  std::size_t at = 1;
  const bool is_negated =
      at < pattern.length && (pattern.text[at] == '!' || pattern.text[at] == '^');
  if (is_negated) ++at;
  bool is_found = false;
  for (std::size_t first = at; at < pattern.length; ++at) {
    if (pattern.text[at] == ']' && at != first) {
      *is_in = is_found != is_negated;
      return at + 1;
    }
    const char low = pattern.text[at];
    char high = low;
    if (at + 2 < pattern.length && pattern.text[at + 1] == '-' && pattern.text[at + 2] != ']') {
      high = pattern.text[at + 2];
      at += 2;
    }
    is_found |= low <= c && c <= high;
  }
  return 0;
}

// How much of the pattern stands for the character `c`: 0 if it does not.
std::size_t match_one(const Span& pattern, char c) {
  if (pattern.text[0] == '?') return 1;
  if (pattern.text[0] == '[') {
    bool is_in = false;
    const std::size_t length = match_set(pattern, c, &is_in);
    if (length != 0) return is_in ? length : 0;
  }
  if (pattern.text[0] == '\\' && pattern.length > 1) return pattern.text[1] == c ? 2 : 0;
  return pattern.text[0] == c ? 1 : 0;
}

// As fnmatch(3) without flags.
bool matches_glob(Span pattern, const char* text) {
  Span star = {nullptr, 0};
  const char* retry = nullptr;
  while (*text != '\0') {
    const bool is_star = pattern.length != 0 && pattern.text[0] == '*';
    const std::size_t length = pattern.length != 0 && !is_star ? match_one(pattern, *text) : 0;
    if (is_star) {
      star = pattern = {pattern.text + 1, pattern.length - 1};
      retry = text;
    } else if (length != 0) {
      pattern = {pattern.text + length, pattern.length - length};
      ++text;
    } else if (retry != nullptr) {
      pattern = star;
      text = ++retry;
    } else {
      return false;
    }
  }
  while (pattern.length != 0 && pattern.text[0] == '*')
    pattern = {pattern.text + 1, pattern.length - 1};
  return pattern.length == 0;
}

// --------------------------------------------------------------------------- predicates

bool compare(i64 have, FaultCompare how, i64 wanted) {
  switch (how) {
    case FaultCompare::Equal: return have == wanted;
    case FaultCompare::NotEqual: return have != wanted;
    case FaultCompare::Less: return have < wanted;
    case FaultCompare::AtMost: return have <= wanted;
    case FaultCompare::Greater: return have > wanted;
    case FaultCompare::AtLeast: return have >= wanted;
  }
  return false;
}

bool has_flag(FaultFacts& facts, i64 wanted) {
  const u32 flags = facts.flags();
  const u32 bits = static_cast<u32>(wanted);
  const bool is_open = facts.args().op == FaultOp::MqOpen;
  if (is_open && bits <= O_RDWR) return (flags & O_ACCMODE) == bits;
  return (flags & bits) == bits;
}

// One of the semaphores that the call is about.
bool is_about(FaultFacts& facts, const FaultPred& pred) {
  if (facts.args().op == FaultOp::Semctl)
    return compare(facts.args().number, pred.compare, pred.value);
  bool is_found = false;
  facts.for_each_op(
      [&](u16 num, std::int16_t, u32) { is_found |= compare(num, pred.compare, pred.value); });
  return is_found;
}

bool is_id(const Span& wanted, const char (&id)[kFaultIdMax]) {
  if (wanted.length >= kFaultIdMax || id[wanted.length] != '\0') return false;
  return __builtin_memcmp(wanted.text, id, wanted.length) == 0;
}

bool has_fired(const Cell& cell, const Span& id) {
  for (u32 n = 0; n < kFaultRules; ++n) {
    const FaultRec* rec = fault_rule_at(cell, n);
    if (rec != nullptr && is_id(id, rec->rule.id)) return load_relaxed(rec->fired) != 0;
  }
  return false;
}

bool is_called_from(FaultFacts& facts, const FaultRule& rule, const FaultPred& pred) {
  if (!matches_glob(text_of(rule, pred.text), facts.caller())) return false;
  return pred.value < 0 || static_cast<u64>(pred.value) == facts.caller_offset();
}

bool holds_text(FaultFacts& facts, const FaultRec& rec, const FaultPred& pred) {
  const FaultHost* host = facts.task().fault_host;
  const Span text = text_of(rec.rule, pred.text);
  switch (pred.field) {
    case FaultField::Name: return matches_glob(text, facts.name());
    case FaultField::Program: return host != nullptr && matches_glob(text, host->program);
    case FaultField::Arguments:
      return host != nullptr && host->matches != nullptr && host->matches(*host, rec, pred);
    case FaultField::Process: return is_same(text, host != nullptr ? host->path : "0");
    case FaultField::Caller: return is_called_from(facts, rec.rule, pred);
    case FaultField::After: return has_fired(*facts.task().cell, text);
    default: return false;
  }
}

// False: the call has no such number.
bool read_number(FaultFacts& facts, FaultField field, i64* number) {
  const FaultArgs& args = facts.args();
  switch (field) {
    case FaultField::Key: return facts.read_key(number);
    case FaultField::Id: *number = args.id >= 0 ? args.id : facts.object_id(); return *number >= 0;
    case FaultField::Type: *number = facts.type(); return true;
    case FaultField::Prio: *number = args.priority; return true;
    case FaultField::Size: *number = static_cast<i64>(args.size); return true;
    case FaultField::Nsems: *number = args.number; return true;
    case FaultField::Command: *number = args.command; return true;
    case FaultField::Depth: *number = facts.depth(); return *number >= 0;
    case FaultField::Thread: *number = facts.task().thread_number; return true;
    case FaultField::Uid: *number = facts.task().cred->euid; return true;
    default: return false;
  }
}

bool holds(FaultFacts& facts, const FaultRec& rec, const FaultPred& pred) {
  if ((pred.ops & bit_of(facts.args().op)) == 0) return false;
  switch (pred.field) {
    case FaultField::Flag:
      return has_flag(facts, pred.value) == (pred.compare != FaultCompare::NotEqual);
    case FaultField::Sem: return is_about(facts, pred);
    case FaultField::Block: return true;  // asked when the call is about to sleep
    case FaultField::Name:
    case FaultField::Program:
    case FaultField::Arguments:
    case FaultField::Process:
    case FaultField::Caller:
    case FaultField::After:
      return holds_text(facts, rec, pred) == (pred.compare != FaultCompare::NotEqual);
    default: {
      i64 have;
      return read_number(facts, pred.field, &have) && compare(have, pred.compare, pred.value);
    }
  }
}

// --------------------------------------------------------------------------- triggers

bool is_for_sleepers(const FaultAction& action) {
  switch (action.act) {
    case FaultAct::Interrupt:
    case FaultAct::Timeout: return true;
    case FaultAct::Error: return action.number == EINTR || action.number == ETIMEDOUT;
    default: return action.point == FaultPoint::Blocked || action.point == FaultPoint::Woken;
  }
}

// What can be done to any call, at whatever point.
bool is_neutral(const FaultAction& action) {
  switch (action.act) {
    case FaultAct::Yield:
    case FaultAct::Stop:
    case FaultAct::Signal:
    case FaultAct::Log:
    case FaultAct::Off: return true;
    default: return action.point == FaultPoint::Exit;
  }
}

// The rule is about calls that are about to sleep: it says so, or has nothing to do with others.
bool waits_for_block(const FaultRule& rule) {
  for (u32 n = 0; n < rule.preds_used(); ++n) {
    if (rule.preds[n].field == FaultField::Block) return true;
  }
  // An interrupted msgget, say.
  if (rule.is_illegal != 0) return false;
  bool has_sleeper = false;
  for (u32 n = 0; n < rule.actions_used(); ++n) {
    if (is_for_sleepers(rule.actions[n])) {
      has_sleeper = true;
    } else if (!is_neutral(rule.actions[n])) {
      return false;
    }
  }
  return has_sleeper;
}

u64 process_hash(const Task& task) {
  const char* path = task.fault_host != nullptr ? task.fault_host->path : "0";
  return hash_fault_text(path, __builtin_strlen(path));
}

// Where the calls of one rule and scope are counted.
struct Counts {
  u64* matched;
  u64* fired;
};

Counts counts_in(FaultFacts& facts, FaultRec& rec, FaultScope scope) {
  u64 key = mix_fault_hash(rec.serial, static_cast<u64>(scope));
  switch (scope) {
    case FaultScope::Process: key = mix_fault_hash(key, process_hash(facts.task())); break;
    case FaultScope::Thread:
      key = mix_fault_hash(key, process_hash(facts.task()));
      key = mix_fault_hash(key, facts.task().thread_number);
      break;
    case FaultScope::Object: key = mix_fault_hash(key, facts.object_hash()); break;
    default: return {&rec.matched, &rec.fired};
  }
  FaultCounter* counter = fault_counter(*facts.task().cell, key);
  return counter != nullptr ? Counts{&counter->matched, &counter->fired} : Counts{nullptr, nullptr};
}

u64 count(u64& word) { return __atomic_add_fetch(&word, 1, __ATOMIC_RELAXED); }

// A draw that is the same whenever seed, rule, process and number of the call are.
bool is_drawn(FaultFacts& facts, FaultRec& rec, u64 number) {
  const FaultTrigger& trigger = rec.rule.trigger;
  if (trigger.chance >= kChanceUnit) return true;
  u64 hash = mix_fault_hash(load_relaxed(facts.task().cell->layout().faults.seed),
                            process_hash(facts.task()));
  const u32 length = rec.rule.text_length < kFaultTextMax ? rec.rule.text_length : kFaultTextMax;
  hash = hash_fault_text(rec.rule.text, length, hash);
  return mix_fault_hash(hash, number) % kChanceUnit < trigger.chance;
}

bool is_time(const FaultRec& rec) {
  const FaultTrigger& trigger = rec.rule.trigger;
  if (trigger.from_ns == 0 && trigger.to_ns == FaultTrigger().to_ns) return true;
  const i64 age = nanoseconds_of(CLOCK_MONOTONIC) - rec.added_ns;
  return age >= trigger.from_ns && age < trigger.to_ns;
}

bool is_in_turn(const FaultTrigger& trigger, u64 number) {
  if (number < trigger.first || number > trigger.last || number <= trigger.skip) return false;
  return (number - trigger.first) % (trigger.step != 0 ? trigger.step : 1) == 0;
}

// The call matches: counts it, and says whether the rule fires.
bool fires(FaultFacts& facts, FaultRec& rec) {
  const FaultTrigger& trigger = rec.rule.trigger;
  const Counts counts = counts_in(facts, rec, trigger.scope);
  if (counts.matched == nullptr) return false;
  const u64 number = count(*counts.matched);
  if (counts.matched != &rec.matched) count(rec.matched);
  // How often this process has come here decides what is drawn, whoever else did.
  u64 draw = number;
  if (trigger.chance < kChanceUnit && trigger.scope == FaultScope::Global) {
    FaultCounter* own =
        fault_counter(*facts.task().cell, mix_fault_hash(mix_fault_hash(rec.serial, kDrawScope),
                                                         process_hash(facts.task())));
    if (own == nullptr) return false;
    draw = count(own->matched);
  }
  if (!is_in_turn(trigger, number) || !is_time(rec) || !is_drawn(facts, rec, draw)) return false;
  if (trigger.times != FaultTrigger().times) {
    u64 fired = load_relaxed(*counts.fired);
    do {
      if (fired >= trigger.times) return false;
    } while (!compare_exchange(*counts.fired, fired, fired + 1));
    if (counts.fired != &rec.fired) count(rec.fired);
    return true;
  }
  count(*counts.fired);
  if (counts.fired != &rec.fired) count(rec.fired);
  return true;
}

// Behind such an action no other rule is asked.
bool ends_call(const FaultAction& action) {
  switch (action.act) {
    case FaultAct::Error:
    case FaultAct::Interrupt:
    case FaultAct::Timeout:
    case FaultAct::Exit:
    case FaultAct::Drop: return true;
    case FaultAct::Kill: return action.point != FaultPoint::Exit;
    default: return false;
  }
}

bool matches(FaultFacts& facts, const FaultRec& rec, bool is_blocked) {
  const FaultRule& rule = rec.rule;
  if ((rule.ops & bit_of(facts.args().op)) == 0 || load_relaxed(rec.is_off) != 0) return false;
  if (waits_for_block(rule) != is_blocked) return false;
  for (u32 n = 0; n < rule.preds_used(); ++n) {
    if (!holds(facts, rec, rule.preds[n])) return false;
  }
  return true;
}

}  // namespace

u64 mix_fault_hash(u64 hash, u64 value) {
  // The finalizer of MurmurHash3, which spreads each bit over the whole word.
  unsigned long long mixed = hash * 0x9e3779b97f4a7c15ull + value;
  mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccdull;
  mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53ull;
  return mixed ^ mixed >> 33;
}

u64 hash_fault_text(const char* text, std::size_t length, u64 hash) {
  for (std::size_t n = 0; n < length; ++n)
    hash = (hash ^ static_cast<u8>(text[n])) * 1099511628211ull;
  return hash;
}

u32 choose_faults(FaultFacts& facts, bool is_blocked, FaultStep* steps, u32 chosen) {
  FaultTable& table = facts.task().cell->layout().faults;
  // In the order in which they were added.
  u32 last = 0;
  // The places are taken in turn: those behind have never been used.
  const u32 serials = load_relaxed(table.next_serial);
  const u32 places = serials < kFaultRules ? serials : kFaultRules;
  for (u32 turn = 0; turn < places; ++turn) {
    FaultRec* rec = nullptr;
    for (u32 n = 0; n < places; ++n) {
      FaultRec& other = table.rules[n];
      if (load_acquire(other.state) != kFaultSet || other.serial <= last) continue;
      if (rec == nullptr || other.serial < rec->serial) rec = &other;
    }
    if (rec == nullptr) break;
    last = rec->serial;
    if (!matches(facts, *rec, is_blocked)) continue;
    // A rule is followed as a whole, or not at all.
    if (chosen + rec->rule.actions_used() > kFaultSteps) {
      count(rec->refused);
      continue;
    }
    if (!fires(facts, *rec)) continue;
    bool is_end = false;
    for (u32 n = 0; n < rec->rule.actions_used() && chosen < kFaultSteps; ++n) {
      steps[chosen++] = {rec->rule.actions[n], rec, rec->rule.is_illegal != 0, false};
      is_end |= ends_call(rec->rule.actions[n]);
    }
    if (is_end) break;
  }
  return chosen;
}

}  // namespace ipcell
