#include "interpose/fault_settings.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/sys.h"
#include "core/ipc/fault.h"
#include "core/ipc/text.h"
#include "interpose/settings.h"

namespace ipcell {

namespace {

constexpr char kRules[] = "IPCELL_FAULTS";
constexpr char kSeed[] = "IPCELL_FAULT_SEED";
constexpr char kIllegal[] = "IPCELL_FAULT_ILLEGAL";

constexpr u64 kSeeds = 1'000'000'000;  // short enough to be typed

bool is_regex(const char* text, std::size_t length) {
  char copy[kFaultTextMax + 1];
  if (length > kFaultTextMax) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  regex_t regex;
  if (regcomp(&regex, copy, REG_EXTENDED | REG_NOSUB) != 0) return false;
  regfree(&regex);
  return true;
}

bool is_set(const char* name) {
  const char* value = getenv(name);
  return value != nullptr && *value != '\0' && strcmp(value, "0") != 0;
}

const char* rules_text() {
  const char* text = getenv(kRules);
  return text != nullptr ? text : "";
}

// Calls `visit(start, rule's length, rule)` for each rule, as long as it says true. False: it said
// no, or a rule is malformed, which `error` tells, and `start` where it begins.
template <class Visit>
bool for_each_rule(const char* text, FaultError* error, std::size_t* start, Visit visit) {
  const FaultParseOptions options{.allow_illegal = is_set(kIllegal), .is_regex = is_regex};
  const std::size_t size = strlen(text);
  for (*start = 0; *start < size;) {
    const std::size_t length = fault_rule_length(text + *start, size - *start);
    if (!is_fault_blank(text + *start, length)) {
      FaultRule rule = {};
      if (!parse_fault_rule(text + *start, length, options, &rule, error) || !visit(rule))
        return false;
    }
    *start += length + 1;
  }
  return true;
}

// "IPCELL_FAULTS:1:8: MESSAGE", the line, and a caret.
void tell(const char* text, std::size_t start, const FaultError& error) {
  const std::size_t size = strlen(text);
  std::size_t at = start + (error.column > 0 ? error.column - 1 : 0);
  if (at > size) at = size;
  unsigned line = 1;
  std::size_t line_start = 0;
  for (std::size_t n = 0; n < at; ++n) {
    if (text[n] != '\n') continue;
    ++line;
    line_start = n + 1;
  }
  char message[2 * kFaultTextMax + sizeof error.message];
  TextWriter out(message, sizeof message - 1);
  out.put(kRules);
  out.put_char(':');
  out.put_unsigned(line, 0);
  out.put_char(':');
  out.put_unsigned(at - line_start + 1, 0);
  out.put(": ");
  out.put(error.message);
  out.put("\n  ");
  for (std::size_t n = line_start; text[n] != '\0' && text[n] != '\n'; ++n) out.put_char(text[n]);
  out.put("\n  ");
  for (std::size_t n = line_start; n < at; ++n) {
    // The bytes of a character but the first take no room.
    if ((static_cast<u8>(text[n]) & 0xc0) != 0x80) out.put_char(text[n] == '\t' ? '\t' : ' ');
  }
  out.put_char('^');
  message[out.overflowed() ? sizeof message - 1 : out.used()] = '\0';
  say(message);
  say("none of the fault rules is in force");
}

u64 seed_to_use() {
  if (const char* text = getenv(kSeed); text != nullptr && *text != '\0') {
    char* end = nullptr;
    errno = 0;
    const u64 seed = strtoull(text, &end, 0);
    if (errno == 0 && *end == '\0' && *text != '-') return seed;
    say(kSeed, " is no number from 0 to 2^64-1: ", text);
  }
  u64 seed = 0;
  sys::call(SYS_getrandom, sys::arg(&seed), sizeof seed, 0);
  return seed % kSeeds;
}

void tell_seed(u64 seed) {
  char text[24];
  TextWriter out(text, sizeof text);
  out.put_unsigned(seed, 0);
  out.put_char('\0');
  say("fault rules are in force, seed ", text);
}

void tell_refusal(int error, const FaultRule& rule) {
  switch (error) {
    case -EEXIST: return say(kRules, ": the cell has a fault rule of that name: ", rule.id);
    case -ENOSPC: return say(kRules, ": the cell has no room for more fault rules");
    case -ENOMEM: return say(kRules, ": no memory for fault rules");
    default: return say(kRules, ": the cell is damaged");
  }
}

// What libc leaves in errno is not for the program to meet.
class KeptErrno {
 public:
  KeptErrno() : before_(errno) {}
  ~KeptErrno() { errno = before_; }
  KeptErrno(const KeptErrno&) = delete;
  KeptErrno& operator=(const KeptErrno&) = delete;

 private:
  int before_;
};

i32 own_pid() { return static_cast<i32>(sys::call(SYS_getpid)); }

// For remove_fault_rules().
bool is_of(const void* pid, const FaultRule& rule) {
  return rule.owner == *static_cast<const i32*>(pid);
}
// Of the processes of other pid namespaces that share the cell nothing is known here: their rules
// may go early.
bool is_of_dead(const void*, const FaultRule& rule) {
  return rule.owner > 0 && sys::call(SYS_kill, rule.owner, 0) == -ESRCH;
}

void add_all(Task& task, const char* text) {
  FaultError error;
  std::size_t start;
  bool is_seeded = false;
  const bool is_good = for_each_rule(text, &error, &start, [&](const FaultRule& rule) {
    is_seeded |= rule.trigger.chance < 1ull << 32;
    return true;
  });
  if (!is_good) return tell(text, start, error);
  if (is_seeded) {
    const u64 seed = seed_to_use();
    if (set_fault_seed(task, seed) == 0) tell_seed(seed);
  }
  const bool is_added = for_each_rule(text, &error, &start, [&](FaultRule& rule) {
    rule.owner = own_pid();
    const int result = add_fault_rule(task, rule);
    if (result != 0) tell_refusal(result, rule);
    return result == 0;
  });
  if (!is_added) remove_own_faults(task);
}

}  // namespace

bool has_faults_in_environment() { return *rules_text() != '\0'; }

void add_faults_of_environment(Task& task) {
  const KeptErrno kept;
  add_all(task, rules_text());
  for (const char* name : {kRules, kSeed, kIllegal}) unsetenv(name);
}

void remove_faults_of_dead(Task& task) {
  if (!has_faults(*task.cell)) [[likely]]
    return;
  remove_fault_rules(task, is_of_dead, nullptr);
}

void remove_own_faults(Task& task) {
  if (!has_faults(*task.cell)) return;
  const i32 own = own_pid();
  remove_fault_rules(task, is_of, &own);
}

}  // namespace ipcell
