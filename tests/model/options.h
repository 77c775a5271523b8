// The model programs' options, and their random numbers.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace ipcell::model {

struct Options {
  std::uint64_t seed = 0;
  std::uint64_t count = 0;  // operations, messages or kills: see the program
};

// Reads `--seed N` and `--count N`; without a seed each run has another. Ends the program for
// anything else.
Options read_options(int argc, char** argv, std::uint64_t default_count);

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // 0 to end - 1.
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T, std::size_t N>
  const T& pick(const T (&values)[N]) {
    return values[below(N)];
  }
  std::string bytes(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(engine_());
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ipcell::model
