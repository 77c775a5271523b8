#include "core/cell/process.h"

#include <linux/wait.h>
#include <signal.h>

#include <cerrno>

#include "core/base/file.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace ipcell {

namespace {

// Linux: include/linux/sched.h, shown in /proc/PID/stat.
constexpr u64 PF_EXITING = 0x4;

struct ThreadStat {
  bool is_there = false;
  bool is_unknown = false;  // it could not be looked at
  bool is_exiting = false;  // past its last instruction
  // ... and its tokens are marked: the kernel does that before it gives the memory back, and
  // SEM_UNDO and the descriptors come after. So who sees a pipe of the process closed sees this
  // too, when the process is not yet a zombie.
  bool is_ending = false;
  bool is_between = false;  // exec(2) has given it new memory, and not yet its environment
  u64 threads = 0;          // of the process
  u64 start_time = 0;
};

const char* skip_fields(const char* text, const char* end, int count) {
  for (; count > 0 && text < end; ++text) {
    if (*text == ' ') --count;
  }
  return text;
}

u64 parse_number(const char* text, const char* end) {
  unsigned long long value = 0;
  for (; text < end && *text >= '0' && *text <= '9'; ++text)
    value = value * 10 + static_cast<unsigned>(*text - '0');
  return value;
}

// Of the file `path` in `folder`: /proc/PID/stat, or a thread's own.
ThreadStat read_stat(long folder, const char* path) {
  ThreadStat stat;
  const Descriptor file(sys::call(SYS_openat, folder, sys::arg(path), O_RDONLY | O_CLOEXEC));
  char text[1024];
  const long size =
      file.fd() < 0 ? file.fd() : sys::call(SYS_read, file.fd(), sys::arg(text), sizeof text);
  stat.is_unknown = size < 0 && size != -ENOENT && size != -ESRCH;
  if (size <= 0) return stat;
  const char* end = text + size;
  // The command's name may hold anything; the last ')' ends it.
  const char* state = end;
  while (state > text && *state != ')') --state;
  if (state == text || state + 2 >= end) return stat;
  state += 2;
  stat.is_there = true;
  stat.is_exiting = (parse_number(skip_fields(state, end, 6), end) & PF_EXITING) != 0;
  const bool has_memory = parse_number(skip_fields(state, end, 20), end) != 0;
  stat.is_ending = *state == 'Z' || *state == 'X' || (stat.is_exiting && !has_memory);
  stat.is_between = has_memory && parse_number(skip_fields(state, end, 47), end) == 0;
  stat.threads = parse_number(skip_fields(state, end, 17), end);
  stat.start_time = parse_number(skip_fields(state, end, 19), end);
  return stat;
}

// Of the thread `name` in a folder /proc/PID/task.
ThreadStat read_thread_stat(long folder, const char* name) {
  const u64 tid = parse_number(name, name + __builtin_strlen(name));
  return read_stat(folder, ProcPath(static_cast<i32>(tid), "/stat").text + sizeof "/proc");
}

// Looks at all threads of the process. True if each of them is ending; `*which` tells the threads.
bool are_threads_ending(i32 pid, u64* which) {
  const Descriptor folder(open_at(AT_FDCWD, ProcPath(pid, "/task").text, O_RDONLY | O_DIRECTORY));
  *which = 0;
  bool all = true;
  const long error = for_each_entry(folder.fd(), [&](const char* name) {
    const u64 tid = parse_number(name, name + __builtin_strlen(name));
    *which = *which * 31 + tid;
    const ThreadStat stat = read_thread_stat(folder.fd(), name);
    all = !stat.is_unknown && (!stat.is_there || stat.is_ending);
    return all;
  });
  return all && error == 0 && *which != 0;
}

// A thread may start another and end while they are counted: only two equal counts are believed.
bool is_ending_with_threads(i32 pid) {
  constexpr int kTries = 8;
  u64 before = 0, now = 0;
  for (int n = 0; n < kTries; ++n) {
    if (!are_threads_ending(pid, &now)) return false;
    if (n != 0 && now == before) return true;
    before = now;
  }
  return false;
}

// With no descriptor to be had: a child's end can be seen all the same.
bool is_gone_without_files(i32 pid) {
  siginfo_t info = {};
  const long result =
      sys::call(SYS_waitid, P_PID, pid, sys::arg(&info), WEXITED | WNOHANG | WNOWAIT, 0);
  if (result == 0) return info.si_pid == pid;
  return sys::call(SYS_kill, pid, 0) == -ESRCH;
}

// Without /proc (a changed root, say).
bool is_gone_by_descriptor(i32 pid) {
  const Descriptor process(sys::call(SYS_pidfd_open, pid, 0));
  if (process.fd() == -ESRCH) return true;
  if (process.fd() < 0) return is_gone_without_files(pid);
  struct {
    int fd;
    short events, revents;
  } poll = {static_cast<int>(process.fd()), 1 /* POLLIN */, 0};
  const struct timespec no_time = {};
  return sys::call(SYS_ppoll, sys::arg(&poll), 1, sys::arg(&no_time), 0, 0) > 0;
}

}  // namespace

bool read_process(i32 pid, u64* start_time, bool* is_zombie) {
  const ThreadStat stat = read_stat(AT_FDCWD, ProcPath(pid, "/stat").text);
  if (!stat.is_there) return false;
  *start_time = stat.start_time;
  // A leader that left its threads behind is shown as a zombie as well.
  *is_zombie = stat.is_ending && stat.threads <= 1;
  return true;
}

// Of what the link leads to; 0 if unknown.
static u64 inode_of(const char* path) {
  struct statx info;
  const long error = sys::call(SYS_statx, AT_FDCWD, sys::arg(path), 0, STATX_INO, sys::arg(&info));
  return error == 0 ? info.stx_ino : 0;
}

ProcessId own_process() {
  ProcessId id;
  id.pid = static_cast<i32>(sys::call(SYS_getpid));
  bool is_zombie = false;
  u64 start_time = 0;
  if (is_proc_of_own_namespace() && read_process(id.pid, &start_time, &is_zombie))
    id.start_time = start_time;
  id.pid_namespace = own_pid_namespace();
  return id;
}

bool is_between_programs(i32 pid) {
  const ThreadStat stat = read_stat(AT_FDCWD, ProcPath(pid, "/stat").text);
  return stat.is_there && stat.is_between;
}

u64 own_pid_namespace() { return inode_of("/proc/self/ns/pid"); }
u64 own_user_namespace() { return inode_of("/proc/self/ns/user"); }

u64 count_threads(i32 pid) { return read_stat(AT_FDCWD, ProcPath(pid, "/stat").text).threads; }

// One that was joined is in the kernel's own count for a moment yet.
u64 count_own_threads() {
  const u64 all = read_stat(AT_FDCWD, "/proc/self/stat").threads;
  if (all <= 1) return all;
  const Descriptor folder(open_at(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY));
  u64 alive = 0;
  const long error = for_each_entry(folder.fd(), [&](const char* name) {
    const ThreadStat stat = read_thread_stat(folder.fd(), name);
    if (stat.is_unknown || (stat.is_there && !stat.is_ending && !stat.is_exiting)) ++alive;
    return true;
  });
  return error == 0 && alive != 0 ? alive : all;
}

bool is_proc_of_own_namespace() {
  char link[16] = {};
  const long size =
      sys::call(SYS_readlinkat, AT_FDCWD, sys::arg("/proc/self"), sys::arg(link), sizeof link - 1);
  return size > 0 && parse_number(link, link + size) == static_cast<u64>(sys::call(SYS_getpid));
}

bool is_process_gone(const ProcessId& process) {
  if (!is_proc_of_own_namespace()) return is_gone_by_descriptor(process.pid);
  ThreadStat stat;
  // No threads: it was looked at while an exec(2) by another thread put that in the leader's place.
  for (int tries = 0; tries < 100 && stat.threads == 0; ++tries) {
    stat = read_stat(AT_FDCWD, ProcPath(process.pid, "/stat").text);
    if (!stat.is_there) return is_gone_by_descriptor(process.pid);
  }
  if (process.start_time != 0 && stat.start_time != process.start_time) return true;
  if (!stat.is_ending) return false;
  return stat.threads == 1 || is_ending_with_threads(process.pid);
}

bool is_thread_gone(const ProcessId& process, i32 tid) {
  if (is_process_gone(process)) return true;
  if (!is_proc_of_own_namespace()) return false;
  const Descriptor folder(
      open_at(AT_FDCWD, ProcPath(process.pid, "/task").text, O_RDONLY | O_DIRECTORY));
  if (folder.fd() < 0) return false;
  const ThreadStat stat = read_stat(folder.fd(), ProcPath(tid, "/stat").text + sizeof "/proc");
  return !stat.is_unknown && (!stat.is_there || stat.is_ending);
}

}  // namespace ipcell
