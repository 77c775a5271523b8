// What the program asked for with sigaction(2), and what the kernel gets in its place.
#pragma once

#include <signal.h>

#include "core/base/types.h"

namespace ipcell {

constexpr int kSignals = 65;
constexpr std::size_t kMaskSize = 8;  // bytes of the kernel's signal set

constexpr u64 signal_bit(int signal) { return 1ull << (signal - 1); }

// glibc's own two, which it neither blocks nor handles for programs.
constexpr u64 kLibcSignals = signal_bit(32) | signal_bit(33);

inline bool has_handler(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

// The program's own, as last set; SIG_DFL before.
struct sigaction program_action(int signal);
// As sigaction(2) of the program.
int set_action(int signal, const struct sigaction* wanted, struct sigaction* old);
// rt_sigaction(2), by number: 0 or -errno.
long action_by_number(int signal, const void* wanted, void* old, u64 size);
// A handler that was set past sigaction(2) runs by run_program_handler() from here on. False if
// there is none.
bool chain_handler(int signal);
// What the kernel does at the delivery of a signal with SA_RESETHAND.
void reset_action(int signal);
// The kernel's action is the default one from here on, whatever the program asked for.
void restore_default(int signal);

// The signals that this library handles before the program does; see keep_signal().
u64 kept_signals();
bool is_kept(int signal);
// From here on run_kept_handler() has it; `idle_flags` as for keep_signal().
void keep_action(int signal, int idle_flags);

// Handlers that the kernel knows. Of a signal with a handler of the program's; and of kept ones.
void run_program_handler(int signal, siginfo_t* info, void* context);
void run_kept_handler(int signal, siginfo_t* info, void* context);

}  // namespace ipcell
