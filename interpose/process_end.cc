// The end of a process in its cells.
#include "core/base/file.h"
#include "core/cell/cell_members.h"
#include "interpose/fault_settings.h"
#include "interpose/process.h"
#include "interpose/settings.h"
#include "interpose/signals.h"

namespace ipcell {

// True if the cell that the environment names is to be removed by the last process out. Asked by
// processes that never mapped it, at the price of an open and a read, in cells made for one run
// only.
static bool is_orphaned_unmapped(CellPlace* place) {
  if (!is_transient_name(settings().cell_name) || !find_cell_place(place)) return false;
  return read_header(place->file.text).orphaned != 0;
}

// Cells that go with their last process: those that `ipcell run` has left to it, and namespaces.
void leave_cells() {
  if (is_borrowed_memory()) return;
  const i32 pid = static_cast<i32>(sys::call(SYS_getpid));
  if (load_acquire(g_known_cells) == 0) {
    CellPlace place;
    if (is_orphaned_unmapped(&place) && !is_on_signal_stack())
      leave_orphaned_cell(place, pid, &g_process_cells[0].keeper);
    return;
  }
  if (Task* task = task_if_any()) remove_own_faults(*task);
  for_each_cell([&](u32, ProcessCell& known) {
    if (load_acquire(known.cell.header().orphaned) != 0 && !is_on_signal_stack())
      leave_orphaned_cell(known.place, pid, &known.keeper);
  });
}

__attribute__((destructor)) static void leave_at_exit() { leave_cells(); }

}  // namespace ipcell
