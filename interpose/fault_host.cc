#include "interpose/fault_host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "core/base/file.h"
#include "core/ipc/scratch.h"
#include "core/ipc/text.h"
#include "interpose/signals.h"

namespace ipcell {

namespace {

// Not 0: where a call comes from is to be noted in any case.
constexpr u32 kUnknownFaults = 1;

struct Place {
  bool is_told;         // the environment has a fork path, or rules
  u32 children;         // forked so far
  u32 threads;          // numbers of threads given out
  i32 pid;              // whose place it is: another one is a child that borrows this memory
  i32 borrower;         // pid of the last child of vfork(2) that called exec(2)
  u32 borrower_number;  // its number
};
Place g_place;

FaultHost g_host;

const char* base_name(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

void copy_text(char* out, std::size_t size, const char* text) {
  const std::size_t length = strnlen(text, size - 1);
  memcpy(out, text, length);
  out[length] = '\0';
}

// --------------------------------------------------------------------------- argv~

constexpr std::size_t kArgumentsMax = 4096;

// The arguments joined by spaces, as far as there is room for kArgumentsMax bytes.
void read_arguments(char* out) {
  const long fd =
      sys::call(SYS_openat, AT_FDCWD, sys::arg("/proc/self/cmdline"), O_RDONLY | O_CLOEXEC);
  long length = 0;
  if (fd >= 0) {
    length = sys::call(SYS_read, fd, sys::arg(out), kArgumentsMax - 1);
    sys::call(SYS_close, fd);
  }
  if (length < 0) length = 0;
  for (long n = 0; n + 1 < length; ++n) {
    if (out[n] == '\0') out[n] = ' ';
  }
  out[length] = '\0';
}

bool matches_arguments(const char* expression) {
  regex_t compiled;
  if (regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB) != 0) return false;
  // Not on the stack, which may be a handler's and small.
  Scratch<char, 1> arguments;
  bool is_match = false;
  if (arguments.make(kArgumentsMax)) {
    read_arguments(arguments.data());
    is_match = regexec(&compiled, arguments.data(), 0, nullptr, 0) == 0;
  }
  regfree(&compiled);
  return is_match;
}

// Of each rule the answer is found once: no process changes its arguments. Expressions of one rule
// are told apart by where they stand.
struct Answer {
  u32 serial;
  u16 start;
  u8 is_known, is_match;
};
constexpr u32 kAnswers = 64;
Answer g_answers[kAnswers];

bool matches(const FaultHost&, const FaultRec& rec, const FaultPred& pred) {
  Answer& kept = g_answers[(rec.serial * 7 + pred.text.start) % kAnswers];
  const Answer seen = kept;
  if (seen.is_known != 0 && seen.serial == rec.serial && seen.start == pred.text.start)
    return seen.is_match != 0;
  if (pred.text.start + pred.text.length > kFaultTextMax) return false;
  char expression[kFaultTextMax + 1];
  memcpy(expression, rec.rule.text + pred.text.start, pred.text.length);
  expression[pred.text.length] = '\0';
  const bool is_match = matches_arguments(expression);
  kept = {rec.serial, pred.text.start, 1, is_match ? u8{1} : u8{0}};
  return is_match;
}

// --------------------------------------------------------------------------- callers

void find_caller(char* name, std::size_t size, u64* offset) {
  const void* const address = t_caller;
  t_caller = nullptr;
  Dl_info info;
  if (address == nullptr || dladdr(address, &info) == 0) return;
  *offset = static_cast<u64>(static_cast<const char*>(address) -
                             static_cast<const char*>(info.dli_fbase));
  // libc names the program as it was called, or not at all.
  const bool is_named = info.dli_fname != nullptr && *info.dli_fname != '\0';
  copy_text(name, size, is_named ? base_name(info.dli_fname) : g_host.program);
}

// --------------------------------------------------------------------------- fork paths

// A path that is too long to be told is one of its own all the same.
void append_number(char* path, u32 number) {
  char longer[kFaultPathMax + 16];
  TextWriter text(longer, sizeof longer - 1);
  text.put(path);
  text.put_char('.');
  text.put_unsigned(number, 0);
  longer[text.used()] = '\0';
  if (text.used() < kFaultPathMax) {
    copy_text(path, kFaultPathMax, longer);
    return;
  }
  unsigned long long hash = 14695981039346656037ull;
  for (const char* c = longer; *c != '\0'; ++c)
    hash = (hash ^ static_cast<unsigned char>(*c)) * 1099511628211ull;
  TextWriter cut(path, kFaultPathMax - 1);
  cut.put("0.~");
  cut.put_hex(hash, 16);
  path[cut.used()] = '\0';
}

void read_path(const char* value) {
  const std::size_t length = strcspn(value, "+");
  if (length >= kFaultPathMax) return;
  memcpy(g_host.path, value, length);
  g_host.path[length] = '\0';
  if (value[length] == '+')
    g_place.children = static_cast<u32>(strtoul(value + length + 1, nullptr, 10));
}

// Before the program's first instruction.
__attribute__((constructor)) void read_fault_host() {
  copy_text(g_host.path, sizeof g_host.path, "0");
  g_host.matches = matches;
  g_host.find_caller = find_caller;
  const auto* program = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (program != nullptr) copy_text(g_host.program, sizeof g_host.program, base_name(program));
  const char* path = getenv(kFaultPathVariable);
  g_place.pid = static_cast<i32>(sys::call(SYS_getpid));
  g_place.is_told = path != nullptr || getenv("IPCELL_FAULTS") != nullptr;
  if (path != nullptr && *path != '\0') read_path(path);
}

}  // namespace

const u32* g_faults = &kUnknownFaults;
constinit thread_local const void* t_caller = nullptr;

const FaultHost& fault_host() { return g_host; }

void watch_faults(const Cell& cell) { store_release(g_faults, &cell.header().faults); }
void watch_faults_of_many() { store_release(g_faults, &kUnknownFaults); }

u32 next_thread_number() { return __atomic_fetch_add(&g_place.threads, 1, __ATOMIC_RELAXED); }

bool has_fault_path() { return g_place.is_told; }

void write_fault_path(FaultHeir heir, char* out) {
  char path[kFaultPathMax];
  copy_text(path, sizeof path, g_host.path);
  u32 children = load_relaxed(g_place.children);
  const i32 pid = static_cast<i32>(sys::call(SYS_getpid));
  const bool is_borrower = pid != g_place.pid;
  if (heir == FaultHeir::Child || is_borrower) {
    // It may try one path after the other.
    if (!is_borrower || g_place.borrower != pid) g_place.borrower_number = next_fault_child();
    if (is_borrower) g_place.borrower = pid;
    append_number(path, g_place.borrower_number);
    children = 0;
  }
  TextWriter text(out, kFaultPathValue - 1);
  text.put(path);
  text.put_char('+');
  text.put_unsigned(children, 0);
  out[text.used()] = '\0';
}

u32 next_fault_child() { return __atomic_add_fetch(&g_place.children, 1, __ATOMIC_RELAXED); }

void become_fault_child(u32 number) {
  append_number(g_host.path, number);
  g_place.pid = static_cast<i32>(sys::call(SYS_getpid));
  g_place.children = 0;
  g_place.threads = 0;
  g_place.borrower = 0;
}

void note_caller(const void* address) {
  t_caller = address;
  // A handler of an earlier call has no say in whether this one begins anew.
  take_restart();
}

}  // namespace ipcell
