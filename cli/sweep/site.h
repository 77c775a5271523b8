// The places in programs from which IPC calls were made, as undisturbed runs have shown them; or
// the calls themselves.
#pragma once

#include <string>
#include <vector>

#include "core/cell/cell.h"

namespace ipcell::cli {

struct SweepSite {
  FaultOp op = FaultOp::Msgget;
  u32 seen = 0;         // kSite..., of all runs
  i32 command = -1;     // of msgctl, semctl, shmctl
  u64 number = 0;       // by call: which of the process's calls of that operation; else 0
  u64 offset = 0;       // in the caller's file
  std::string caller;   // base name of that file; "?" if none's
  std::string program;  // base name of the executable, perhaps cut
  std::string process;  // fork path of the first process that came by
  u64 count = 0;        // calls, in the run that made most
  u32 runs = 0;         // how many runs have reached it
  std::string place;    // "FUNCTION+0x12", if its file tells

  bool has(u32 flag) const { return (seen & flag) != 0; }
  // "msgsnd at producer+0x1234 (send_all+0x20)", "msgctl IPC_RMID ...", "call 7 of msgsnd in
  // process 0.1".
  std::string describe() const;
  // "msgsnd", "msgctl IPC_RMID"
  std::string call() const;
  // Predicates of a rule, in brackets; empty if there are none.
  std::string predicates() const;
};

// What the cell has recorded; `lost`: how many found no room.
std::vector<SweepSite> read_sites(const Cell& cell, u64* lost);
// Adds what a further run has shown.
void merge_sites(std::vector<SweepSite>& sites, const std::vector<SweepSite>& more);
// Brings them into an order that is always the same.
void sort_sites(std::vector<SweepSite>& sites);

}  // namespace ipcell::cli
