// Texts that are meant to be fault rules: parts of the grammar put together at random, good rules
// with damage, and bytes. The parser never crashes; what it refuses it says where and why, and what
// it takes it takes again from the rule's own text.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "core/ipc/fault_parse.h"
#include "tests/fuzz/fuzz.h"

namespace fuzz {

namespace {

using ipcell::FaultError;
using ipcell::FaultParseOptions;
using ipcell::FaultRule;

// --------------------------------------------------------------------------- texts

// Alternatives, of which one is drawn.
struct Choice {
  std::vector<const char*> texts;
  const char* draw(Rng& rng) const { return texts[rng.below(texts.size())]; }
};

const Choice kCalls = {{"msgsnd",
                        "msgrcv",
                        "msgget",
                        "msgctl",
                        "semget",
                        "semop",
                        "semtimedop",
                        "semctl",
                        "shmget",
                        "shmat",
                        "shmdt",
                        "shmctl",
                        "mq_open",
                        "mq_close",
                        "mq_unlink",
                        "mq_send",
                        "mq_timedsend",
                        "mq_receive",
                        "mq_timedreceive",
                        "mq_notify",
                        "mq_getattr",
                        "mq_setattr",
                        "sysv.*",
                        "posix.*",
                        "msg.*",
                        "sem.*",
                        "shm.*",
                        "mq.*",
                        "mq_*",
                        "*",
                        "*get",
                        "sem?op",
                        "msgsend"}};
const Choice kPredicates = {{"key=5",
                             "key!=IPC_PRIVATE",
                             "name=/q*",
                             "name=\"/[a-c],\"",
                             "id=32768",
                             "type=-3",
                             "type<9",
                             "prio>=31",
                             "size>4K",
                             "size<=0x10",
                             "nsems=3",
                             "sem=2",
                             "cmd=IPC_RMID",
                             "cmd!=SETVAL",
                             "cmd=MSG_STAT",
                             "cmd=77",
                             "flag:IPC_NOWAIT",
                             "!flag:IPC_NOWAIT",
                             "flag:IPC_CREAT|IPC_EXCL",
                             "!flag:O_CREAT",
                             "flag:O_RDONLY",
                             "flag:SHM_RND",
                             "depth>7",
                             "block",
                             "prog=work?",
                             "prog=\"a,b\"",
                             "argv~^x (a|b)$",
                             "argv~\"a;[],\"",
                             "proc=0",
                             "proc=0.2.1",
                             "thread!=0",
                             "uid>=1000",
                             "caller=libfoo.so",
                             "caller=libfoo.so+0x12",
                             "after:r1"}};
const Choice kFields = {{"key=",  "key!=",   "name=",  "id=",     "id!=",   "type=", "type<",
                         "prio=", "prio>=",  "size>",  "size<=",  "nsems=", "sem=",  "cmd=",
                         "cmd!=", "flag:",   "!flag:", "depth>",  "block",  "prog=", "argv~",
                         "proc=", "thread=", "uid=",   "caller=", "after:", "!",     "sise="}};
const Choice kValues = {{"0",
                         "1",
                         "-1",
                         "0x1234",
                         "017",
                         "4K",
                         "2M",
                         "9223372036854775807",
                         "9223372036854775808",
                         "18446744073709551616",
                         "IPC_PRIVATE",
                         "IPC_RMID",
                         "SETVAL",
                         "MSG_STAT",
                         "IPC_NOWAIT",
                         "IPC_CREAT|SHM_RND",
                         "O_CREAT",
                         "O_RDONLY",
                         "SEM_UNDO",
                         "/q*",
                         "\"a,b;]\"",
                         "^x$",
                         "0.2.1",
                         "libfoo.so+0x12",
                         "\"\"",
                         "\"",
                         "r1",
                         ""}};
const Choice kTriggers = {{"@3",         "@3+",           "@3+2",       "@3..7",    "@3..7+2",
                           "@0",         "@9..2",         "skip=1",     "times=2",  "p=0.5",
                           "p=25%",      "p=1.000000000", "p=2",        "t=5s..9s", "t=1.5ms..",
                           "t=..2h",     "t=..",          "per=global", "per=proc", "per=thread",
                           "per=object", "per=x",         "@",          "skip"}};
const Choice kActions = {{"err(ENOMEM)",
                          "err(EINTR)",
                          "err(EAGAIN)",
                          "err(ENOSYS)",
                          "err(EIDRM)",
                          "err(12)",
                          "err(4096)",
                          "err(X)",
                          "eintr",
                          "rmid(before)",
                          "rmid(blocked)",
                          "limit(msgmni=0)",
                          "limit(shmmax=1G)",
                          "limit(msg_max=0)",
                          "full",
                          "empty",
                          "busy",
                          "timeout",
                          "delay(enter,10ms)",
                          "delay(blocked, 1.5s)",
                          "delay(woken,3us)",
                          "delay(exit,2ns)",
                          "yield",
                          "stop(1s)",
                          "sig(SIGTERM)",
                          "sig(9)",
                          "kill(before)",
                          "kill(blocked)",
                          "kill(after)",
                          "exit(3)",
                          "log",
                          "off",
                          "unsafe.corrupt",
                          "unsafe.drop",
                          "unsafe.dup",
                          "err",
                          "delay(",
                          "kill()"}};
// What a damage puts in.
const Choice kPieces = {{"[",  "]",    "(",      ")",     ",",    "=",   "->",
                         "|",  "@",    "+",      "..",    ".",    ":",   ";",
                         "\n", "#",    " #",     "\"",    "!",    "~",   "*",
                         "?",  "%",    " ",      "\t",    "-",    "0",   "99999999999999999999",
                         "a",  "=log", "sysv.*", "flag:", "\x80", "\xff"}};

std::string draw_rule(Rng& rng) {
  std::string text;
  // Some have more predicates or actions, or a longer text, than a rule has room for.
  const unsigned more = rng.chance(3) ? 93 : 35;
  if (rng.chance(20)) text += rng.chance(80) ? "id-1: " : "x:";
  text += rng.chance(40) ? "*" : kCalls.draw(rng);
  while (rng.chance(10)) text += std::string(rng.chance(50) ? "|" : " | ") + kCalls.draw(rng);
  if (rng.chance(50)) {
    std::string separator = "[";
    do {
      text += separator;
      text += rng.chance(90) ? kPredicates.draw(rng)
                             : std::string(kFields.draw(rng)) + kValues.draw(rng);
      separator = rng.chance(50) ? "," : " , ";
    } while (rng.chance(more));
    for (std::uint64_t n = rng.chance(3) ? rng.below(16) : 0; n > 0; --n) text += ",uid!=0";
    if (rng.chance(2)) text += ",prog=" + std::string(rng.below(600), 'x');
    text += "]";
  }
  while (rng.chance(25)) text += std::string(rng.chance(90) ? " " : "") + kTriggers.draw(rng);
  text += rng.chance(50) ? "=" : " = ";
  text += kActions.draw(rng);
  while (rng.chance(more)) text += std::string("->") + kActions.draw(rng);
  if (rng.chance(5)) text += " # why; not";
  return text;
}

void damage(Rng& rng, std::string& text) {
  const std::size_t at = rng.below(text.size() + 1);
  switch (rng.below(6)) {
    case 0: text.insert(at, kPieces.draw(rng)); break;
    case 1: text.erase(at, rng.below(4) + 1); break;
    case 2: text.resize(at); break;
    case 3: text.insert(at, text.substr(rng.below(text.size() + 1), rng.below(40))); break;
    case 4: text.insert(at, draw_rule(rng)); break;
    default:
      if (at < text.size()) text[at] = static_cast<char>(rng.next());
      break;
  }
}

std::string draw_bytes(Rng& rng) {
  std::string text(rng.below(rng.chance(5) ? 2000 : 60), '\0');
  for (char& c : text) c = static_cast<char>(rng.chance(70) ? ' ' + rng.below(95) : rng.next());
  return text;
}

std::string draw_text(Rng& rng) {
  if (rng.chance(5)) return draw_bytes(rng);
  std::string text = draw_rule(rng);
  while (rng.chance(40)) damage(rng, text);
  return text;
}

// --------------------------------------------------------------------------- what has to hold

// A text that ends where the mapping does, so that who reads behind it is caught whatever the text
// came from.
class Edge {
 public:
  Edge() {
    void* const start =
        mmap(nullptr, 2 * kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) std::abort();
    end_ = static_cast<char*>(start) + kSize;
    mprotect(end_, kSize, PROT_NONE);
  }
  const char* place(const std::string& text) const {
    char* const at = end_ - (text.size() < kSize ? text.size() : kSize);
    std::memcpy(at, text.data(), static_cast<std::size_t>(end_ - at));
    return at;
  }
  static constexpr std::size_t kSize = 1 << 16;

 private:
  char* end_;
};

struct Counts {
  long good = 0, illegal = 0, bad = 0;
};

const char* check_refusal(const FaultError& error, std::size_t length) {
  if (error.column < 1 || error.column > length + 1) return "the column is outside of the text";
  if (error.length < 1 || error.column + error.length > length + 2)
    return "the length is outside of the text";
  if (std::memchr(error.message, '\0', sizeof error.message) == nullptr)
    return "the message has no end";
  if (error.message[0] == '\0') return "there is no message";
  return nullptr;
}

const char* check_rule(const FaultRule& rule, bool is_illegal_allowed) {
  if (rule.ops == 0 || rule.ops >> ipcell::kFaultOps != 0) return "no such calls";
  if (rule.action_count == 0 || rule.action_count > ipcell::kFaultActions) return "action count";
  if (rule.pred_count > ipcell::kFaultPreds) return "predicate count";
  if (rule.text_length == 0 || rule.text_length >= ipcell::kFaultTextMax) return "text length";
  if (rule.is_illegal != 0 && !is_illegal_allowed) return "illegal";
  const ipcell::FaultTrigger& t = rule.trigger;
  if (t.first < 1 || t.last < t.first || t.step < 1 || t.times < 1 || t.chance > 1ull << 32 ||
      t.from_ns < 0 || t.to_ns <= t.from_ns)
    return "trigger out of range";
  for (std::uint32_t n = 0; n < rule.pred_count; ++n) {
    const ipcell::FaultText place = rule.preds[n].text;
    if (place.start + place.length > rule.text_length) return "a place outside of the text";
    if ((rule.ops & ~static_cast<std::uint64_t>(rule.preds[n].ops)) != 0)
      return "a call without the field";
  }
  FaultRule again, same = rule;
  FaultError error;
  FaultParseOptions options;
  options.allow_illegal = is_illegal_allowed;
  if (!parse_fault_rule(rule.text, rule.text_length, options, &again, &error))
    return "its own text is refused";
  std::memset(same.id, 0, sizeof same.id);
  if (std::memcmp(&same, &again, sizeof same) != 0) return "its own text is another rule";
  return nullptr;
}

// nullptr, or what is wrong.
const char* check_text(const Edge& edge, const std::string& text, Counts* counts) {
  const char* const at = edge.place(text);
  FaultRule rule;
  FaultError error;
  FaultParseOptions options;
  const bool is_good = parse_fault_rule(at, text.size(), options, &rule, &error);
  if (const char* wrong = is_good ? check_rule(rule, false) : check_refusal(error, text.size()))
    return wrong;
  const bool is_illegal = !is_good && error.is_illegal != 0;
  options.allow_illegal = true;
  const bool is_allowed = parse_fault_rule(at, text.size(), options, &rule, &error);
  if (is_allowed && rule.is_illegal == 0 && !is_good) return "refused without a need";
  if (is_good && !is_allowed) return "refused only where more is allowed";
  if (is_good && rule.is_illegal != 0) return "legal and illegal";
  if (const char* wrong = is_allowed ? check_rule(rule, true) : check_refusal(error, text.size()))
    return wrong;
  // Another of its actions may be without a meaning.
  if (is_allowed && !is_good && !is_illegal) return "allowed, and the refusal did not say so";
  ++(is_good ? counts->good : is_allowed ? counts->illegal : counts->bad);
  return nullptr;
}

const char* check_lengths(const Edge& edge, const std::string& text) {
  const char* at = edge.place(text);
  std::size_t left = text.size();
  while (left > 0) {
    const std::size_t length = ipcell::fault_rule_length(at, left);
    if (length > left) return "a rule longer than the text";
    if (length < left && at[length] != ';' && at[length] != '\n') return "a rule ends anywhere";
    const bool is_blank = ipcell::is_fault_blank(at, length);
    FaultRule rule;
    FaultError error;
    const bool is_parsed = parse_fault_rule(at, length, {}, &rule, &error);
    if (is_blank && is_parsed) return "blank, and a rule";
    at += length;
    left -= length;
    if (left > 0) ++at, --left;
  }
  return nullptr;
}

void show(std::uint64_t seed, const std::string& text, const char* wrong) {
  std::printf("FAILED: --only --seed %llu: %s:", static_cast<unsigned long long>(seed), wrong);
  for (const char c : text) {
    if (c >= ' ' && c <= '~') {
      std::printf("%c", c);
    } else {
      std::printf("\\x%02x", static_cast<unsigned char>(c));
    }
  }
  std::printf("\n");
}

int run(const Options& options) {
  const Edge edge;
  Counts counts;
  long failures = 0;
  for (long n = 0; n < options.count; ++n) {
    const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(n);
    Rng rng(seed);
    const std::string text = draw_text(rng);
    const char* wrong = check_text(edge, text, &counts);
    if (wrong == nullptr) wrong = check_lengths(edge, text);
    if (wrong == nullptr) continue;
    show(seed, text, wrong);
    if (++failures == 20) break;
  }
  std::printf("seed %llu: %ld texts: %ld rules, %ld illegal ones, %ld malformed; %ld failures\n",
              static_cast<unsigned long long>(options.seed), options.count, counts.good,
              counts.illegal, counts.bad, failures);
  // Texts that are all good or all bad would prove little.
  const bool is_mixed = counts.good * 20 > options.count && counts.bad * 20 > options.count &&
                        counts.illegal * 100 > options.count;
  return failures != 0 || (!options.is_single && !is_mixed);
}

}  // namespace

}  // namespace fuzz

int main(int argc, char** argv) { return fuzz::run(fuzz::parse_options(argc, argv, 300000)); }
