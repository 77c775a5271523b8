// What the library costs a program that opens files and asks for their status: libc's own functions
// against those that a program's calls reach.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "cpus.h"
#include "row.h"

namespace ipcell::bench {
namespace {

constexpr int kCalls = 2000;  // In a turn.
constexpr int kTurns = 400;
constexpr char kFile[] = "/etc/passwd";

// Libc's own function, or the one that the program's calls reach.
template <class Function>
Function* find(const char* name, bool is_libcs) {
  void* const libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  void* const symbol = dlsym(is_libcs ? libc : RTLD_DEFAULT, name);
  if (symbol == nullptr) throw std::runtime_error(std::string("no function ") + name);
  return reinterpret_cast<Function*>(symbol);
}

struct Functions {
  explicit Functions(bool is_libcs)
      : open(find<int(const char*, int, ...)>("open", is_libcs)),
        close(find<int(int)>("close", is_libcs)),
        stat(find<int(const char*, struct stat*)>("stat", is_libcs)),
        opendir(find<DIR*(const char*)>("opendir", is_libcs)),
        closedir(find<int(DIR*)>("closedir", is_libcs)) {}

  int (*open)(const char*, int, ...);
  int (*close)(int);
  int (*stat)(const char*, struct stat*);
  DIR* (*opendir)(const char*);
  int (*closedir)(DIR*);
};

using Call = std::function<void(const Functions&)>;

double time_of(const Functions& functions, const Call& call) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (int n = 0; n < kCalls; ++n) call(functions);
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kCalls;
}

std::vector<Turn> compare(const Call& call) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Functions libc(true), ours(false);
  std::vector<Turn> turns;
  for (int n = 0; n < kTurns; ++n) {
    // Who goes first changes from turn to turn.
    const bool is_ours_first = n % 2 != 0;
    const double first = time_of(is_ours_first ? ours : libc, call);
    const double second = time_of(is_ours_first ? libc : ours, call);
    turns.push_back(is_ours_first ? Turn{second, first} : Turn{first, second});
  }
  return turns;
}

Row row(std::string name, double ceiling, Call call) {
  return {std::move(name),    Question::kCost,    ceiling,
          {"libc", true, {}}, {"with", true, {}}, [call] { return compare(call); }};
}

}  // namespace

std::vector<Row> file_rows() {
  return {
      row("files/open_close", 1.05,
          [](const Functions& f) { f.close(f.open(kFile, O_RDONLY | O_CLOEXEC)); }),
      row("files/stat", 1.05,
          [](const Functions& f) {
            struct stat status;
            f.stat(kFile, &status);
          }),
      row("files/opendir_closedir", 1.1, [](const Functions& f) { f.closedir(f.opendir("/etc")); }),
  };
}

}  // namespace ipcell::bench
