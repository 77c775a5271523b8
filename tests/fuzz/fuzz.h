// What the fuzzers share: numbers that come again with their seed, a folder, and a child process in
// which a case runs, so that its crash is a result and not the end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace fuzz {

// splitmix64: every seed, 0 too, gives a good sequence.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

// A folder for the time of the test; what is in it goes with it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct ChildResult {
  bool is_ok = false;
  std::string story;  // how it ended, and what it wrote to stderr
};

// Runs `body` in a forked child, SIGALRM after `seconds`. Well is exit status 0; the body may tell
// why not on stderr. The child's stderr is kept for the story: a broken cell says so there.
ChildResult run_in_child(unsigned seconds, const std::function<int()>& body);

// The program's options; others than these end it.
struct Options {
  std::uint64_t seed = 1;
  long count;
  bool is_single = false;   // --only: the one case of `seed`
  bool is_verbose = false;  // --verbose: what came of it
};
Options parse_options(int argc, char** argv, long default_count);

}  // namespace fuzz
