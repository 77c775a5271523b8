// The environment of a program that is about to be started: what it has to be told of its cell.
#pragma once

#include "core/ipc/scratch.h"
#include "core/ipc/text.h"
#include "interpose/process.h"

namespace ipcell {

class ChildEnvironment {
 public:
  // Names the thread's namespace, if the process has moved to another one than it started in.
  explicit ChildEnvironment(char* const* given);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  // The new program is to join its cell at its start: `pid` is its own.
  void add_join(i32 pid);
  // Without memory for a copy it is what was given.
  char* const* get() const { return entries_; }

 private:
  // In the place of an entry of the same name, or at the end.
  void put(char* entry);
  bool copy();

  char* const* entries_;
  Scratch<char*, 64> copy_;
  bool is_copied_ = false;
  char join_[32];
  char folder_[sizeof "IPCELL_DIR=" + kCellPathSize];
};

// The thread's namespace is another from here on, for what libc starts by itself (system(3),
// posix_spawn(3) with the process's own environment): IPCELL_CELL is changed in place.
void change_own_environment();

}  // namespace ipcell
