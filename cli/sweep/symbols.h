// Where a site is in the program's source, as far as the program's files tell.
#pragma once

#include <string>
#include <vector>

#include "cli/sweep/site.h"

namespace ipcell::cli {

// Sets `place` of each site: the function, and the line where there are debug information and an
// addr2line(1) to read it. `program`: the one that is swept, as on a command line.
void find_places(std::vector<SweepSite>& sites, const std::string& program);

}  // namespace ipcell::cli
