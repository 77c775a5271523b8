#include "cli/bury.h"

#include <unistd.h>

#include "cli/cells.h"
#include "core/ipc/address_map.h"
#include "core/syscalls.h"

namespace ipcell::cli {

void bury_dead(const CellPlace& place) {
  Cell cell;
  if (!open_as_it_is(place, &cell).ok()) return;
  AddressMap addresses;
  addresses.file.set_file(cell, place.file.text);
  const Cred cred = {.euid = geteuid(), .fsgid = getegid(), .egid = getegid()};
  const ProcessId process = own_process();
  Task task;
  task.cell = &cell;
  task.folder = place.folder.text;
  task.cred = &cred;
  task.addresses = &addresses;
  task.identity = {.pid = process.pid,
                   .tid = gettid(),
                   .start_time = process.start_time,
                   .pid_namespace = process.pid_namespace};
  if (attach_task(task) == 0) {
    sys_sweep(task);
    release_task(task);
  }
  cell.close();
}

}  // namespace ipcell::cli
