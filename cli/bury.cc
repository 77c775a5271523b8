#include "cli/bury.h"

#include "cli/tool_task.h"

namespace ipcell::cli {

void bury_dead(const CellPlace& place) {
  ToolTask tool(place);
  if (Task* const task = tool.get()) sys_sweep(*task);
}

}  // namespace ipcell::cli
