// Runs in processes of their own, several at a time: each keeps its program, and the program's
// descendants, and ends them if this process ends, however it does.
#pragma once

#include <csignal>
#include <string>
#include <sys/types.h>
#include <vector>

#include "cli/sweep/descriptor.h"
#include "cli/sweep/trial_run.h"

namespace ipcell::cli {

class KeeperPool {
 public:
  struct Finished {
    std::size_t tag;
    Observation seen;
  };

  explicit KeeperPool(const RunSetting& setting);
  // Gives up what is still running, and waits until nothing is left of it.
  ~KeeperPool();
  KeeperPool(const KeeperPool&) = delete;
  KeeperPool& operator=(const KeeperPool&) = delete;

  // Throws Failure.
  void start(std::size_t tag, const RunRequest& request);
  std::size_t running() const { return keepers_.size(); }
  // Those that have finished, waited for if there are none yet, but not longer than that.
  std::vector<Finished> wait(int milliseconds);
  // True once this process was asked to end, by Ctrl-C for instance.
  bool is_interrupted() const { return is_interrupted_; }

 private:
  struct Keeper {
    std::size_t tag;
    pid_t pid;
    Descriptor control;  // closed to give the run up
    Descriptor result;
    std::string bytes;
  };

  [[noreturn]] void keep(const RunRequest& request, int control, int result);
  bool has_ended(Keeper& keeper);
  static Observation observation_of(const Keeper& keeper);

  const RunSetting& setting_;
  std::vector<Keeper> keepers_;
  sigset_t old_mask_;
  Descriptor signals_;
  bool is_interrupted_ = false;
};

}  // namespace ipcell::cli
