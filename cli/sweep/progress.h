// Tells on standard error how far a sweep is: a line that is written over on a terminal, else a
// plain line now and then.
#pragma once

#include <chrono>
#include <string>

namespace ipcell::cli {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A line that stays.
  void say(const std::string& line);
  // `done` of `total`; `findings` so far. Shown if it is due.
  void update(std::size_t done, std::size_t total, std::size_t findings);
  // Done in earlier sweeps, which says nothing of how long the rest will take.
  void skip(std::size_t count) { skipped_ = count; }

 private:
  using Clock = std::chrono::steady_clock;
  void clear();

  bool is_terminal_;
  std::size_t skipped_ = 0;
  std::size_t shown_ = 0;  // characters on the terminal's line
  Clock::time_point began_ = Clock::now();
  Clock::time_point last_;
};

}  // namespace ipcell::cli
