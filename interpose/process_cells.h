// The cells that this process has mapped. Most programs have one: their IPC namespace. unshare(2)
// and setns(2) bring others, and so do descriptors of message queues from elsewhere; a cell that
// was left stays mapped as long as something of it is in use here.
//
// A cell's number is its place in the table: small, and the same for life in a process and its
// forked children.
#pragma once

#include "core/cell/cell_dir.h"
#include "core/ipc/address_map.h"

namespace ipcell {

struct ProcessCell {
  Cell cell;
  CellPlace place;
  // Of a namespace: see keep_namespace().
  u64 keeper = 0;
  // What this process has attached of it.
  AddressMap addresses;
  // Its folder of pipes, kept by programs that give up the right to open it; -1: it is not.
  int mqueue_folder = 0;
  u64 mqueue_folder_inode = 0;
  // IPCELL_CELL=NAME, for programs that are started from it.
  char variable[sizeof "IPCELL_CELL=" + kCellNameMax];
};

constexpr u32 kProcessCells = 16;
constexpr u32 kNoCell = kProcessCells;
extern ProcessCell g_process_cells[kProcessCells];
// Bit per cell of the table that is mapped; atomic.
extern u32 g_known_cells;

inline bool is_known_cell(u32 number) {
  return number < kProcessCells && (load_acquire(g_known_cells) >> number & 1) != 0;
}
// True if the process has to do with more than one cell.
inline bool has_several_cells() {
  const u32 known = load_acquire(g_known_cells);
  return (known & (known - 1)) != 0;
}

// Calls `visit(number, cell)` for each that is mapped.
template <class Visit>
void for_each_cell(Visit visit) {
  for (u32 known = load_acquire(g_known_cells); known != 0; known &= known - 1) {
    const u32 number = static_cast<u32>(__builtin_ctz(known));
    visit(number, g_process_cells[number]);
  }
}

// The cell at `place`, if it is mapped; else kNoCell.
u32 find_known_cell(const CellPlace& place);

// --- with the process's lock held; see process.h, change_cells()

// A place in the table that is free, for open_cell_at(); kNoCell: there is none.
u32 free_cell_number();
// Enters what was opened into that place, and makes it known.
void enter_cell(u32 number);
// Unmaps it: no thread of the process is in it, nor is anything of it in use.
void close_cell(u32 number);

// --- the folder of pipes

// True if the descriptor that is kept of it is still there: programs close those that they do not
// know.
bool is_mqueue_folder_there(const ProcessCell& known);
// The program may be about to lose the right to open it.
void keep_mqueue_folder(ProcessCell& known);

// --- attachments

inline bool has_attachments() {
  bool is_any = false;
  for_each_cell([&](u32, const ProcessCell& known) { is_any |= !known.addresses.is_empty(); });
  return is_any;
}
// True if an address of [start, start + size) may be part of an attachment of that cell.
inline bool may_be_attached(const ProcessCell& known, u64 start, u64 size) {
  const u64 end = start + size;
  return !known.addresses.is_empty() && known.addresses.may_meet(start, end < start ? ~0ull : end);
}

}  // namespace ipcell
