// What actors do with sets of semaphores.
#include "core/ipc/undo.h"
#include "tests/crash/actor.h"

namespace crash {

void Actor::make_set(int set, const Values& values, int key) {
  const int count = static_cast<int>(values.size());
  const long id = ipcell::sys_semget(task, key, count, IPC_CREAT | 0600);
  expect(id >= 0, "semget failed: %ld", id);
  board.sets[set] = static_cast<int>(id);
  board.set_records[set] = ipcell::sem_registry(cell).entries[id % ipcell::kMaxIds].record;
  const long error = control_set(set, SETALL, 0, reinterpret_cast<unsigned long>(values.data()));
  expect(error == 0, "SETALL failed: %ld", error);
}

Values Actor::values(int set) {
  struct semid_ds stat;
  long error = control_set(set, IPC_STAT, 0, reinterpret_cast<unsigned long>(&stat));
  expect(error == 0, "IPC_STAT of a set failed: %ld", error);
  Values values(stat.sem_nsems);
  error = control_set(set, GETALL, 0, reinterpret_cast<unsigned long>(values.data()));
  expect(error == 0, "GETALL failed: %ld", error);
  return values;
}

long Actor::read_proc_sem() {
  static char text[4096];
  ipcell::u32 position = 0;
  return static_cast<long>(ipcell::sys_proc_sem(task, &position, text, sizeof text));
}

void Actor::exercise_set() {
  const int set = kMaxSets - 1;
  make_set(set, {1, 0, 2});
  expect(semop(set, {{0, -1, SEM_UNDO}, {1, 3, 0}, {2, -2, SEM_UNDO}}) == 0,
         "afterwards semop fails");
  expect(semop(set, {{0, -1, IPC_NOWAIT}}) == -EAGAIN, "afterwards semop takes from nothing");
  expect(semop(set, {{2, 1, SEM_UNDO}}) == 0, "afterwards semop fails");
  expect(values(set) == Values{0, 3, 1}, "afterwards semop is wrong");
  expect(control_set(set, IPC_RMID) == 0, "afterwards a set's IPC_RMID fails");
}

void Actor::expect_no_processes() {
  for (ipcell::u64 offset : cell.layout().processes.buckets) {
    while (offset != 0) {
      const auto& process = *cell.at<ipcell::ProcessRec>(offset);
      expect(process.pid == task.identity.pid, "the dead process %d is still in the table",
             process.pid);
      offset = process.next;
    }
  }
}

}  // namespace crash
