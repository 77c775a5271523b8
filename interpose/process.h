// This process and its threads: which cells they use, and the Task of each thread.
#pragma once

#include "core/syscalls.h"
#include "interpose/process_cells.h"

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

// For Task::mqueue_folder: the descriptor that is kept, if it is still there.
int mqueue_folder();

// The current task's cell, if any is mapped; and its place in the table, or kNoCell.
Cell* cell_if_any();
u32 current_cell_number();
// The same, only once has_cell() has said so.
ProcessCell& current_cell();

// Maps the cell if it is not yet mapped. False if there is none: the reason was said on stderr.
bool has_cell();
// Only once has_cell() has said so: where the cell is that the environment names, and a word that a
// forked child finds 0.
const CellPlace& first_cell_place();
u32& word_of_this_process();
// The same place also before: where the environment says so outright. It may not be there.
bool find_cell_place(CellPlace* place);

// Maps the cell now if it is not yet mapped: the program is about to give up rights that it may
// need for it. Quiet: whether there is a cell is told at the first call that wants one.
void map_cell_early();

// Opens the windows of the current cell, where the process has no descriptor left for it. False:
// that was not the matter.
bool open_windows_anyhow();

// The program changed its credentials: read them again before the next permission check.
void forget_credentials();

// The calling thread, which has no task yet, is to have SEM_UNDO adjustments of its own.
void be_undo_apart();

// The cell's mapping of all shared memory is in the way: the program is about to set RLIMIT_AS, or
// to lock what it has mapped.
void shrink_mappings();

// The process is about to end.
void leave_cells();

// The calling thread's child of vfork(2), which made its calls as this thread, has ended, or has
// called exec: if it was killed in the middle of one, that is undone.
void recover_from_borrower(i32 child);

// True in a child of vfork(2), which borrows its parent's memory.
bool is_borrowed_memory();

// ------------------------------------------------------------------------ several cells

// A thread's IPC namespace is its home. What it does with something of another cell (an attachment
// or a descriptor from before it moved) is done by a task that it has there: in the scope of an
// InCell that one is the current task. Without memory for it the current one stays.
class InCell {
 public:
  explicit InCell(u32 number) {
    if (has_several_cells()) [[unlikely]]
      enter(number);
  }
  ~InCell() {
    if (has_entered_) [[unlikely]]
      leave();
  }
  InCell(const InCell&) = delete;
  InCell& operator=(const InCell&) = delete;

 private:
  void enter(u32 number);
  void leave();

  bool has_entered_ = false;
  u32 before_ = kNoCell;
};

// Makes the thread's task in that cell current, or its home's (kNoCell). The one that was, for
// the way back; for handlers, which begin at home wherever they interrupt.
u32 go_to_cell(u32 number);

// The number of a cell that is mapped, or is now; kNoCell if it can't be: `*status` says why.
u32 open_cell(const CellPlace& place, CellStatus* status);
// Enters a cell that was opened, and kept, by the caller, who lets go of it. kNoCell: the process
// has too many.
u32 adopt_cell(const CellPlace& place, Cell& opened, u64 keeper);

// The home of the calling thread; of the main one; of threads that begin. kNoCell if there is none
// yet.
u32 home_of_thread();
u32 home_of_main_thread();
u32 home_of_new_threads();
// True if any thread has moved since the program's start.
bool has_moved();
// Moves the thread to another cell; the process with it, if it has no other threads.
void move_home(u32 number, bool is_alone);
// A forked child's only thread is the one that forked: before any of its calls.
void be_main_thread();
// The thread, which is the only one, has left the cell: lets go of what has no more use.
void leave_cell(u32 number);
// Takes a cell that nobody in the process has used out of the table.
void unmap_cell(u32 number);

}  // namespace ipcell
