#include "cli/whole.h"

#include <sys/msg.h>

#include "core/ipc/check.h"
#include "core/syscalls.h"

namespace ipcell::cli {

namespace {

// Who locks an object settles what a dead process left unfinished there.
void lock_all_objects(Task& task) {
  struct msginfo queues;
  (void)sys_msgctl(task, 0, MSG_INFO, &queues);
  char text[4096];
  for (u32 position = 0; sys_proc_msg(task, &position, text, sizeof text) > 0;) continue;
  for (u32 position = 0; sys_proc_sem(task, &position, text, sizeof text) > 0;) continue;
  for (u32 position = 0; sys_proc_shm(task, &position, text, sizeof text) > 0;) continue;
  sys_mq_sweep(task);
}

}  // namespace

std::string find_damage(Task& task) {
  sys_sweep(task);
  lock_all_objects(task);
  char text[300];
  const char* found = check_cell(*task.cell, CheckMode::Quiescent, text, sizeof text);
  return found != nullptr ? found : "";
}

}  // namespace ipcell::cli
