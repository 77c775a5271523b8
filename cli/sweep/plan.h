// Which faults a sweep tries: one trial for each site, each legal effect, and how long it lasts.
#pragma once

#include <string>
#include <vector>

#include "cli/sweep/options.h"
#include "cli/sweep/site.h"
#include "core/ipc/fault_parse.h"

namespace ipcell::cli {

enum class EffectGroup { Errors, Eintr, Full, Rmid, Timeout, Kill, Delay, Unsafe };
const char* name_of(EffectGroup group);

struct Trial {
  std::size_t site = 0;  // index
  EffectGroup group = EffectGroup::Errors;
  std::string effect;  // as it stands in the rule: "err(ENOMEM)", "full->eintr"
  bool lasts = false;  // from then on, and not once
  std::string rule;    // the whole text
};

// The process's own capabilities, as bits: what the program will have.
u64 own_capabilities();

// The trials, in the order in which they are best made: one of each site, then a second of each,
// and so on. Throws Failure if `effects` names what there is not.
std::vector<Trial> make_plan(const std::vector<SweepSite>& sites, const SweepOptions& options,
                             u64 capabilities);

// The rule of a text that stands in a plan. Throws Failure if it is none.
FaultRule parse_planned(const std::string& text, bool allows_illegal);

}  // namespace ipcell::cli
