// Can this program be given the library? And if not, why, and what is to be done.
#pragma once

#include <string>
#include <vector>

namespace ipcell::cli {

struct PreloadVerdict {
  enum class Kind { Ok, NotFound, NotExecutable, NotAProgram, Static, Privileged, OtherMachine };
  Kind kind = Kind::Ok;
  // The files that were looked at: the program, and the interpreters that its #! lines lead to.
  std::vector<std::string> path;
  std::string reason;  // what stands in the way; empty if nothing does
  std::string advice;
};

// `program` is looked for as a shell does. `library` is what LD_PRELOAD is to name.
// With `no_new_privileges` setuid and its like take no effect, and are no hindrance.
PreloadVerdict check_preload(const std::string& program, const std::string& library,
                             bool no_new_privileges = false);

// The kinds of programs that it is for: "64-bit x86-64 and 32-bit x86".
std::string machines_of(const std::string& library);

// The file that `program` names: itself if there is a slash in it, else as found in PATH; empty if
// there is none.
std::string find_program(const std::string& program);

// Warns of a program that would run on without the library, with the kernel's IPC instead of the
// cell's. `denies`, `traps`: how it is run.
void warn_of_unloadable(const std::string& program, const std::string& library, bool denies,
                        bool traps);

}  // namespace ipcell::cli
