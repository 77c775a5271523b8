// Signals: the program's handlers run through a trampoline, so that they may call any wrapper.
//
//  - In a critical section the signal is put off to the section's end.
//  - In a blocked operation the operation is first taken back; then the handler runs (and may
//    siglongjmp away), then the operation reports EINTR.
//  - Faults in the copies from and to the program become EFAULT; faults in the cell's mapping (the
//    file was cut off) become a damaged cell; all others are the program's own.
#pragma once

#include "core/cell/task.h"

namespace ipcell {

// Installs SIGSEGV and SIGBUS handlers that are chained before the program's own.
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
