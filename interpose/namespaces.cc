#include "interpose/namespaces.h"

#include "core/base/file.h"
#include "core/ipc/signature.h"
#include "interpose/child_environment.h"
#include "interpose/mounts.h"
#include "interpose/settings.h"
#include "interpose/signals.h"

namespace ipcell {

namespace {

u64 g_marker;       // see map_namespace_marker(); 0: there is none
u32 g_marker_cell;  // number of the cell that it marks

void mark(u32 number) {
  g_marker = map_namespace_marker(g_process_cells[number].place, g_marker);
  g_marker_cell = number;
}

}  // namespace

NewNamespace::~NewNamespace() {
  if (!is_made_) return;
  leave_to_child();
  (void)remove_cell(place_);
}

long NewNamespace::make() {
  if (!has_cell()) return 1;
  const ProcessCell& parent = current_cell();
  sweep_namespaces(parent.place.base.text);
  if (free_cell_number() == kNoCell) {
    say("no IPC namespace: this process has things of too many others in use");
    return -ENOSPC;
  }
  const NamespaceStatus status =
      make_namespace_cell(parent.place, parent.cell, kLayoutSignature, &place_, &cell_, &keeper_);
  if (!status.ok()) {
    say("no IPC namespace: ", place_.folder.text, ": ", status.describe());
    return status.error();
  }
  for_each_cell([](u32, ProcessCell& known) { store_release(known.cell.header().namespaces, 1u); });
  show_namespace();
  is_made_ = true;
  return 0;
}

void NewNamespace::enter() {
  // A child of clone(2) may have inherited locks from threads that it does not have.
  has_cell();
  const u32 number = adopt_cell(place_, cell_, keeper_);
  if (number == kNoCell) {
    say("no IPC namespace: other threads of this process have just entered too many");
    return;
  }
  is_made_ = false;
  // That may be as new.
  store_release(g_process_cells[number].cell.header().user_namespace, own_user_namespace());
  // Not so by setns(2). Linux: kernel/fork.c:ksys_unshare()
  if (Task* task = task_if_any()) sys_leave_segments(*task);
  enter_namespace(number);
}

void NewNamespace::leave_to_child() {
  cell_.close();
  let_go_of_namespace(&keeper_);
  is_made_ = false;
}

// Linux: kernel/fork.c:ksys_unshare(), kernel/nsproxy.c:commit_nsset(): adjustments end,
// attachments and descriptors stay.
void enter_namespace(u32 number) {
  const bool is_alone = count_own_threads() == 1;
  const u32 left = home_of_thread();
  if (Task* task = task_if_any()) {
    sys_unshare_undo(*task, is_alone);
  }
  if (!is_alone) be_undo_apart();
  if (number == left) return;
  move_home(number, is_alone);
  show_namespace();
  change_own_environment();
  if (home_of_main_thread() == number) watch_mounts(g_process_cells[number].cell.header().mounts);
  if (!is_alone) return;
  // Those that were left earlier, too: what was in use of them then may no more be.
  for_each_cell([&](u32 other, const ProcessCell&) {
    if (other != number) leave_cell(other);
  });
}

void sweep_after_child() {
  if (is_borrowed_memory() || is_on_signal_stack()) return;
  // A shell has no cell mapped.
  const Settings& s = settings();
  if (load_acquire(g_known_cells) == 0 && s.has_dir) sweep_namespaces(s.dir);
  bool is_worth_it = false;
  for_each_cell([&](u32, const ProcessCell& known) {
    is_worth_it |= load_acquire(known.cell.header().namespaces) != 0;
  });
  if (is_worth_it) sweep_namespaces(current_cell().place.base.text);
}

void show_namespace() {
  const u32 home = home_of_main_thread();
  if (home != kNoCell && (g_marker == 0 || g_marker_cell != home)) mark(home);
}

void show_namespace_in_child() {
  if (g_marker != 0) show_namespace();
}

}  // namespace ipcell
