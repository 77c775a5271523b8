// Signals: the program's handlers run through a trampoline, so that they may call any wrapper.
//
//  - In a critical section the signal is put off to the section's end.
//  - In a blocked operation the operation is first taken back; then the handler runs (and may
//    siglongjmp away), then the operation reports EINTR.
//  - Faults in the copies from and to the program become EFAULT; faults in the cell's mapping (the
//    file was cut off) become a damaged cell; all others are the program's own.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include "core/cell/task.h"

namespace ipcell {

// The library handles `signal` before the program does, from here on. `own` is called
// wherever the thread was, and whatever it was in the midst of: true if the signal was one of ours,
// and the context, which it may change, is to be gone on with. All others are the program's, as if
// nobody stood before it. Handlers nest: `own`
// may take as long as it wants, and run what brings about the signal again.
// `idle_flags`: SA_ONSTACK or 0, while the program has no handler of its own.
using OwnHandler = bool (*)(int signal, siginfo_t* info, ucontext_t& context);
void keep_signal(int signal, OwnHandler own, int idle_flags = SA_ONSTACK);

// Keeps SIGSEGV and SIGBUS.
void install_fault_handlers();

// True if the handler that took the thread's last blocked operation back was installed with
// SA_RESTART: those calls that the kernel restarts are to be made again. Clears it.
bool take_restart();

// True in a handler of the program's, as far as can be told: one that was left by longjmp(3) may
// still count.
bool is_in_handler();

// True on a stack of the program's own for handlers, which may have no room for more than them.
bool is_on_signal_stack();

// Runs the handlers of signals that came in a critical section. Task::on_deferred.
void deliver_deferred_signal(Task& task);

}  // namespace ipcell
