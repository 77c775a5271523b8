#include "tests/unit/fixture.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ipc/signature.h"
#include "core/syscalls.h"

namespace ipcell::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void require_ok(const CellStatus& status) {
  if (!status.ok()) throw std::runtime_error(std::string("the test's cell: ") + status.describe());
}

}  // namespace

// ---------------------------------------------------------------- folders and cells

TempDir::TempDir() {
  const char* parent = std::getenv("TMPDIR");
  path_ = std::string(parent != nullptr && *parent != '\0' ? parent : "/dev/shm") +
          "/ipcell-test-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) fail("mkdtemp");
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Cell::Options cell_options() {
  Cell::Options options = {};
  options.signature = kLayoutSignature;
  options.mode = 0600;
  return options;
}

TestCell::TestCell() { require_ok(open_or_create(file().c_str(), cell_options(), this)); }

TestCell::~TestCell() { close(); }

// ---------------------------------------------------------------- tasks

std::atomic<i64> test_seconds{1000};

TaskIdentity identity_of_this_thread() {
  TaskIdentity identity;
  identity.pid = getpid();
  identity.tid = gettid();
  bool is_zombie = false;
  read_process(identity.pid, &identity.start_time, &is_zombie);
  struct stat info;
  if (stat("/proc/self/ns/pid", &info) == 0) identity.pid_namespace = info.st_ino;
  return identity;
}

Cred user(u32 uid, u32 gid) {
  Cred cred;
  cred.euid = uid;
  cred.egid = cred.fsgid = gid;
  return cred;
}

Cred superuser() {
  Cred cred;
  cred.capabilities = ~0ull;
  return cred;
}

TestTask::TestTask(Cell& test_cell, const Cred& cred_wanted) : credentials(cred_wanted) {
  cell = &test_cell;
  cred = &credentials;
  identity = identity_of_this_thread();
  clock = [] { return test_seconds.load(); };
  if (const int error = attach_task(*this)) {
    throw std::system_error(-error, std::generic_category(), "attach_task");
  }
}

TestTask::~TestTask() {
  if (rec != nullptr) release_task(*this);
}

// ---------------------------------------------------------------- threads

Worker::Worker(Cell& cell, const Cred& cred) {
  std::promise<void> ready;
  thread_ = std::thread([&, cred] { serve(cell, cred, ready); });
  try {
    ready.get_future().get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

void Worker::serve(Cell& cell, const Cred& cred, std::promise<void>& ready) {
  try {
    TestTask task(cell, cred);
    task_ = &task;
    slot_ = task.slot;
    ready.set_value();
    for (;;) {
      std::unique_lock<std::mutex> held(mutex_);
      changed_.wait(held, [this] { return is_over_ || !jobs_.empty(); });
      if (jobs_.empty()) break;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      held.unlock();
      job(task);
    }
    if (dies_) task.abandon();
  } catch (...) {
    ready.set_exception(std::current_exception());
  }
}

Worker::~Worker() {
  {
    const std::lock_guard<std::mutex> held(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::future<long> Worker::start(std::function<long(Task&)> job) {
  std::packaged_task<long(Task&)> packaged(std::move(job));
  std::future<long> result = packaged.get_future();
  {
    const std::lock_guard<std::mutex> held(mutex_);
    jobs_.push_back(std::move(packaged));
  }
  changed_.notify_all();
  return result;
}

void Worker::die() {
  {
    const std::lock_guard<std::mutex> held(mutex_);
    is_over_ = dies_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Sleeper::Sleeper(Cell& cell, std::function<long(Task&)> call, const Cred& cred)
    : worker_(cell, cred), end_(worker_.start(std::move(call))) {
  wait_until([&] { return is_waiting(); });
}

bool Sleeper::is_waiting() { return is_queued(worker_.task()); }

long Sleeper::result() {
  if (end_.valid()) result_ = end_.get();
  return result_;
}

// ---------------------------------------------------------------- processes

Child::Child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ != 0) return;
  // A test that fails leaves no process behind, and one that is killed no core file.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  int status = -1;
  try {
    status = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a child process ended by an exception: %s\n", error.what());
  }
  _exit(status);
}

Child::~Child() {
  if (!is_reaped_) kill();
}

void Child::kill() {
  ::kill(pid_, SIGKILL);
  wait();
}

int Child::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid");
  }
  is_reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int in_child(const std::function<int()>& body) {
  Child child(body);
  return child.wait();
}

Process::Process(Cell& cell, const std::function<bool(Task&)>& calls)
    : child_([&] {
        TestTask own(cell);
        state_->slot = own.slot;
        const bool are_well = calls(own);
        store_release(state_->is_done, are_well ? 1u : 2u);
        for (;;) pause();
        return 0;
      }) {
  wait_until([&] { return load_acquire(state_->is_done) != 0; });
  if (state_->is_done != 1) throw std::runtime_error("a process's calls went wrong");
}

void Process::become_zombie() {
  ::kill(pid(), SIGKILL);
  siginfo_t info;
  if (waitid(P_PID, static_cast<id_t>(pid()), &info, WEXITED | WNOWAIT) != 0) fail("waitid");
}

u32 kill_asleep(Cell& cell, const std::function<long(Task&)>& call) {
  const Shared<u32> slot;
  Child child([&] {
    TestTask own(cell);
    store_release(*slot, own.slot);
    call(own);
    return 1;
  });
  wait_until([&] {
    const TaskRec* rec = cell.task(load_acquire(*slot));
    return rec != nullptr && load_acquire(rec->wait.word) == kWaitSleeping;
  });
  child.kill();
  return *slot;
}

void complain(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: in a child process: not true: %s\n", file, line, condition);
}

bool poisons(Cell& cell, const std::function<void(Task&)>& body) {
  in_child([&] {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    TestTask task(cell);
    body(task);
    task.abandon();
    return 0;
  });
  return cell.is_poisoned();
}

// ---------------------------------------------------------------- states

void wait_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the state that the test waits for does not come");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

bool is_queued(const Task& task) { return load_acquire(task.rec->wait.linked) == 1; }

bool is_asleep(const Task& task) {
  return is_queued(task) && load_acquire(task.rec->wait.word) == kWaitSleeping;
}

void* map_shared(std::size_t size) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) fail("mmap");
  return address;
}

void unmap_shared(void* address, std::size_t size) { munmap(address, size); }

}  // namespace ipcell::test
