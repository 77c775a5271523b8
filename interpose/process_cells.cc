#include "interpose/process_cells.h"

#include <string.h>

#include "core/base/sys.h"
#include "core/ipc/text.h"

namespace ipcell {

constinit ProcessCell g_process_cells[kProcessCells] = {};
u32 g_known_cells;

u32 find_known_cell(const CellPlace& place) {
  u32 found = kNoCell;
  for_each_cell([&](u32 number, const ProcessCell& known) {
    if (strcmp(known.place.file.text, place.file.text) == 0) found = number;
  });
  return found;
}

u32 free_cell_number() {
  const u32 known = load_acquire(g_known_cells);
  for (u32 number = 0; number < kProcessCells; ++number) {
    if ((known >> number & 1) == 0) return number;
  }
  return kNoCell;
}

void enter_cell(u32 number) {
  ProcessCell& entered = g_process_cells[number];
  entered.addresses.file.set_file(entered.cell, entered.place.file.text);
  entered.mqueue_folder = -1;
  store_release(entered.queue_names_inode, 0);
  TextWriter text(entered.variable, sizeof entered.variable);
  text.put("IPCELL_CELL=");
  text.put(name_of_cell(entered.place));
  text.put_char('\0');
  __atomic_fetch_or(&g_known_cells, 1u << number, __ATOMIC_ACQ_REL);
}

void close_cell(u32 number) {
  ProcessCell& closed = g_process_cells[number];
  __atomic_fetch_and(&g_known_cells, ~(1u << number), __ATOMIC_ACQ_REL);
  closed.addresses.file.close_windows();
  if (closed.mqueue_folder >= 0) sys::call(SYS_close, closed.mqueue_folder);
  closed.mqueue_folder = -1;
  closed.cell.close();
}

}  // namespace ipcell
