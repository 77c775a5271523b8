#include "tests/crash/tracee.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "tests/crash/board.h"

namespace crash {

namespace {

constexpr int kGiveUpMs = 5000;

void nap(long microseconds) {
  const struct timespec pause = {0, microseconds * 1000};
  nanosleep(&pause, nullptr);
}

#if defined(__x86_64__)
constexpr std::size_t kPcOffset = offsetof(struct user, regs.rip);

// Length of a string instruction with its repeat prefix, 0 if it is none.
int string_length(const unsigned char* code) {
  if (code[0] != 0xf3) return 0;
  const int rex = (code[1] & 0xf0) == 0x40 ? 1 : 0;
  const unsigned char opcode = code[1 + rex];
  const bool is_string = opcode == 0xa4 || opcode == 0xa5 || opcode == 0xaa || opcode == 0xab;
  return is_string ? 2 + rex : 0;
}
#endif

}  // namespace

char thread_state(pid_t tid) {
  char path[64], text[512];
  std::snprintf(path, sizeof path, "/proc/%d/stat", tid);
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  const std::size_t size = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[size] = '\0';
  const char* end = std::strrchr(text, ')');
  return end != nullptr && end[1] != '\0' ? end[2] : 0;
}

#if defined(__x86_64__)

bool Tracee::invite() { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }

bool Tracee::await_first_stop() {
  int status;
  if (waitpid(tid_, &status, __WALL) != tid_ || !WIFSTOPPED(status)) return false;
  return ptrace(PTRACE_SETOPTIONS, tid_, nullptr, PTRACE_O_EXITKILL) == 0;
}

bool Tracee::run_to_trap(const std::function<void()>& meanwhile) {
  bool is_first = true;
  for (long signal = 0;;) {
    if (ptrace(PTRACE_CONT, tid_, nullptr, signal) != 0) return false;
    if (is_first && meanwhile) meanwhile();
    is_first = false;
    int status;
    if (waitpid(tid_, &status, __WALL) != tid_ || !WIFSTOPPED(status)) return false;
    if (WSTOPSIG(status) == SIGTRAP) return true;
    signal = WSTOPSIG(status);
  }
}

std::uint64_t Tracee::pc() const {
  return static_cast<std::uint64_t>(ptrace(PTRACE_PEEKUSER, tid_, kPcOffset, nullptr));
}

Kind Tracee::next_kind() const {
  const long word = ptrace(PTRACE_PEEKTEXT, tid_, pc(), nullptr);
  unsigned char code[sizeof word];
  std::memcpy(code, &word, sizeof word);
  if (code[0] == 0x0f && code[1] == 0x05) return Kind::SystemCall;
  return string_length(code) != 0 ? Kind::String : Kind::Plain;
}

// A step over a sleeping system call does not end. The scheduler's word counts, not the time alone:
// on a busy machine a running thread takes long as well.
Halt Tracee::await_stop() {
  const std::uint64_t start = now_us();
  for (int asleep = 0;;) {
    int status;
    const pid_t pid = waitpid(tid_, &status, __WALL | WNOHANG);
    if (pid == tid_) return WIFSTOPPED(status) ? Halt::Stopped : Halt::Gone;
    if (pid < 0) return Halt::Gone;
    if (now_us() - start < 300) continue;
    asleep = is_thread_asleep(tid_) ? asleep + 1 : 0;
    if (asleep >= 3) return Halt::Asleep;
    nap(100);
  }
}

Halt Tracee::wake_up() {
  const std::uint64_t start = now_us();
  while (now_us() - start < kGiveUpMs * 1000) {
    int status;
    const pid_t pid = waitpid(tid_, &status, __WALL | WNOHANG);
    if (pid == tid_) return WIFSTOPPED(status) ? Halt::Stopped : Halt::Gone;
    nap(50);
  }
  return Halt::Asleep;
}

Halt Tracee::step(Kind kind) {
  if (kind == Kind::String) return step_string();
  if (ptrace(PTRACE_SINGLESTEP, tid_, nullptr, nullptr) != 0) return Halt::Gone;
  if (kind == Kind::SystemCall) return await_stop();
  int status;
  return waitpid(tid_, &status, __WALL) == tid_ && WIFSTOPPED(status) ? Halt::Stopped : Halt::Gone;
}

// Runs to a breakpoint behind the instruction; the text page is the victim's own copy.
Halt Tracee::step_string() {
  const std::uint64_t start = pc();
  const long word = ptrace(PTRACE_PEEKTEXT, tid_, start, nullptr);
  unsigned char code[sizeof word];
  std::memcpy(code, &word, sizeof word);
  const int length = string_length(code);
  if (length == 0) return step(Kind::Plain);
  code[length] = 0xcc;
  long patched;
  std::memcpy(&patched, code, sizeof word);
  ptrace(PTRACE_POKETEXT, tid_, start, patched);
  if (!run_to_trap()) return Halt::Gone;
  ptrace(PTRACE_POKETEXT, tid_, start, word);
  ptrace(PTRACE_POKEUSER, tid_, kPcOffset, start + static_cast<std::uint64_t>(length));
  return Halt::Stopped;
}

void Tracee::enter(Kind kind) {
  if (kind == Kind::Plain) return;
  if (ptrace(PTRACE_SINGLESTEP, tid_, nullptr, nullptr) != 0) return;
  (void)await_stop();
}

void Tracee::kill_process(pid_t pid) {
  kill(pid, SIGKILL);
  int status;
  while (waitpid(tid_, &status, __WALL) == tid_ && !WIFEXITED(status) && !WIFSIGNALED(status)) {
  }
}

void Tracee::exit_thread(pid_t pid) {
  // Asleep, it has to be stopped before its registers can be changed.
  if (is_thread_asleep(tid_)) {
    syscall(SYS_tgkill, pid, tid_, SIGSTOP);
    if (wake_up() != Halt::Stopped) return;
  }
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, tid_, nullptr, &registers) != 0) return;
  const long word = ptrace(PTRACE_PEEKTEXT, tid_, registers.rip, nullptr);
  long call = word;
  const unsigned char code[] = {0x0f, 0x05};
  std::memcpy(&call, code, sizeof code);
  ptrace(PTRACE_POKETEXT, tid_, registers.rip, call);
  registers.rax = SYS_exit;
  registers.rdi = 0;
  registers.orig_rax = ~0ull;
  ptrace(PTRACE_SETREGS, tid_, nullptr, &registers);
  int status;
  long signal = 0;
  do {
    if (ptrace(PTRACE_CONT, tid_, nullptr, signal) != 0) return;
    if (waitpid(tid_, &status, __WALL) != tid_) return;
    signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
  } while (WIFSTOPPED(status));
}

void Tracee::release() { ptrace(PTRACE_DETACH, tid_, nullptr, nullptr); }

#else  // single steps of other machines (aarch64: exclusive loads) need more than this

bool Tracee::invite() { return false; }
bool Tracee::await_first_stop() { return false; }
bool Tracee::run_to_trap(const std::function<void()>&) { return false; }
std::uint64_t Tracee::pc() const { return 0; }
Kind Tracee::next_kind() const { return Kind::Plain; }
Halt Tracee::await_stop() { return Halt::Gone; }
Halt Tracee::wake_up() { return Halt::Gone; }
Halt Tracee::step(Kind) { return Halt::Gone; }
Halt Tracee::step_string() { return Halt::Gone; }
void Tracee::enter(Kind) {}
void Tracee::kill_process(pid_t) {}
void Tracee::exit_thread(pid_t) {}
void Tracee::release() {}

#endif

}  // namespace crash
