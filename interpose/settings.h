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
  // The word of LD_PRELOAD that this library was loaded by, as it stands there; empty: by none.
  char library[kCellPathSize];
  bool is_read, has_dir, has_runtime_dir, has_name;
  u32 mode;
  bool shared;

  bool wants_posix_names() const { return posix[0] != '\0' && posix[0] != '0'; }
};

// Where a word of LD_PRELOAD ends.
constexpr const char* kPreloadSeparators = ": ";
// The last part of a path, or of such a word, which ends at one of them: its length.
struct BaseName {
  const char* text;
  std::size_t length;
  bool operator==(const BaseName& other) const {
    return length == other.length && __builtin_memcmp(text, other.text, length) == 0;
  }
};
BaseName base_name_of(const char* word);
// The first word of that base name; nullptr if there is none.
const char* find_preloaded(const char* preload, const BaseName& name);

// Reads the environment at the first call, which comes before the program's first instruction.
const Settings& settings();

// One line on standard error.
void say(const char* first, const char* second = "", const char* third = "",
         const char* fourth = "");

}  // namespace ipcell
