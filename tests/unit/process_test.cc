// What /proc tells of processes: which of them will never run an instruction of their program
// again.
#include "core/cell/process.h"

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

using namespace test;

ProcessId process_of_child(const Child& child) { return {child.pid(), 0, 0}; }

void kill_unwaited(const Child& child) {
  kill(child.pid(), SIGKILL);
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
}

// As the kernel shows it, 0 if the task is not there.
char state_of(pid_t pid, pid_t tid) {
  char state = 0;
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat";
  if (FILE* file = fopen(path.c_str(), "r")) {
    if (fscanf(file, "%*d %*[^)]) %c", &state) != 1) state = 0;
    fclose(file);
  }
  return state;
}

// A process of two threads, the second of which is known.
class TwoThreads {
 public:
  // `leader` is what the first one does.
  explicit TwoThreads(const std::function<void()>& leader)
      : child_([&] {
          std::thread([this] {
            store_release(*second_, static_cast<u32>(gettid()));
            for (;;) pause();
          }).detach();
          leader();
          return 1;
        }) {
    wait_until([&] { return load_acquire(*second_) != 0; });
  }
  pid_t pid() const { return child_.pid(); }
  pid_t second() const { return static_cast<pid_t>(*second_); }
  ProcessId id() const { return process_of_child(child_); }
  Child& child() { return child_; }

 private:
  Shared<u32> second_;
  Child child_;
};

void pause_for_ever() {
  for (;;) pause();
}
// Of the calling thread alone; pthread_exit() would unwind the test's frames.
void end_thread() { syscall(SYS_exit, 0); }

}  // namespace

TEST_CASE("a process that runs, sleeps or is stopped is not gone", "[process]") {
  Child child([] { return pause(); });
  CHECK_FALSE(is_process_gone(process_of_child(child)));
  CHECK_FALSE(is_process_gone(ProcessId{getpid(), 0, 0}));
  kill(child.pid(), SIGSTOP);
  wait_until([&] { return state_of(child.pid(), child.pid()) == 'T'; });
  CHECK_FALSE(is_process_gone(process_of_child(child)));
}

TEST_CASE("a zombie is gone, and so is one that was waited for", "[process]") {
  Child child([] { return pause(); });
  const ProcessId id = process_of_child(child);
  kill_unwaited(child);
  u64 start_time = 0;
  bool is_zombie = false;
  CHECK(read_process(child.pid(), &start_time, &is_zombie));
  CHECK(is_zombie);
  CHECK(is_process_gone(id));
  CHECK(child.wait() == -SIGKILL);
  CHECK(is_process_gone(id));
  CHECK_FALSE(read_process(id.pid, &start_time, &is_zombie));
}

TEST_CASE("a process with the pid of a dead one is another", "[process]") {
  u64 start_time = 0;
  bool is_zombie = true;
  REQUIRE(read_process(getpid(), &start_time, &is_zombie));
  CHECK_FALSE(is_zombie);
  CHECK(start_time > 0);
  CHECK_FALSE(is_process_gone(ProcessId{getpid(), start_time, 0}));
  CHECK(is_process_gone(ProcessId{getpid(), start_time - 1, 0}));
}

TEST_CASE("a process whose first thread ended is gone with its last", "[process]") {
  TwoThreads process(end_thread);
  // Shown as Z by then, but with a thread left.
  wait_until([&] { return state_of(process.pid(), process.pid()) == 'Z'; });
  CHECK_FALSE(is_process_gone(process.id()));
  u64 start_time = 0;
  bool is_zombie = true;
  CHECK(read_process(process.pid(), &start_time, &is_zombie));
  CHECK_FALSE(is_zombie);
  kill_unwaited(process.child());
  CHECK(is_process_gone(process.id()));
}

TEST_CASE("a process is gone when all of its threads are ending", "[process]") {
  TwoThreads process(GENERATE(&pause_for_ever, &end_thread));
  const ProcessId id = process.id();
  // A traced thread that ended stays until its tracer has seen it, and the process does with it.
  if (ptrace(PTRACE_SEIZE, process.second(), nullptr, PTRACE_O_TRACEEXIT) != 0) {
    WARN("skipped: this user cannot trace");
    return;
  }
  kill(id.pid, SIGKILL);
  int status = 0;
  REQUIRE(waitpid(process.second(), &status, __WALL) == process.second());
  REQUIRE(WIFSTOPPED(status));
  wait_until([&] { return state_of(id.pid, id.pid) == 'Z'; });
  // It stands at the beginning of its end, its token not yet marked.
  CHECK_FALSE(is_process_gone(id));
  ptrace(PTRACE_CONT, process.second(), nullptr, nullptr);
  wait_until([&] { return state_of(id.pid, process.second()) == 'Z'; });
  CHECK(count_threads(id.pid) == 2);
  CHECK(is_process_gone(id));
  waitpid(process.second(), &status, __WALL);
  CHECK(is_process_gone(id));
}

TEST_CASE("with no descriptor left a child's end is seen all the same", "[process]") {
  CHECK(in_child([] {
          const pid_t parent = getppid();
          Child child([] { return pause(); });
          const struct rlimit none = {0, 0};
          CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
          CHILD_CHECK(!is_process_gone(process_of_child(child)));
          CHILD_CHECK(!is_process_gone(ProcessId{parent, 0, 0}));
          kill(child.pid(), SIGKILL);
          siginfo_t info;
          CHILD_CHECK(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
          CHILD_CHECK(is_process_gone(process_of_child(child)));
          CHILD_CHECK(child.wait() == -SIGKILL);
          CHILD_CHECK(is_process_gone(process_of_child(child)));
          return 0;
        }) == 0);
}

TEST_CASE("a process's task is asked for by its token first", "[process]") {
  const auto record_of = [](pid_t pid, bool is_dead) {
    TaskRec rec = {};
    rec.pid = pid;
    rec.token.word = is_dead ? kFutexOwnerDied : 1u;
    return rec;
  };
  Child child([] { return pause(); });
  const pid_t pid = child.pid();
  CHECK_FALSE(is_process_gone(record_of(pid, false)));
  CHECK_FALSE(is_process_gone(record_of(pid, true)));
  child.kill();
  CHECK_FALSE(is_process_gone(record_of(pid, false)));
  CHECK(is_process_gone(record_of(pid, true)));
}

TEST_CASE("threads are counted", "[process]") {
  TwoThreads process(pause_for_ever);
  CHECK(count_threads(process.pid()) == 2);
  const ProcessId id = process.id();
  process.child().kill();
  CHECK(count_threads(id.pid) == 0);
  CHECK(is_proc_of_own_namespace());
}

TEST_CASE("a process is told by its pid, namespace and start time", "[process]") {
  const ProcessId process = {100, 5, 7};
  CHECK(is_same(process, {100, 5, 7}));
  // Unknown times say nothing.
  CHECK(is_same(process, {100, 0, 7}));
  CHECK_FALSE(is_same(process, {100, 6, 7}));
  CHECK_FALSE(is_same(process, {101, 5, 7}));
  CHECK_FALSE(is_same(process, {100, 5, 8}));
}

}  // namespace ipcell
