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

}  // namespace ipcell
