// What the library costs a program that never does IPC: starting /bin/true with and without it.
#include <benchmark/benchmark.h>

#include <dlfcn.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cpus.h"
#include "row.h"

namespace ipcell::bench {
namespace {

using benchmark::State;
using Environment = std::vector<char*>;  // Ends with nullptr, as environ does.
using Spawn = decltype(&posix_spawn);

constexpr std::string_view kPreload = "LD_PRELOAD=";

// How one variant starts a program.
struct Starter {
  Spawn spawn;
  Environment environment;
};

// glibc's own: the interposed one would put LD_PRELOAD back into a child's environment.
Spawn glibc_posix_spawn() {
  void* const libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  void* const symbol = libc == nullptr ? nullptr : dlsym(libc, "posix_spawn");
  if (symbol == nullptr) throw std::runtime_error("no posix_spawn in libc.so.6");
  return reinterpret_cast<Spawn>(symbol);
}

Starter starter_without_library() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with(kPreload)) environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  return {glibc_posix_spawn(), std::move(environment)};
}

Starter starter_with_library() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.push_back(*variable);
  environment.push_back(nullptr);
  return {&posix_spawn, std::move(environment)};
}

// The entry of LD_PRELOAD that is ipcell's, else its first, without the folder; empty without
// LD_PRELOAD.
std::string library_name() {
  const char* const preload = std::getenv("LD_PRELOAD");
  const std::string_view list = preload == nullptr ? "" : preload;
  const auto at = list.find("libipcell");
  const std::string_view tail = list.substr(at == list.npos ? 0 : at);
  const std::string_view path = tail.substr(0, tail.find_first_of(": "));
  return std::string(path.substr(path.rfind('/') + 1));
}

// Starts a program and returns its exit status, -1 if it has none.
int run(const Starter& starter, const char* path, const char* const argv[]) {
  pid_t pid = 0;
  const int error = starter.spawn(&pid, path, nullptr, nullptr, const_cast<char* const*>(argv),
                                  starter.environment.data());
  check(-error, path);
  int status = 0;
  check(waitpid(pid, &status, 0) == pid ? 0 : -errno, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A child's own map tells: LD_PRELOAD may fail to load, and an interposer may restore it.
bool has_library(const Starter& starter, const std::string& name) {
  const char* const argv[] = {"grep", "-qF", name.c_str(), "/proc/self/maps", nullptr};
  return run(starter, "/bin/grep", argv) == 0;
}

void require_library(const Starter& starter, bool wanted) {
  const std::string name = library_name();
  if (name.empty() && wanted) throw std::runtime_error("no LD_PRELOAD in the environment");
  if (!name.empty() && has_library(starter, name) != wanted)
    throw std::runtime_error(name + (wanted ? " is not in the child" : " is still in the child"));
}

void time_true(State& state, const Starter& starter, bool with_library) {
  require_library(starter, with_library);
  const ScopedAffinity pinned(one_cpu().ours);
  const char* const argv[] = {"true", nullptr};
  for (auto _ : state) {
    if (run(starter, "/bin/true", argv) != 0) throw std::runtime_error("/bin/true failed");
  }
}

}  // namespace

std::vector<Row> exec_rows() {
  return {
      {"exec/true",
       Question::kCost,
       1.25,
       {"without", false, [](State& state) { time_true(state, starter_without_library(), false); }},
       {"with", true, [](State& state) { time_true(state, starter_with_library(), true); }}}};
}

}  // namespace ipcell::bench
