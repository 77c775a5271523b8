// The commands, one file each. They return the exit status, or throw Failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ipcell::cli {

class Places;

// What `ipcell run` answers for itself; any other status is the program's.
constexpr int kRunFailed = 125;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

struct FaultOptions {
  std::vector<std::string> rules;  // texts of one rule or several
  std::vector<std::string> files;
  bool allow_illegal = false;
  std::optional<std::uint64_t> seed;
};

struct RunOptions {
  std::string name;  // empty: a fresh cell
  bool keep = false;
  bool deny = false;
  bool trap = false;
  bool posix = false;
  std::optional<unsigned> mode;
  std::vector<std::string> limits;  // "NAME=VALUE"
  FaultOptions faults;
  std::vector<std::string> command;
};
int run(const RunOptions& options, const Places& places);

struct LsOptions {
  bool json = false;
};
int ls(const LsOptions& options, const Places& places);

struct CheckOptions {
  std::vector<std::string> names;
};
int check(const CheckOptions& options, const Places& places);

struct RmOptions {
  std::vector<std::string> names;
  bool force = false;
};
int rm(const RmOptions& options, const Places& places);

struct DoctorOptions {
  std::vector<std::string> programs;
};
int doctor(const DoctorOptions& options, const Places& places);

struct FaultCommandOptions {
  std::string name;  // of the cell; empty: the environment's
  FaultOptions faults;
  std::vector<std::string> words;  // rules, ids or calls
  bool all = false;
  bool json = false;
};
int fault_add(const FaultCommandOptions& options, const Places& places);
int fault_rm(const FaultCommandOptions& options, const Places& places);
int fault_ls(const FaultCommandOptions& options, const Places& places);
int fault_hits(const FaultCommandOptions& options, const Places& places);
int fault_explain(const FaultCommandOptions& options);

}  // namespace ipcell::cli
