// The rules that stand in a cell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cell_reader.h"
#include "cli/cells.h"
#include "core/cell/layout.h"

namespace ipcell::cli {

// In the order in which they are looked at, with texts that end where they may.
std::vector<FaultRec> faults_in(const CellReader& reader, const Header& header);
// Throws Failure if the cell can't be used.
std::vector<FaultRec> faults_in(const CellPlace& place);
// 0: nobody has set one. Throws Failure.
std::uint64_t fault_seed_of(const CellPlace& place);

// Adds all, or none; gives ids to those that have none. The seed is the cell's afterwards. Throws
// Failure.
void add_faults(const CellPlace& place, std::vector<FaultRule>& rules,
                std::optional<std::uint64_t> seed);
// Those of these ids; what is not there is left alone. False: the cell can't be used.
bool remove_faults(const CellPlace& place, const std::vector<std::string>& ids);

// True if it did more than to be refused.
inline bool has_fired(const FaultRec& rec) { return rec.fired > rec.refused; }
// Its id and its text, fit for a terminal.
std::string describe(const FaultRule& rule);

}  // namespace ipcell::cli
