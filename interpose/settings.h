// What the environment said when the program started; it may scribble over it later.
#pragma once

#include "core/cell/cell_dir.h"

namespace ipcell {

struct Settings {
  char dir[kCellPathSize];
  char runtime_dir[kCellPathSize];
  char cell_name[kCellNameMax + 8];
  // IPCELL_POSIX: empty or "0": POSIX names are libc's; "1": they stand in the cell's folder; else
  // the name of the cell in whose folder they stand.
  char posix[kCellNameMax + 8];
  bool is_read, has_dir, has_runtime_dir, has_name;
  u32 mode;
  bool shared;

  bool wants_posix_names() const { return posix[0] != '\0' && posix[0] != '0'; }
};

// Reads the environment at the first call, which comes before the program's first instruction.
const Settings& settings();

// One line on standard error.
void say(const char* first, const char* second = "", const char* third = "",
         const char* fourth = "");

}  // namespace ipcell
