#include "cli/sweep/state.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/failure.h"
#include "cli/preload_check.h"

namespace ipcell::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

// A program that was built anew may call from other places.
std::string describe_program(const std::string& program) {
  const std::string path = find_program(program);
  struct stat info;
  if (path.empty() || stat(path.c_str(), &info) != 0) return program;
  return fmt::format("{}, {} bytes of {}.{:09}", path, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// All that a result depends on.
Json describe_sweep(const SweepOptions& options) {
  return {{"ipcell_sweep", kVersion},
          {"command", options.command},
          {"program", describe_program(options.command[0])},
          {"check", options.check},
          {"ignore_output", options.ignores_output},
          {"seed", static_cast<std::uint64_t>(options.seed)},
          {"by", options.by_call ? "call" : "site"},
          {"allow_illegal", options.allows_illegal},
          {"deny", options.denies},
          {"posix", options.posix},
          {"limits", options.limits}};
}

// What two first lines differ in. Throws if the text is no JSON.
std::string difference(const std::string& theirs, const std::string& ours) {
  const Json before = Json::parse(theirs), now = Json::parse(ours);
  if (!before.is_object() || !before.contains("ipcell_sweep")) return "";
  for (const auto& [key, value] : now.items()) {
    if (!before.contains(key) || before[key] != value) {
      return fmt::format("its {} is {}, and now it is {}", key,
                         before.contains(key) ? dump(before[key]) : "missing", dump(value));
    }
  }
  return "it has more to its description";
}

Json to_json(const std::string& rule, const TrialResult& result) {
  const Verdict& verdict = result.verdict;
  return {{"rule", rule},
          {"class", name_of(verdict.what)},
          {"expected", verdict.is_expected},
          {"detail", verdict.detail},
          {"waits", verdict.waits},
          {"message", verdict.message},
          {"restart", verdict.is_of_restart},
          {"seconds", result.seconds},
          {"runs", result.runs}};
}

TrialResult result_of(const Json& json) {
  TrialResult result;
  Verdict& verdict = result.verdict;
  const std::optional<Class> what = class_of_name(json.at("class").get<std::string>());
  if (!what) throw std::runtime_error("no such class");
  verdict.what = *what;
  json.at("expected").get_to(verdict.is_expected);
  json.at("detail").get_to(verdict.detail);
  json.at("waits").get_to(verdict.waits);
  json.at("message").get_to(verdict.message);
  json.at("restart").get_to(verdict.is_of_restart);
  json.at("seconds").get_to(result.seconds);
  json.at("runs").get_to(result.runs);
  return result;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer;
  ssize_t size;
  while ((size = read(fd, buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

}  // namespace

StateFile::StateFile(const std::string& path, const SweepOptions& options) : path_(path) {
  file_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file_) throw Failure(fmt::format("--state {}: {}", path, std::strerror(errno)));
  if (flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Failure(fmt::format("--state {}: another sweep is using it", path));
  }
  const std::string header = dump(describe_sweep(options));
  const std::string text = read_all(file_.get());
  // Without a line's end the very first write was cut off.
  if (text.find('\n') == std::string::npos && header.rfind(text, 0) == 0) {
    if (ftruncate(file_.get(), 0) != 0) {
      throw Failure(fmt::format("--state {}: {}", path, std::strerror(errno)));
    }
    append(header);
  } else {
    read_results(text, header);
  }
}

void StateFile::read_results(const std::string& text, const std::string& header) {
  const std::string first = text.substr(0, text.find('\n'));
  if (first != header) {
    std::string what;
    try {
      what = difference(first, header);
    } catch (const std::exception&) {
    }
    throw Failure(
        what.empty()
            ? fmt::format("--state {}: it is no state of a sweep; name another file", path_)
            : fmt::format("--state {}: it is another sweep's: {}; remove it to start anew", path_,
                          what));
  }
  std::size_t start = first.size() + 1;
  for (std::size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    try {
      const Json json = Json::parse(text.substr(start, end - start));
      results_[json.at("rule").get<std::string>()] = result_of(json);
    } catch (const std::exception&) {
      throw Failure(
          fmt::format("--state {}: a line in it is damaged; remove it to start anew", path_));
    }
  }
  // The last line of a sweep that was killed while it wrote.
  if (start < text.size() && ftruncate(file_.get(), static_cast<off_t>(start)) != 0) {
    throw Failure(fmt::format("--state {}: {}", path_, std::strerror(errno)));
  }
}

const TrialResult* StateFile::find(const std::string& rule) const {
  const auto found = results_.find(rule);
  return found == results_.end() ? nullptr : &found->second;
}

void StateFile::add(const std::string& rule, const TrialResult& result) {
  if (file_) append(dump(to_json(rule, result)));
}

void StateFile::append(const std::string& line) {
  const std::string text = line + "\n";
  const ssize_t size = write(file_.get(), text.data(), text.size());
  if (size != static_cast<ssize_t>(text.size()) || fsync(file_.get()) != 0) {
    throw Failure(fmt::format("--state {}: it cannot be written: {}", path_,
                              size < 0 ? std::strerror(errno) : "the disk is full"));
  }
}

}  // namespace ipcell::cli
