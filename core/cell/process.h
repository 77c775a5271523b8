// Processes, as /proc tells of them. A token tells of one thread alone.
#pragma once

#include "core/cell/liveness.h"

namespace ipcell {

// A pid is used again; together with the start time it is not.
struct ProcessId {
  i32 pid = 0;
  u64 start_time = 0;     // clock ticks since boot; 0 if unknown
  u64 pid_namespace = 0;  // of the pid
};

inline ProcessId process_of(const TaskRec& rec) {
  return {rec.pid, rec.start_time, rec.pid_namespace};
}
constexpr bool is_same(const ProcessId& a, const ProcessId& b) {
  const bool has_times = a.start_time != 0 && b.start_time != 0;
  return a.pid == b.pid && a.pid_namespace == b.pid_namespace &&
         (!has_times || a.start_time == b.start_time);
}

constexpr bool is_identical(const ProcessId& a, const ProcessId& b) {
  return a.pid == b.pid && a.start_time == b.start_time && a.pid_namespace == b.pid_namespace;
}

// "/proc/PID" and `rest` behind it.
struct ProcPath {
  char text[64];

  ProcPath(i32 pid, const char* rest) {
    char digits[12];
    int count = 0;
    for (u32 left = static_cast<u32>(pid); left != 0 || count == 0; left /= 10)
      digits[count++] = static_cast<char>('0' + left % 10);
    char* end = text;
    for (const char* c = "/proc/"; *c != '\0'; ++c) *end++ = *c;
    while (count > 0) *end++ = digits[--count];
    for (const char* c = rest; *c != '\0'; ++c) *end++ = *c;
    *end = '\0';
  }
};

// Reads /proc/PID/stat: the process's start time (clock ticks since boot) and whether it is a
// zombie with no thread left. False if it is not there.
bool read_process(i32 pid, u64* start_time, bool* is_zombie);

// The calling process, as far as /proc tells.
ProcessId own_process();

// True if the process is in exec(2), where neither what it has mapped nor its environment tells
// what it is. Where /proc/PID/stat hides addresses from the caller any process may look so.
bool is_between_programs(i32 pid);

// Inode numbers of the calling process's namespaces, 0 if unknown; and of the first of all.
u64 own_pid_namespace();
u64 own_user_namespace();
constexpr u64 kFirstPidNamespace = 0xeffffffc;   // Linux: PROC_PID_INIT_INO
constexpr u64 kFirstUserNamespace = 0xeffffffd;  // Linux: PROC_USER_INIT_INO

// Threads of the process, 0 if that can't be known.
u64 count_threads(i32 pid);
// Of the calling one: in a /proc of another pid namespace, too.
u64 count_own_threads();

// False where /proc is another pid namespace's, or not there.
bool is_proc_of_own_namespace();

// True if no thread of the process will run an instruction of the program any more: it is gone, a
// zombie, or all of its threads are ending in the kernel. The pid is one of the caller's own pid
// namespace.
bool is_process_gone(const ProcessId& process);

// The same of one thread of it. After exec(2) the thread is the process's first.
bool is_thread_gone(const ProcessId& process, i32 tid);

// The same, asked for the process of a task: its token is looked at first.
inline bool is_process_gone(const TaskRec& rec) {
  return is_token_dead(rec.token) && is_process_gone(process_of(rec));
}

}  // namespace ipcell
