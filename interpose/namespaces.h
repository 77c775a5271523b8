// IPC namespaces: how a thread comes into another cell. Linux: ipc/namespace.c, kernel/nsproxy.c
//
//   namespaces.cc         making them, and moving
//   namespace_exports.cc  unshare(2), setns(2), /proc/PID/ns/ipc
//   namespace_path.cc     which paths and descriptors are /proc/PID/ns/ipc
//
// clone(2) with CLONE_NEWIPC is in fork_exports.cc.
#pragma once

#include "core/cell/namespace_cell.h"
#include "interpose/process.h"

namespace ipcell {

// A namespace that nobody is in yet. If nobody comes it is removed. Until somebody enters it no
// other thread sees it in the table of cells, for to take one out again there would pull it away
// from them.
class NewNamespace {
 public:
  NewNamespace() = default;
  ~NewNamespace();
  NewNamespace(const NewNamespace&) = delete;
  NewNamespace& operator=(const NewNamespace&) = delete;

  // Beside the caller's own. 0, or -errno; the reason was said on stderr. 1: there is no cell, and
  // the call is the kernel's.
  long make();
  // The calling thread moves in. Without a place for one more cell it stays where it is, and says
  // so.
  void enter();
  // A child of clone(2) has moved in; the caller, its parent, lets go of it.
  void leave_to_child();

 private:
  CellPlace place_;
  Cell cell_;
  u64 keeper_ = 0;
  bool is_made_ = false;
};

// The calling thread moves to a cell that is mapped: what it leaves behind there is taken back.
void enter_namespace(u32 number);
// A child has come to a violent end: its namespace may have no other process.
void sweep_after_child();
// Shows others in which of its cells the process is: before it maps a second one, and when its main
// thread has moved.
void show_namespace();
// The same in a forked child, whose parent may have been elsewhere.
void show_namespace_in_child();

// --- namespace_path.cc

// The namespace that `fd` stands for: false if it is none of ipcell's.
bool namespace_of_descriptor(int fd, CellPlace* place);
// The one that a process is in, and its number.
bool namespace_of_process(i32 pid, CellPlace* place, u64* number);

}  // namespace ipcell
