// This process and its threads: which cell they use, and the Task of each thread.
#pragma once

#include "core/cell/cell_dir.h"
#include "core/ipc/address_map.h"
#include "core/syscalls.h"

namespace ipcell {

// The calling thread's task, with current credentials; claimed at the first call, and anew in a
// forked child. nullptr if there is no cell: the reason was said on stderr, and calls answer
// ENOSYS.
Task* current_task();

// The same for signal handlers: never claims anything; nullptr if the thread has no task yet.
Task* task_if_any();

// Set by a process that calls exec(2) and has something to undo, to its pid: the new program joins
// the cell at its start.
constexpr char kJoinVariable[] = "IPCELL_JOIN";

// What this process has attached.
AddressMap& process_addresses();
// True if an address of [start, start + size) may be part of an attachment.
inline bool may_be_attached(u64 start, u64 size) {
  const AddressMap& map = process_addresses();
  const u64 end = start + size;
  return !map.is_empty() && map.may_meet(start, end < start ? ~0ull : end);
}

// For Task::mqueue_folder: the descriptor that is kept, if it is still there.
int mqueue_folder();

// The process's cell, if it is mapped.
Cell* cell_if_any();

// Maps the cell if it is not yet mapped. False if there is none: the reason was said on stderr.
bool has_cell();
// Only once has_cell() has said so: where the cell is, and a word that a forked child finds 0.
const CellPlace& cell_place();
u32& word_of_this_process();

// True if IPCELL_POSIX asks for POSIX names in the cell.
bool wants_posix_names();

// Maps the cell now if it is not yet mapped: the program is about to give up rights that it may
// need for it. Quiet: whether there is a cell is told at the first call that wants one.
void map_cell_early();

// The program changed its credentials: read them again before the next permission check.
void forget_credentials();

// The calling thread, which has no task yet, is to have SEM_UNDO adjustments of its own.
void be_undo_apart();

// The cell's mapping of all shared memory is in the way: the program is about to set RLIMIT_AS, or
// to lock what it has mapped.
void shrink_mappings();

// True in a child of vfork(2), which borrows its parent's memory.
bool is_borrowed_memory();

}  // namespace ipcell
