// The environment of a program that is about to be started: what it has to be told of its cell, and
// that it is to load this library, though the program that starts it has thrown its own away. What
// that one says of them in so many words is left alone.
#pragma once

#include "core/ipc/scratch.h"
#include "core/ipc/text.h"
#include "interpose/fault_host.h"
#include "interpose/process.h"

namespace ipcell {

class ChildEnvironment {
 public:
  // Names the thread's namespace, and what this process was started with that is missing.
  explicit ChildEnvironment(char* const* given);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  // Where it is to outlive a call: `room` is an address.
  static void* operator new(std::size_t, long room) { return reinterpret_cast<void*>(room); }

  // The new program is to join its cell at its start: `pid` is its own.
  void add_join(i32 pid);
  // Its place among the processes, if that is wanted.
  void add_fault_path(FaultHeir heir);
  // Without memory for a copy it is what was given.
  char* const* get() const { return entries_; }
  bool is_changed() const { return is_copied_; }

 private:
  const char* value_of(const char* name) const;
  void put_library();
  void put_cell();
  // NAME=VALUE in `room`, in the place of an entry of the same name, or at the end.
  void put(char* room, std::size_t size, const char* name, const char* value);
  void put(char* entry);
  bool copy();

  char* const* entries_;
  Scratch<char*, 64> copy_;
  bool is_copied_ = false;
  bool is_bad_ = false;  // the kernel says EFAULT
  char join_[32];
  char fault_path_[sizeof kFaultPathVariable + 1 + kFaultPathValue];
  char folder_[sizeof "IPCELL_DIR=" + kCellPathSize];
  char cell_[sizeof "IPCELL_CELL=" + kCellNameMax + 8];
  char mode_[sizeof "IPCELL_MODE=" + 4];
  char posix_[sizeof "IPCELL_POSIX=" + kCellNameMax + 8];
  Scratch<char, 512> preload_;
};

// The thread's namespace is another from here on, for what libc starts by itself: IPCELL_CELL is
// changed in place in the process's own environment.
void change_own_environment();

}  // namespace ipcell
