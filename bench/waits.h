// Measurements that are no rows: they are not a time per operation, and have no ratio to hold. Each
// prints a table, of the kernel and, if there is one, of the cell.
#pragma once

#include <ostream>

namespace ipcell::bench {

// The CPU time that 100 processes take while they sleep in semop(2).
void measure_sleepers(std::ostream& out, bool has_cell);

// How long after a SIGKILL of a SEM_UNDO holder the peer that sleeps for its semaphore returns.
void measure_deaths(std::ostream& out, bool has_cell);

}  // namespace ipcell::bench
