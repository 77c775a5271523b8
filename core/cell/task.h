// Task: a thread's way into a cell. Every operation of the core gets one; the core keeps no state
// of its own outside of it.
#pragma once

#include "core/cell/cell.h"

namespace ipcell {

// The caller's credentials as the permission checks want them. The caller keeps them current.
struct Cred {
  u32 euid = 0;
  u32 fsgid = 0;  // filesystem group: the effective one, unless setfsgid(2) changed it
  u32 egid = 0;
  const u32* groups = nullptr;  // supplementary groups
  u32 group_count = 0;
  u64 capabilities = 0;  // effective set, bit per CAP_*

  bool has_capability(int number) const { return (capabilities >> number & 1) != 0; }
  // Linux: kernel/groups.c:in_group_p()
  bool is_in_group(u32 gid) const {
    if (gid == fsgid) return true;
    for (u32 n = 0; n < group_count; ++n) {
      if (groups[n] == gid) return true;
    }
    return false;
  }
};

// What a Task needs to know about its thread and process.
struct TaskIdentity {
  i32 pid = 0;
  i32 tid = 0;
  u64 start_time = 0;
  u64 pid_namespace = 0;
  u32 image = 0;  // a number of the process's memory; another one after exec(2)
};

class Task;

// A blocked operation's state on the sleeper's stack.
struct WaitFrame {
  volatile bool interrupted = false;  // a handler ran: the operation was taken back
};

// Who is told when a call of the task goes to sleep, and has slept: the call's fault rules.
struct CallWatch {
  // In the window in which handlers may run, `frame` is its own; may write to `deadline_ns`.
  void (*before_sleep)(Task& task, CallWatch& watch, const WaitFrame& frame, i64& deadline_ns);
  void (*after_sleep)(Task& task, CallWatch& watch);
  const void* lowered = nullptr;  // a limit of the cell that is 0 for this call; see limit_of()
};
struct FaultHost;  // ipc/fault.h

// Where a task found its process's hold in an object; see ipc/holds.h.
struct HoldHint {
  u64 object = 0;
  u64 hold = 0;
};

class AddressMap;  // ipc/address_map.h

class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  Cell* cell = nullptr;
  TaskRec* rec = nullptr;
  u32 slot = kNoSlot;  // slot + 1, as lock words and lists store it
  TaskIdentity identity;
  const Cred* cred = nullptr;
  i64 (*clock)() = nullptr;  // seconds since the epoch; nullptr for the machine's own

  // --- signals. interpose/signals.cc reads and writes these from handlers on the same thread.
  // While > 0 a handler must not run: the task holds locks or is between two states.
  volatile u32 critical = 0;
  // A handler was put off; run at the end of the operation by `on_deferred`.
  volatile u32 deferred = 0;
  void (*on_deferred)(Task&) = nullptr;
  // How the task sleeps on its wait word: futex_wait(), or a cancellable variant of it. Set by the
  // layer above for the calls that are cancellation points; always called with no lock held.
  int (*sleep)(u32& word, u32 expected, i64 timeout_ns) = nullptr;
  // The wait that handlers may interrupt just now, or nullptr. See interrupt_wait().
  WaitFrame* volatile wait_frame = nullptr;

  u8 cache_count[kBlockClasses] = {};  // blocks in each list of rec->cache
  u32 full_cache = 0;                  // bit per class that has more than it should
  u32 lock_depth = 0;                  // how many of rec->intents are in force
  // How waits went lately; see wait_queue.cc.
  u32 spin_pause = 0;
  u32 skipped_spins = 0;
  static constexpr u32 kFirstYieldPause = 16;
  u32 yield_credit = 1;
  u32 yield_pause = kFirstYieldPause;
  u32 skipped_yields = 0;
  u32 turn_pause = 0;
  u32 skipped_turns = 0;
  i64 turn_began_ns = 0;  // when a wait in semop(2) last ended well
  // The process's ProcessRec, if it has one, as far as the task knows.
  u64 own_process = 0;
  // SEM_UNDO: the same, or the thread's own list.
  u64 undo_process = 0;
  bool is_undo_apart = false;  // after unshare(CLONE_SYSVSEM)
  static constexpr u32 kHoldHints = 16;
  HoldHint undo_hints[kHoldHints];
  HoldHint attach_hints[kHoldHints];
  i64 stranger_seen_ns = 0;  // when has_stranger() said yes
  // What the process has attached, and the way to the segments' pages. The process's, shared by its
  // threads; nullptr for tools that attach nothing.
  AddressMap* addresses = nullptr;
  // The cell's folder, where the pipes of POSIX queues are; nullptr for tools that open none.
  const char* folder = nullptr;
  // A descriptor of its folder of pipes that outlives the right to open it; -1: there is none.
  int mqueue_folder = -1;
  // The call under way that fault rules have to do with; nullptr in its handlers.
  CallWatch* volatile watch = nullptr;
  // What rules want to know of the process; nullptr for tools.
  const FaultHost* fault_host = nullptr;
  u32 thread_number = 0;    // of the process's threads that made a call, from 0
  i32 buried_pid = 0;       // of a process whose SEM_UNDO was applied, and may be left to nobody
  u32 dead_seen = kNoSlot;  // a dead task met on the way, to be reaped when no lock is held
};

// A limit of the cell, as it is for the call under way.
template <class T>
T limit_of(const Task& task, const T& limit) {
  const CallWatch* const watch = task.watch;
  if (watch != nullptr && watch->lowered == &limit) [[unlikely]]
    return 0;
  return load_relaxed(limit);
}

// No handler runs inside: what a signal would interrupt is finished first.
class Critical {
 public:
  explicit Critical(Task& task) : task_(task) {
    task_.critical = task_.critical + 1;
    kill_barrier();
  }
  ~Critical() {
    kill_barrier();
    task_.critical = task_.critical - 1;
    if (task_.deferred != 0 && task_.critical == 0) [[unlikely]]
      task_.on_deferred(task_);
  }
  Critical(const Critical&) = delete;
  Critical& operator=(const Critical&) = delete;

 private:
  Task& task_;
};

}  // namespace ipcell
