#include "tests/model/aftermath.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/ipc/msg.h"
#include "core/syscalls.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

namespace ipcell::model {

namespace {

constexpr int kStatAny = 13;

void remove_all_queues(Task& task) {
  const Cred* own = task.cred;
  const Cred admin = test::superuser();
  task.cred = &admin;
  for (int index = msg_registry(*task.cell).max_idx; index >= 0; --index) {
    struct msqid_ds info;
    const long id = sys_msgctl(task, index, kStatAny, &info);
    if (id >= 0) sys_msgctl(task, static_cast<int>(id), IPC_RMID, nullptr);
  }
  task.cred = own;
}

}  // namespace

const char* find_trouble(Task& task) {
  const Cell& cell = *task.cell;
  reap_dead_tasks(task);
  remove_all_queues(task);
  if (cell.is_poisoned()) return "the cell is poisoned";
  for (u32 slot = 1; slot <= cell.header().slots_high; ++slot) {
    if (cell.layout().task_states[slot - 1] != 0 && slot != task.slot)
      return "a dead task was not reaped";
  }
  if (cell.header().reap_lock.word != 0) return "the reap lock is held";
  const Registry& registry = msg_registry(cell);
  if (registry.lock.word != 0) return "the registry's lock is held";
  if (registry.in_use != 0 || registry.max_idx != -1) return "the registry is not empty";
  const test::HeapCensus census = test::take_census(cell);
  if (!census.is_sound) return "the heap is broken";
  if (census.total() != 0) return "blocks of the heap have leaked";
  return nullptr;
}

}  // namespace ipcell::model
