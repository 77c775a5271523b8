#include "cli/tool_task.h"

#include <unistd.h>

namespace ipcell::cli {

ToolTask::ToolTask(const CellPlace& place) : place_(place) {
  if (!open_as_it_is(place_, &cell_).ok()) return;
  addresses_.file.set_file(cell_, place_.file.text);
  cred_ = {.euid = geteuid(), .fsgid = getegid(), .egid = getegid()};
  // What root is asked for in a cell is no more than the right to write its file.
  if (cred_.euid == 0) cred_.capabilities = ~0ull;
  const ProcessId process = own_process();
  task_.cell = &cell_;
  task_.folder = place_.folder.text;
  task_.cred = &cred_;
  task_.addresses = &addresses_;
  task_.identity = {.pid = process.pid,
                    .tid = gettid(),
                    .start_time = process.start_time,
                    .pid_namespace = process.pid_namespace};
  is_attached_ = attach_task(task_) == 0;
}

ToolTask::~ToolTask() {
  if (is_attached_) release_task(task_);
  cell_.close();
}

}  // namespace ipcell::cli
