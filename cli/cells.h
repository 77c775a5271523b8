// The cells of a base folder, as `ls`, `rm` and the removal of leftovers see them. Numbers are read
// from the file, never through a mapping: reading must neither fill a sparse file nor trip over a
// cut one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/places.h"
#include "cli/runner.h"

namespace ipcell::cli {

struct CellInfo {
  std::string name;
  CellPlace place;
  bool is_ok = false;               // this build can use it
  std::string state;                // "ok", "damaged", "other version", ...
  std::string reason;               // a sentence, if it is not ok
  bool is_namespace = false;        // made by a program
  std::uint64_t ipc_namespace = 0;  // its number in /proc/PID/ns/ipc; 0: there is no file yet
  std::uint64_t bytes = 0;          // memory or disk that the folder takes
  std::int64_t age = 0;             // seconds
  bool is_transient = false;
  bool is_orphaned = false;
  std::uint32_t queues = 0;  // System V message queues
  std::uint32_t semaphore_sets = 0;
  std::uint32_t segments = 0;
  std::uint32_t posix_queues = 0;  // POSIX message queues, also without a name
  std::uint32_t posix_names = 0;   // named semaphores and shared memory objects
  std::uint32_t fault_rules = 0;
  std::uint32_t live_tasks = 0;  // threads of the task table, in whatever pid namespace
  std::vector<pid_t> processes;  // that belong to it
  Runner runner;

  bool is_used() const { return live_tasks != 0 || !processes.empty(); }
};

// All cells in `base`, by name.
std::vector<CellInfo> list_cells(const std::string& base);
// One of them; its folder is there.
CellInfo look_at_cell(const CellPlace& place);

// Processes other than this one that belong to the cell, by pid.
std::vector<pid_t> members_of(const CellPlace& place);
// "PID (NAME), PID (NAME)".
std::string describe_processes(const std::vector<pid_t>& processes);

// Opens a cell, shared or not, as it was made.
CellStatus open_as_it_is(const CellPlace& place, Cell* cell);
// Tells the cell's last process to remove it. False if the cell cannot be opened.
bool mark_orphaned(const CellPlace& place);

// Removes the transient cells whose runner and processes are gone, and the rests of interrupted
// removals. Trouble is told of, and is no failure of the command that does so.
void remove_leftovers(const std::string& base);

}  // namespace ipcell::cli
