#include "interpose/first_cell.h"

#include <string.h>

#include "core/cell/namespace_cell.h"
#include "core/ipc/signature.h"
#include "interpose/process.h"
#include "interpose/settings.h"

namespace ipcell {

namespace {

CellPlace g_first_place;

// Why there is no cell; said at the first call that wants one.
struct Complaint {
  char path[kCellPathSize];
  const char* reason;
};
Complaint g_complaint;

bool complain(const char* path, const char* reason) {
  memcpy(g_complaint.path, path, strnlen(path, sizeof g_complaint.path - 1));
  g_complaint.reason = reason;
  return false;
}

}  // namespace

void say_complaint() {
  if (g_complaint.reason == nullptr) return;
  say("no cell: ", g_complaint.path, ": ", g_complaint.reason);
  say("System V IPC calls of this program fail with ENOSYS; `ipcell doctor` tells more");
  g_complaint.reason = nullptr;
}

Cell::Options cell_options() {
  const Settings& s = settings();
  Cell::Options options;
  options.signature = kLayoutSignature;
  options.mode = s.mode;
  options.shared = s.shared;
  return options;
}

bool open_first_cell() {
  const Settings& s = settings();
  DirRequest request;
  request.ipcell_dir = s.has_dir ? s.dir : nullptr;
  request.xdg_runtime_dir = s.has_runtime_dir ? s.runtime_dir : nullptr;
  request.uid = static_cast<u32>(sys::call(sys::kGeteuid));
  request.name = s.has_name ? s.cell_name : nullptr;
  request.mode = s.mode;
  ProcessCell& first = g_process_cells[0];
  CellPlace& place = first.place;
  const DirStatus where = locate_cell(request, Create::Yes, &place);
  if (!where.ok()) return complain(place.base.text, where.describe());
  for (;;) {
    const CellStatus status = Cell::open_or_create(place.file.text, cell_options(), &first.cell);
    if (!status.ok()) return complain(place.file.text, status.describe());
    if (!is_namespace(place)) break;
    // An environment may name one that is gone: its name's next goes with its last process as well.
    store_release(first.cell.header().orphaned, 1u);
    if (first.keeper != 0 || keep_namespace(place, &first.keeper) != -ENOENT) break;
    first.cell.close();
    const DirStatus again = locate_cell(request, Create::Yes, &place);
    if (!again.ok()) return complain(place.base.text, again.describe());
  }
  memcpy(&g_first_place, &place, sizeof place);
  enter_cell(0);
  return true;
}

bool place_by_settings(CellPlace* place) {
  const Settings& s = settings();
  return s.has_dir && s.has_name && place_cell(s.dir, s.cell_name, place).ok();
}

const CellPlace& first_cell_place() { return g_first_place; }

}  // namespace ipcell
