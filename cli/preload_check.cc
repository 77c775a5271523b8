#include "cli/preload_check.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/places.h"

namespace ipcell::cli {

namespace {

using Kind = PreloadVerdict::Kind;

// What this needs to know of an ELF file; the first bytes of others.
struct Image {
  bool is_readable = false;
  bool is_elf = false;
  unsigned char elf_class = 0;
  unsigned machine = 0;
  std::string interpreter;  // PT_INTERP: the dynamic loader; empty in static programs
  std::string first_line;
};

class Input {
 public:
  explicit Input(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Input() {
    if (fd_ >= 0) close(fd_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  bool is_open() const { return fd_ >= 0; }
  std::string read(std::size_t size, std::uint64_t offset) const {
    std::string text(size, '\0');
    const ssize_t count = pread(fd_, text.data(), size, static_cast<off_t>(offset));
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

 private:
  int fd_;
};

template <class FileHeader, class ProgramHeader>
void read_elf(const Input& input, Image& image) {
  FileHeader header;
  const std::string bytes = input.read(sizeof header, 0);
  if (bytes.size() != sizeof header) return;
  std::memcpy(&header, bytes.data(), sizeof header);
  image.machine = header.e_machine;
  for (unsigned n = 0; n < header.e_phnum && n < 1024; ++n) {
    ProgramHeader segment;
    const std::string text = input.read(
        sizeof segment, header.e_phoff + static_cast<std::uint64_t>(n) * header.e_phentsize);
    if (text.size() != sizeof segment) return;
    std::memcpy(&segment, text.data(), sizeof segment);
    if (segment.p_type != PT_INTERP) continue;
    image.interpreter =
        input.read(segment.p_filesz < 4096 ? segment.p_filesz : 4096, segment.p_offset);
    image.interpreter = image.interpreter.c_str();  // up to its NUL
  }
}

Image look_at(const std::string& path) {
  Image image;
  const Input input(path);
  if (!input.is_open()) return image;
  image.is_readable = true;
  image.first_line = input.read(512, 0);
  const std::string& bytes = image.first_line;
  image.is_elf = bytes.size() > EI_NIDENT && bytes.compare(0, SELFMAG, ELFMAG) == 0;
  if (image.is_elf) {
    image.elf_class = static_cast<unsigned char>(bytes[EI_CLASS]);
    if (image.elf_class == ELFCLASS64) read_elf<Elf64_Ehdr, Elf64_Phdr>(input, image);
    if (image.elf_class == ELFCLASS32) read_elf<Elf32_Ehdr, Elf32_Phdr>(input, image);
  }
  image.first_line.resize(std::min(image.first_line.find('\n'), image.first_line.size()));
  return image;
}

std::string machine_name(const Image& image) {
  const char* bits = image.elf_class == ELFCLASS64 ? "64-bit" : "32-bit";
  switch (image.machine) {
    case EM_X86_64: return fmt::format("{} x86-64", bits);
    case EM_386: return fmt::format("{} x86", bits);
    case EM_AARCH64:
    case EM_ARM: return fmt::format("{} ARM", bits);
    case EM_RISCV: return fmt::format("{} RISC-V", bits);
    case EM_PPC64: return fmt::format("{} POWER", bits);
    case EM_S390: return fmt::format("{} S/390", bits);
    default: return fmt::format("{} machine {}", bits, image.machine);
  }
}

// The loader ignores LD_PRELOAD when the kernel runs the program with more privileges than the
// caller has (AT_SECURE).
std::string privilege_of(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "";
  struct statvfs filesystem;
  if (statvfs(path.c_str(), &filesystem) == 0 && (filesystem.f_flag & ST_NOSUID) != 0) return "";
  if ((info.st_mode & S_ISUID) != 0 && info.st_uid != getuid()) return "it is setuid";
  const bool is_setgid = (info.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  if (is_setgid && info.st_gid != getgid()) return "it is setgid";
  char capabilities[64];
  if (getuid() != 0 &&
      getxattr(path.c_str(), "security.capability", capabilities, sizeof capabilities) > 0) {
    return "it has file capabilities";
  }
  return "";
}

// The interpreter of a script's first line; for `env PROGRAM`, that program.
std::string interpreter_of(const std::string& first_line) {
  std::istringstream words(first_line.substr(2));
  std::string interpreter;
  words >> interpreter;
  if (interpreter.substr(interpreter.rfind('/') + 1) != "env") return interpreter;
  for (std::string word; words >> word;) {
    if (word[0] != '-' && word.find('=') == std::string::npos) return word;
  }
  return interpreter;
}

PreloadVerdict& refuse(PreloadVerdict& verdict, Kind kind, std::string reason, std::string advice) {
  verdict.kind = kind;
  verdict.reason = std::move(reason);
  verdict.advice = std::move(advice);
  return verdict;
}

PreloadVerdict& judge_elf(PreloadVerdict& verdict, const Image& image, const std::string& library,
                          bool no_new_privileges) {
  const std::string& path = verdict.path.back();
  const std::vector<std::string> files = library_files(library);
  const bool is_for_it = std::any_of(files.begin(), files.end(), [&](const std::string& file) {
    const Image wanted = look_at(file);
    return !wanted.is_elf ||
           (image.elf_class == wanted.elf_class && image.machine == wanted.machine);
  });
  if (!is_for_it) {
    return refuse(verdict, Kind::OtherMachine,
                  fmt::format("it is a {} program, and the library is {}", machine_name(image),
                              machines_of(library)),
                  "use a build of the program for the library's machine, or build ipcell for the "
                  "program's");
  }
  if (image.interpreter.empty()) {
    return refuse(verdict, Kind::Static,
                  "it is statically linked: no loader runs that could preload",
                  "use a dynamically linked build of it, or `ipcell run --trap`: then another "
                  "process makes its "
                  "calls, at 150 times the kernel's cost, and without shmat");
  }
  if (image.interpreter.find("ld-musl") != std::string::npos) {
    return refuse(verdict, Kind::OtherMachine,
                  "it uses musl as its C library, and ipcell needs glibc",
                  "use a build of the program for glibc");
  }
  const std::string privilege = no_new_privileges ? "" : privilege_of(path);
  if (!privilege.empty()) {
    return refuse(verdict, Kind::Privileged,
                  privilege +
                      ": the loader ignores LD_PRELOAD for a program with privileges of its own",
                  "run it as the user that it changes to, or run a copy without that privilege (cp "
                  "does not copy it)");
  }
  return verdict;
}

}  // namespace

std::string machines_of(const std::string& library) {
  std::string machines;
  for (const std::string& file : library_files(library)) {
    const Image image = look_at(file);
    if (image.is_elf) machines += (machines.empty() ? "" : " and ") + machine_name(image);
  }
  return machines;
}

std::string find_program(const std::string& program) {
  if (program.empty()) return "";
  if (program.find('/') != std::string::npos) {
    return access(program.c_str(), F_OK) == 0 ? program : "";
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/bin:/usr/bin" : path);
  std::string first;  // found, but not executable
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + program;
    struct stat info;
    if (stat(candidate.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) continue;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    if (first.empty()) first = candidate;
  }
  return first;
}

PreloadVerdict check_preload(const std::string& program, const std::string& library,
                             bool no_new_privileges) {
  PreloadVerdict verdict;
  std::string wanted = program;
  for (int depth = 0; depth < 6; ++depth) {
    const std::string path = find_program(wanted);
    if (path.empty()) {
      return refuse(verdict, Kind::NotFound,
                    verdict.path.empty() ? fmt::format("{} was not found", wanted)
                                         : fmt::format("its interpreter {} was not found", wanted),
                    wanted.find('/') == std::string::npos ? "check the name, and PATH"
                                                          : "check the path");
    }
    verdict.path.push_back(path);
    struct stat info;
    if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
      return refuse(verdict, Kind::NotAProgram, "it is not a regular file", "name a program");
    }
    if (access(path.c_str(), X_OK) != 0) {
      return refuse(verdict, Kind::NotExecutable,
                    fmt::format("it may not be executed ({})", std::strerror(errno)),
                    "chmod +x it, if it is a program");
    }
    const Image image = look_at(path);
    if (image.is_elf) return judge_elf(verdict, image, library, no_new_privileges);
    if (!image.is_readable) {
      return refuse(verdict, Kind::Privileged,
                    "it may be executed but not read, so nobody can tell", "make it readable");
    }
    // What has no #! line is the shell's.
    wanted =
        image.first_line.compare(0, 2, "#!") == 0 ? interpreter_of(image.first_line) : "/bin/sh";
  }
  return refuse(verdict, Kind::NotAProgram, "its #! lines lead from script to script",
                "name an interpreter that is a program");
}

void warn_of_unloadable(const std::string& program, const std::string& library, bool denies,
                        bool traps) {
  const PreloadVerdict verdict = check_preload(program, library, denies || traps);
  // DIVERGES: no shmat(2), see docs/compatibility.md.
  if (verdict.kind == Kind::Static && traps) return;
  if (verdict.kind == Kind::Static || verdict.kind == Kind::Privileged ||
      verdict.kind == Kind::OtherMachine) {
    spdlog::warn("{} will not see the cell: {}; {}", verdict.path.back(), verdict.reason,
                 verdict.advice);
  }
}

}  // namespace ipcell::cli
