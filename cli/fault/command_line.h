// The command line's part on faults: options of `ipcell run`, and the commands of `ipcell fault`.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace ipcell::cli {

void add_fault_options(CLI::App& command, FaultOptions& options);

class FaultCommands {
 public:
  explicit FaultCommands(CLI::App& app);
  FaultCommands(const FaultCommands&) = delete;
  FaultCommands& operator=(const FaultCommands&) = delete;

  bool is_called() const { return fault_->parsed(); }
  int execute(const Places& places) const;

 private:
  void add_add();
  void add_rm();
  void add_ls();
  void add_hits();
  void add_explain();

  FaultCommandOptions options_;
  CLI::App *fault_, *add_, *rm_, *ls_, *hits_, *explain_;
};

}  // namespace ipcell::cli
