// A traced thread that is taken through its instructions one by one, and then dies, or is let go.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace crash {

// What the next instruction is: most just run; a system call may sleep; a string instruction does
// its whole length as one, although a single step takes it byte by byte.
enum class Kind : std::uint8_t { Plain, SystemCall, String };

enum class Halt { Stopped, Asleep, Gone };

class Tracee {
 public:
  explicit Tracee(pid_t tid) : tid_(tid) {}

  // Called by the traced thread itself. False if this machine does not let us.
  static bool invite();

  // Waits for the thread's first stop. False if it is gone.
  bool await_first_stop();
  // Lets it run until the next breakpoint instruction, passing signals on. `meanwhile` is called
  // once when it runs.
  bool run_to_trap(const std::function<void()>& meanwhile = nullptr);

  // Both of a stopped thread.
  std::uint64_t pc() const;
  Kind next_kind() const;

  // One instruction on. Asleep: it is in a system call that does not come back; wake_up() waits on.
  Halt step(Kind kind);
  // Waits for the end of the system call that step() found asleep.
  Halt wake_up();
  // Enters the instruction and does not finish it: one byte of a string, or sleep in a system call.
  void enter(Kind kind);

  // Ends its process at once, wherever it is.
  void kill_process(pid_t pid);
  // Ends the thread alone, while its process lives on: it goes to the system call exit(2).
  void exit_thread(pid_t pid);
  // Lets it go on untraced.
  void release();

 private:
  Halt await_stop();
  Halt step_string();

  pid_t tid_;
};

// The scheduler's letter for the thread: 'S' asleep, 'T' stopped, 'Z' dead ... ; 0 if there is
// none.
char thread_state(pid_t tid);
inline bool is_thread_asleep(pid_t tid) { return thread_state(tid) == 'S'; }

}  // namespace crash
