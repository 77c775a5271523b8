// Signals that came in a critical section: kept until its end, and sent again there.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include "core/cell/task.h"

namespace ipcell {

// Lets the interrupted critical section go on, with all signals blocked until its end.
void defer(Task& task, int signal, const siginfo_t& info, ucontext_t& context);

// `signal` stays blocked as well when the critical section ends.
void block_after_deferral(int signal);

// A real-time signal that was put off comes again behind those that were queued since. At its
// arrival or theirs `*info` becomes that of the one that is due. False if none is.
bool restore_order(int signal, siginfo_t* info);

}  // namespace ipcell
