// The processes that belong to a cell.
#pragma once

#include "core/cell/cell.h"
#include "core/cell/cell_dir.h"

namespace ipcell {

// Calls `visit` for each process that belongs to the cell, until it returns false: those with the
// cell's file mapped, and those with its IPCELL_DIR and IPCELL_CELL in their environment, who may
// map it any time if they have not moved to another. Sees only processes whose /proc entry this one
// may read. 0, or -errno if there is no /proc.
using MemberVisitor = bool (*)(void* context, i32 pid);
int for_each_member(const CellPlace& place, MemberVisitor visit, void* context);
// True if the process belongs to the cell.
bool is_member(const CellPlace& place, i32 pid);
// True if a process other than `except` belongs to the cell, or if that can't be known.
bool has_members(const CellPlace& place, i32 except);

// The cell in `base` that is a process's IPC namespace, and the inode number of the cell's file.
// False if it is in none of these, or can't be looked at.
bool find_namespace_of(const char* base, i32 pid, CellPlace* place, u64* cell_inode);

// False if processes may belong to the cell that this one's /proc does not show: those of the pid
// namespace that the cell was made in.
bool sees_all_members(const CellPlace& place);

// True if a process has the cell, whose file is at `path`, mapped and no task that has joined: one
// that is about to, or was forked a moment ago. Sees only processes of the pid namespace whose
// /proc entry this one may read.
// Those that started before `since` (clock ticks since boot; 0: none) are not asked for.
bool has_stranger(const Cell& cell, const char* path, u64 pid_namespace, u64 since);

// True if the namespace's file is mounted somewhere, by mount --bind, where a process is to see it.
bool is_namespace_mounted(const CellPlace& place);

// For a process that exits while Header::orphaned is set, as the last thing that it does in the
// cell: removes the cell if no other process belongs to it. Lets go of `*keeper`, if it is not 0;
// see keep_namespace(). Leaves a descriptor open on purpose.
void leave_orphaned_cell(const CellPlace& place, i32 own_pid, u64* keeper);

}  // namespace ipcell
