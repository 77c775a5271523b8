// Semaphore sets in tests: short ways to the facade's calls, as a caller in the same process.
#pragma once

#include <cerrno>
#include <cstring>
#include <vector>

#include <sys/sem.h>
#include <time.h>

#include "core/ipc/check.h"
#include "core/ipc/undo.h"
#include "core/syscalls.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell::test {

using Ops = std::vector<struct sembuf>;
using Numbers = std::vector<u16>;

inline struct sembuf op(int num, int value, int flags = 0) {
  return {static_cast<unsigned short>(num), static_cast<short>(value), static_cast<short>(flags)};
}
// The same operation on each of the first `count` semaphores.
inline Ops on_all(int count, int value, int flags = 0) {
  Ops ops;
  for (int num = 0; num < count; ++num) ops.push_back(op(num, value, flags));
  return ops;
}

inline long operate(Task& task, int id, const Ops& ops) {
  return sys_semtimedop(task, id, ops.data(), ops.size(), nullptr);
}
inline long operate_within(Task& task, int id, const Ops& ops, const struct timespec& time) {
  return sys_semtimedop(task, id, ops.data(), ops.size(), &time);
}

inline int make_set(Task& task, int nsems, int key = IPC_PRIVATE, int flags = 0666 | IPC_CREAT) {
  return static_cast<int>(sys_semget(task, key, nsems, flags));
}

inline long control(Task& task, int id, int num, int command) {
  return sys_semctl(task, id, num, command, 0);
}
template <class T>
long control(Task& task, int id, int command, T* buffer) {
  return sys_semctl(task, id, 0, command, reinterpret_cast<unsigned long>(buffer));
}
inline long value_of(Task& task, int id, int num = 0) { return control(task, id, num, GETVAL); }
inline long set_value(Task& task, int id, int num, int value) {
  return sys_semctl(task, id, num, SETVAL, static_cast<unsigned long>(value));
}
inline long set_values(Task& task, int id, Numbers values) {
  return control(task, id, SETALL, values.data());
}

class SemTest {
 public:
  explicit SemTest(int nsems = 1, int key = IPC_PRIVATE)
      : task(cell), id(make_set(task, nsems, key)) {}
  // Nobody waits for ever in a test that failed.
  ~SemTest() {
    if (!sleepers_.empty()) control(task, id, 0, IPC_RMID);
  }

  u64 offset() const { return sem_registry(cell).entries[id % 32768].record; }
  SemSetRec& record() const { return *cell.at<SemSetRec>(offset()); }
  Semaphore& semaphore(u32 num) const { return *semaphore_at(cell, record(), num); }
  // As the record has it: no look at it that would bury the dead first.
  u32 raw_value(u32 num = 0) const { return semaphore(num).get().value; }
  struct semid_ds stat() {
    struct semid_ds info;
    std::memset(&info, 0xee, sizeof info);
    CHECK(control(task, id, IPC_STAT, &info) == 0);
    return info;
  }
  Numbers values() {
    Numbers values(record().nsems, 0xeeee);
    CHECK(control(task, id, GETALL, values.data()) == 0);
    return values;
  }

  // A thread that sleeps in the call.
  Sleeper& sleeper(const Ops& ops, const Cred& cred = user(1000, 1000)) {
    return sleepers_.emplace_back(
        cell, [this, ops](Task& own) { return operate(own, id, ops); }, cred);
  }
  Sleeper& sleeper_within(const Ops& ops, const struct timespec& time) {
    return sleepers_.emplace_back(
        cell, [this, ops, time](Task& own) { return operate_within(own, id, ops, time); });
  }

  // With nobody asleep and all dead reaped: nothing is broken, nothing unsettled, no block lost.
  std::string violation() const {
    char text[200];
    const char* found = check_cell(cell, CheckMode::Quiescent, text, sizeof text);
    return found != nullptr ? found : "";
  }
  // Reaps all and removes the set: nothing is left.
  void check_end() {
    reap_dead_tasks(task);
    CHECK(violation() == "");
    CHECK(control(task, id, 0, IPC_RMID) == 0);
    CHECK(violation() == "");
    CHECK(sem_registry(cell).total == 0);
    CHECK_FALSE(cell.is_poisoned());
  }

  TestCell cell;
  TestTask task;
  int id;

 private:
  std::deque<Sleeper> sleepers_;
};

}  // namespace ipcell::test
