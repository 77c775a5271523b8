#include "cli/sweep/progress.h"

#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/text.h"

namespace ipcell::cli {

namespace {

constexpr std::chrono::milliseconds kOnTerminal{100};
constexpr std::chrono::seconds kElsewhere{10};

}  // namespace

Progress::Progress() : is_terminal_(isatty(STDERR_FILENO) == 1), last_(Clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (shown_ == 0) return;
  fmt::print(stderr, "\r{:{}}\r", "", shown_);
  std::fflush(stderr);
  shown_ = 0;
}

void Progress::say(const std::string& line) {
  clear();
  fmt::print(stderr, "{}\n", line);
}

void Progress::update(std::size_t done, std::size_t total, std::size_t findings) {
  const Clock::time_point now = Clock::now();
  const bool is_due =
      now - last_ >= (is_terminal_ ? Clock::duration(kOnTerminal) : Clock::duration(kElsewhere));
  if (!is_due) return;
  last_ = now;
  std::string line =
      fmt::format("{}/{} faults, {} finding{}", done, total, findings, findings == 1 ? "" : "s");
  if (done > skipped_ && done < total) {
    const double passed = std::chrono::duration<double>(now - began_).count();
    const double rest =
        passed / static_cast<double>(done - skipped_) * static_cast<double>(total - done);
    line += fmt::format(", {} to go", format_age(static_cast<std::int64_t>(rest + 1)));
  }
  if (!is_terminal_) {
    fmt::print(stderr, "{}\n", line);
    return;
  }
  const std::size_t before = shown_;
  shown_ = line.size();
  fmt::print(stderr, "\r{:<{}}", line, before);
  std::fflush(stderr);
}

}  // namespace ipcell::cli
