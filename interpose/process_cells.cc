#include "interpose/process_cells.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/file.h"
#include "core/cell/namespace_cell.h"
#include "core/ipc/mqueue_file.h"
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
  let_go_of_namespace(&closed.keeper);
}

bool is_mqueue_folder_there(const ProcessCell& known) {
  struct statx info;
  return known.mqueue_folder >= 0 &&
         sys::call(SYS_statx, known.mqueue_folder, sys::arg(""), AT_EMPTY_PATH, STATX_INO,
                   sys::arg(&info)) == 0 &&
         info.stx_ino == known.mqueue_folder_inode;
}

// The pipes of message queues are opened by path, which the program may be about to lose.
void keep_mqueue_folder(ProcessCell& known) {
  if (is_mqueue_folder_there(known)) return;
  Task task;
  task.cell = &known.cell;
  task.folder = known.place.folder.text;
  if (make_mqueue_folder(task) != 0) return;
  CellPath path;
  TextWriter out(path.text, sizeof path.text);
  out.put(known.place.folder.text);
  out.put("/");
  out.put(kMqueueFolder);
  out.put_char('\0');
  const Descriptor folder(open_at(AT_FDCWD, path.text, O_PATH | O_DIRECTORY));
  struct statx info;
  if (folder.fd() < 0 || sys::call(SYS_statx, folder.fd(), sys::arg(""), AT_EMPTY_PATH, STATX_INO,
                                   sys::arg(&info)) != 0) {
    return;
  }
  // Out of the way of programs that count their descriptors.
  constexpr long kFirstNumber = 512;
  long kept = sys::call(SYS_fcntl, folder.fd(), F_DUPFD_CLOEXEC, kFirstNumber);
  if (kept < 0) kept = sys::call(SYS_fcntl, folder.fd(), F_DUPFD_CLOEXEC, 0);
  if (kept < 0) return;
  known.mqueue_folder_inode = info.stx_ino;
  known.mqueue_folder = static_cast<int>(kept);
}

}  // namespace ipcell
