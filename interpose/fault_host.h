// What rules of fault injection want to know of this process: its place among those that the first
// one forked, its name, and who makes a call. The rules themselves are the core's: ipc/fault.h.
#pragma once

#include "core/ipc/fault.h"
#include "interpose/process_cells.h"

namespace ipcell {

// Its fork path, and how many children it has had: "0.2+3". Set where somebody may want to know:
// by `ipcell run`, and by IPCELL_FAULTS. What is started inherits it.
constexpr char kFaultPathVariable[] = "IPCELL_FAULT_PATH";

const FaultHost& fault_host();
// Of a thread that makes its first call: 0, 1, ...
u32 next_thread_number();

// True if the variable above is to be set for what is started.
bool has_fault_path();
// The value for a program that takes this process over by exec(2), or is its next child. In a child
// of vfork(2) that is the child itself.
enum class FaultHeir { Own, Child };
constexpr std::size_t kFaultPathValue = kFaultPathMax + 24;
void write_fault_path(FaultHeir heir, char* out);

// fork(2): the number of the child to be, and in the child.
u32 next_fault_child();
void become_fault_child(u32 number);

// Header::faults of the process's cell; not 0 before there is one, or if there are several, which
// come and go.
extern const u32* g_faults;
void watch_faults(const Cell& cell);
void watch_faults_of_many();
extern thread_local const void* t_caller;

// At the start of each exported call: where the program made it. A load and a branch without rules.
#define IPCELL_NOTE_CALLER()                                                                       \
  do {                                                                                             \
    if (ipcell::kAsksForFaults && ipcell::load_relaxed(*ipcell::g_faults) != 0) [[unlikely]]       \
      ipcell::note_caller(__builtin_return_address(0));                                            \
  } while (false)
void note_caller(const void* address);

}  // namespace ipcell
