#include "cli/fault/command_line.h"

namespace ipcell::cli {

namespace {

constexpr const char* kFaultExamples =
    R"(A rule says which calls are met, when, and what happens to them: CALLS[WHICH] WHEN = WHAT.

Examples:
  ipcell fault add --name work 'msgsnd@3=err(ENOMEM)'    the third msgsnd fails
  ipcell fault add --name work 'sem.*[prog=server] p=1%=delay(enter, 10ms)'
  ipcell fault hits --name work                          which rules have fired, how often
  ipcell fault rm --name work --all
  ipcell fault explain msgsnd                            what can happen to it, and what can't

docs/faults.md has the grammar; `ipcell run --fault` takes rules for one run.)";

constexpr const char* kAddExamples =
    R"(The rules are in force at once in every process of the cell. Prints their ids.

Examples:
  ipcell fault add --name work 'msgsnd@3=err(ENOMEM)'
  ipcell fault add --name work 'lost: mq_send[name=/jobs] @5+=err(EAGAIN)' 'semop[block]=eintr'
  ipcell fault add --name work --faults rules.txt)";

constexpr const char* kRmExamples = R"(Examples:
  ipcell fault rm --name work lost
  ipcell fault rm --name work --all)";

constexpr const char* kLsExamples = R"(Examples:
  ipcell fault ls --name work
  ipcell fault ls --name work --json | jq -r '.[].rule')";

constexpr const char* kHitsExamples =
    R"(MATCHED counts the calls that a rule speaks of, FIRED those of them whose turn it was, and REFUSED
what of that was not done, for Linux could not have answered so. The status is 0 if each of the
rules has fired, and was not refused, else 1.

Examples:
  ipcell fault hits --name work
  ipcell fault hits --name work lost || echo 'the rule was never met')";

constexpr const char* kExplainExamples = R"(Examples:
  ipcell fault explain
  ipcell fault explain msgsnd shmat
  ipcell fault explain --json msgsnd)";

CLI::Option* add_list(CLI::App& command, const char* name, std::vector<std::string>& list,
                      const char* what) {
  return command.add_option(name, list, what)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_common(CLI::App& command, FaultOptions& options) {
  add_list(command, "--faults", options.files, "Fault rules of a file, one a line; - is stdin")
      ->type_name("FILE");
  command.add_flag("--allow-illegal", options.allow_illegal,
                   "Allow outcomes that Linux could not give");
  command.add_option("--seed", options.seed, "Draws what rules with p= do; without: at random")
      ->type_name("N")
      ->check([](const std::string& text) {
        return text[0] == '-' ? "a seed is a number from 0 to 2^64-1" : std::string();
      });
}

}  // namespace

void add_fault_options(CLI::App& command, FaultOptions& options) {
  add_list(command, "--fault", options.rules,
           "Make calls fail: 'msgsnd@3=err(ENOMEM)'; several, by `;` or by\n"
           "more --fault; see `ipcell fault --help`")
      ->type_name("RULES");
  add_common(command, options);
}

FaultCommands::FaultCommands(CLI::App& app)
    : fault_(app.add_subcommand("fault", "Make IPC calls of a cell's programs fail, by rules")) {
  fault_->require_subcommand(1);
  fault_->footer(kFaultExamples);
  add_add();
  add_rm();
  add_ls();
  add_hits();
  add_explain();
  for (CLI::App* command : {add_, rm_, ls_, hits_}) {
    command
        ->add_option("--name", options_.name,
                     "The cell; else $IPCELL_CELL, the own one inside of a run")
        ->type_name("CELL");
  }
  for (CLI::App* command : {ls_, hits_, explain_})
    command->add_flag("--json", options_.json, "As JSON");
}

void FaultCommands::add_add() {
  add_ = fault_->add_subcommand("add", "Add rules to a cell");
  add_->add_option("RULE", options_.words, "The rules")->type_name("");
  add_common(*add_, options_.faults);
  add_->footer(kAddExamples);
}

void FaultCommands::add_rm() {
  rm_ = fault_->add_subcommand("rm", "Remove rules from a cell");
  rm_->add_option("ID", options_.words, "The rules' ids")->type_name("");
  rm_->add_flag("--all", options_.all, "All that it has");
  rm_->footer(kRmExamples);
}

void FaultCommands::add_ls() {
  ls_ = fault_->add_subcommand("ls", "List a cell's rules");
  ls_->footer(kLsExamples);
}

void FaultCommands::add_hits() {
  hits_ = fault_->add_subcommand("hits", "Tell which rules have fired, and how often");
  hits_->add_option("ID", options_.words, "Of these rules alone")->type_name("");
  hits_->footer(kHitsExamples);
}

void FaultCommands::add_explain() {
  explain_ = fault_->add_subcommand(
      "explain", "Tell what can be injected into which call, and why not the rest");
  explain_->add_option("CALL", options_.words, "Such as msgsnd; none: an overview")->type_name("");
  explain_->footer(kExplainExamples);
}

int FaultCommands::execute(const Places& places) const {
  if (add_->parsed()) return fault_add(options_, places);
  if (rm_->parsed()) return fault_rm(options_, places);
  if (ls_->parsed()) return fault_ls(options_, places);
  if (hits_->parsed()) return fault_hits(options_, places);
  return fault_explain(options_);
}

}  // namespace ipcell::cli
