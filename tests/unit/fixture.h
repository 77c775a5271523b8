// What the unit and the model tests share: scratch folders, cells, tasks, threads and processes
// that have tasks of their own. Knows nothing of Catch2.
//
// A task's token is a robust mutex in the cell: a thread must give it back before the cell is
// unmapped. Hence a TestCell is declared before everything that has a task of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include <sys/types.h>

#include "core/cell/cell.h"
#include "core/cell/lock.h"
#include "core/cell/task.h"

namespace ipcell::test {

// A folder of the test's own, under $TMPDIR or /dev/shm; removed with all that is in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Cell::Options cell_options();

// A fresh cell in a folder of its own.
class TestCell : public Cell {
 public:
  TestCell();
  ~TestCell();
  std::string file() const { return dir_ / "cell"; }

  // Memory of the heap that no block occupies, for tests of what stands below the heap.
  u8* scratch(u64 offset = 0) const { return base() + kHeapOffset + offset; }

 private:
  TempDir dir_;
};

// The time that all tests' tasks see, in seconds.
extern std::atomic<i64> test_seconds;

TaskIdentity identity_of_this_thread();

// A user without capabilities, in no group but its own.
Cred user(u32 uid, u32 gid);
Cred superuser();

// The calling thread's task, and its credentials.
class TestTask : public Task {
 public:
  explicit TestTask(Cell& cell, const Cred& cred = user(1000, 1000));
  ~TestTask();
  // Leaves the slot to the thread's death, as a program does.
  void abandon() { rec = nullptr; }

  Cred credentials;
};

// A thread with a task, which does what it is told to.
class Worker {
 public:
  explicit Worker(Cell& cell, const Cred& cred = user(1000, 1000));
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::future<long> start(std::function<long(Task&)> job);
  long run(std::function<long(Task&)> job) { return start(std::move(job)).get(); }
  // The thread ends with its slot taken, and with whatever it holds.
  void die();
  Task& task() { return *task_; }
  u32 slot() const { return slot_; }

 private:
  void serve(Cell& cell, const Cred& cred, std::promise<void>& ready);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<long(Task&)>> jobs_;
  bool is_over_ = false;
  bool dies_ = false;
  Task* task_ = nullptr;
  u32 slot_ = kNoSlot;
  std::thread thread_;
};

// A worker in the middle of a call that blocks.
class Sleeper {
 public:
  Sleeper(Cell& cell, std::function<long(Task&)> call, const Cred& cred = user(1000, 1000));
  bool is_waiting();
  // What the call returned, when it has.
  long result();
  Task& task() { return worker_.task(); }

 private:
  Worker worker_;
  std::future<long> end_;
  long result_ = 0;
};

// An object that processes forked later share.
template <class T>
class Shared {
 public:
  Shared() : object_(new (map(sizeof(T))) T()) {}
  ~Shared() { unmap(object_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  static void* map(std::size_t size);
  static void unmap(void* address, std::size_t size);

  T* object_;
};
void* map_shared(std::size_t size);
void unmap_shared(void* address, std::size_t size);
template <class T>
void* Shared<T>::map(std::size_t size) {
  return map_shared(size);
}
template <class T>
void Shared<T>::unmap(void* address, std::size_t size) {
  unmap_shared(address, size);
}

// A forked process. It ends by _exit() with what `body` returns; -1 for an exception.
class Child {
 public:
  explicit Child(const std::function<int()>& body);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void kill();
  // Exit status, or the signal's number negated.
  int wait();

 private:
  pid_t pid_;
  bool is_reaped_ = false;
};

// Runs `body` in a forked process; as Child::wait().
int in_child(const std::function<int()>& body);

// In a Child's body: says what is wrong, and ends it with status 1.
#define CHILD_CHECK(condition)                                                                     \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      ::ipcell::test::complain(__FILE__, __LINE__, #condition);                                    \
      return 1;                                                                                    \
    }                                                                                              \
  } while (false)
void complain(const char* file, int line, const char* condition);

// A process with a task that makes calls, which have to go well, and then lives on.
class Process {
 public:
  Process(Cell& cell, const std::function<bool(Task&)>& calls);
  pid_t pid() const { return child_.pid(); }
  u32 slot() const { return state_->slot; }
  void kill() { child_.kill(); }
  // Killed, and not waited for.
  void become_zombie();

 private:
  struct State {
    u32 slot, is_done;
  };
  Shared<State> state_;
  Child child_;
};

// The slot of a process's task that is killed while it sleeps in the call.
u32 kill_asleep(Cell& cell, const std::function<long(Task&)>& call);

// True if `body` poisons the cell. It runs in a process of its own with a fresh task: a debug build
// of the core aborts there, and the line on stderr is not shown.
bool poisons(Cell& cell, const std::function<void(Task&)>& body);

// Waits for a state that another thread or process brings about. Throws if it never comes.
void wait_until(const std::function<bool()>& condition);

// True if the task is in an object's list of waiters, or if it moreover sleeps in the kernel.
bool is_queued(const Task& task);
bool is_asleep(const Task& task);

}  // namespace ipcell::test
