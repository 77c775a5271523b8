#include "tests/model/options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ipcell::model {

Options read_options(int argc, char** argv, std::uint64_t default_count) {
  Options options;
  options.seed = std::random_device()();
  options.count = default_count;
  for (int n = 1; n < argc; n += 2) {
    const bool is_seed = std::strcmp(argv[n], "--seed") == 0;
    if (n + 1 == argc || (!is_seed && std::strcmp(argv[n], "--count") != 0)) {
      std::fprintf(stderr, "usage: %s [--seed N] [--count N]\n", argv[0]);
      std::exit(2);
    }
    (is_seed ? options.seed : options.count) = std::strtoull(argv[n + 1], nullptr, 0);
  }
  std::printf("--seed %llu --count %llu\n", static_cast<unsigned long long>(options.seed),
              static_cast<unsigned long long>(options.count));
  std::fflush(stdout);
  return options;
}

}  // namespace ipcell::model
