#include <cstdio>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/doctor_checks.h"
#include "cli/failure.h"
#include "cli/places.h"
#include "cli/preload_check.h"

namespace ipcell::cli {

namespace {

const char* word_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::Ok: return "ok";
    case Finding::Level::Note: return "note";
    case Finding::Level::Warning: return "WARN";
    case Finding::Level::Bad: return "BAD";
  }
  return "?";
}

bool is_well(const Finding& finding) {
  return finding.level == Finding::Level::Ok || finding.level == Finding::Level::Note;
}

// Returns false if something of the section is not well.
bool print(const char* title, const std::vector<Finding>& findings) {
  bool all_well = true;
  fmt::print("{}\n", title);
  for (const Finding& finding : findings) {
    fmt::print("  {:<5} {}: {}\n", word_of(finding.level), finding.what, finding.text);
    if (!finding.advice.empty()) fmt::print("        -> {}\n", finding.advice);
    all_well = all_well && is_well(finding);
  }
  return all_well;
}

Finding judge_library(const Places& places, std::string& library) {
  try {
    library = places.library();
    return {Finding::Level::Ok, "library",
            fmt::format("{}, for {} programs", library, machines_of(library)), ""};
  } catch (const Failure& failure) {
    return {Finding::Level::Bad, "library", failure.what(), ""};
  }
}

Finding judge_program(const std::string& program, const std::string& library) {
  const PreloadVerdict verdict = check_preload(program, library);
  std::string path;
  for (const std::string& step : verdict.path) path += (path.empty() ? "" : " -> ") + step;
  const std::string what = path.empty() ? program : path;
  if (verdict.kind == PreloadVerdict::Kind::Ok) {
    return {Finding::Level::Ok, what, "can be preloaded", ""};
  }
  return {Finding::Level::Bad, what, verdict.reason, verdict.advice};
}

}  // namespace

int doctor(const DoctorOptions& options, const Places& places) {
  bool all_well = print("kernel", check_kernel());
  all_well = print("cells", check_cells(places)) && all_well;
  all_well = print("limits of this process", check_limits()) && all_well;
  std::string library;
  all_well = print("preloading", {judge_library(places, library)}) && all_well;
  if (!options.programs.empty()) {
    std::vector<Finding> findings;
    for (const std::string& program : options.programs) {
      findings.push_back(judge_program(program, library));
    }
    all_well = print("programs", findings) && all_well;
  }
  fmt::print("\n{}\n", all_well ? "All is well." : "Not all is well: see above.");
  return all_well ? 0 : 1;
}

}  // namespace ipcell::cli
