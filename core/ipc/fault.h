// Fault injection: the cell's rules, and what a call does that meets one.
//
// A call of the facade asks may_fail() first: one load and a branch where the cell has no rules.
// docs/faults.md says what rules are; docs/locking.md, "Fault rules", who writes what of the table.
#pragma once

#include "core/cell/task.h"
#include "core/ipc/fault_parse.h"

namespace ipcell {

// ---------------------------------------------------------------- rules

// Adds a rule, in force at once in every process. Without an id it is given one (written to
// `rule.id`). 0; -EEXIST: there is one of that id; -ENOSPC: there are kFaultRules; -ENOMEM, -EIO.
int add_fault_rule(Task& task, FaultRule& rule);
// 0; -ENOENT, -EIO.
int remove_fault_rule(Task& task, const char* id);
// All rules, their counts, and what was recorded.
int clear_faults(Task& task);
// Of the rules' chances. 0; -ENOMEM, -EIO.
int set_fault_seed(Task& task, u64 seed);
// kRecord...: notes which calls are made. 0; -ENOMEM, -EIO.
int record_fault_sites(Task& task, u32 records);

inline bool has_faults(const Cell& cell) { return load_relaxed(cell.header().faults) != 0; }

}  // namespace ipcell
