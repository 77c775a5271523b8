#include "cli/places.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "core/ipc/signature.h"

namespace fs = std::filesystem;

namespace ipcell::cli {

namespace {

// ld.so(8): a loader's name of its folder of libraries.
constexpr char kLib[] = "$LIB";
// The loader that i386's programs name.
constexpr char kLoader32[] = "/lib/ld-linux.so.2";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string with_error(std::string text, const char* path, int error) {
  text = fmt::format("{}: {}", path, text);
  if (error != 0) text += fmt::format(" ({})", std::strerror(-error));
  return text;
}

}  // namespace

Places::Places()
    : ipcell_dir_(variable("IPCELL_DIR")), xdg_runtime_dir_(variable("XDG_RUNTIME_DIR")),
      library_(variable("IPCELL_LIBRARY")) {
  // The library refuses a relative folder, for programs change theirs; here it still means
  // something.
  if (!ipcell_dir_.empty()) ipcell_dir_ = fs::absolute(ipcell_dir_).lexically_normal();
}

DirRequest Places::request(const char* name, u32 mode) const {
  return {.ipcell_dir = ipcell_dir_.c_str(),
          .xdg_runtime_dir = xdg_runtime_dir_.c_str(),
          .name = name,
          .uid = geteuid(),
          .mode = mode};
}

std::string Places::base_for(u32 mode) const {
  CellPath path;
  const DirStatus status = choose_base(request(nullptr, mode), Create::Yes, &path);
  if (!status.ok()) throw Failure(explain(status, path.text));
  return path.text;
}

std::string Places::present_base(u32* mode) const {
  CellPath path;
  *mode = 0600;
  const DirStatus status = choose_base(request(), Create::No, &path);
  if (status.ok()) return path.text;
  const bool may_be_shared =
      status.fault == DirFault::ForeignOwner || status.fault == DirFault::WritableByOthers;
  if (may_be_shared && choose_base(request(nullptr, 0666), Create::No, &path).ok()) {
    *mode = 0666;
    return path.text;
  }
  if (status.fault == DirFault::NotFound) return "";
  throw Failure(explain(status, path.text));
}

std::string Places::library() const {
  std::string found = library_;
  // Libraries for both kinds of programs, and both kinds can be started: to expand $LIB takes each
  // program's loader some 4 % of its start.
  const auto has_both = [](const std::string& path) {
    return library_files(path).size() > 1 && access(kLoader32, F_OK) == 0;
  };
  if (found.empty()) {
    const fs::path folder = own_folder();
    for (const char* candidate :
         {"../interpose/libipcell.so", "../" IPCELL_LIBDIR "/ipcell/libipcell.so",
          "../lib/ipcell/libipcell.so"}) {
      const fs::path path = (folder / candidate).lexically_normal();
      if (!found.empty() || access(path.c_str(), R_OK) != 0) continue;
      const fs::path by_loader = path.parent_path() / "by-lib" / kLib / path.filename();
      found = has_both(by_loader) ? by_loader : path;
    }
    if (found.empty()) {
      throw Failure(fmt::format("libipcell.so was not found beside {}; name it in IPCELL_LIBRARY",
                                folder.string()));
    }
  }
  found = fs::absolute(found).lexically_normal();
  if (library_files(found).empty()) {
    throw Failure(fmt::format("{}: the library cannot be read ({}); IPCELL_LIBRARY names it", found,
                              std::strerror(errno)));
  }
  // LD_PRELOAD separates by colons and blanks, and expands $ORIGIN and its like.
  const std::size_t lib = found.find(kLib);
  std::string rest = found;
  if (lib != std::string::npos) rest.erase(lib, std::strlen(kLib));
  if (rest.find_first_of(": \t\n$") != std::string::npos) {
    throw Failure(fmt::format(
        "{}: LD_PRELOAD cannot hold a path with blanks, ':' or '$', but for a $LIB; copy the "
        "library elsewhere and name it in IPCELL_LIBRARY",
        found));
  }
  return found;
}

std::vector<std::string> library_files(const std::string& library) {
  const std::size_t at = library.find(kLib);
  std::vector<std::string> files;
  if (at == std::string::npos) {
    if (access(library.c_str(), R_OK) == 0) files.push_back(library);
    return files;
  }
  const std::string before = library.substr(0, at), behind = library.substr(at + std::strlen(kLib));
  std::error_code error;
  for (fs::recursive_directory_iterator entry(before, error), end; entry != end && !error;
       entry.increment(error)) {
    if (entry.depth() > 1) entry.disable_recursion_pending();
    const fs::path file = fs::canonical(entry->path().string() + behind, error);
    const bool is_new = std::find(files.begin(), files.end(), file.string()) == files.end();
    if (!error && is_new && access(file.c_str(), R_OK) == 0) files.push_back(file);
    error.clear();
  }
  return files;
}

std::string explain(const DirStatus& status, const char* path) {
  return with_error(status.describe(), path, status.fault == DirFault::System ? status.error : 0);
}

std::string explain(const CellStatus& status, const char* path) {
  return with_error(status.describe(), path, status.fault == CellFault::System ? status.error : 0);
}

Cell::Options cell_options(u32 mode) {
  return {
      .signature = kLayoutSignature, .mode = mode, .transient = false, .shared = (mode & 077) != 0};
}

fs::path own_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

}  // namespace ipcell::cli
