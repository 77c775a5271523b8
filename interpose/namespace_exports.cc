// unshare(2) and setns(2): what of them concerns a cell. No privilege is needed; other flags in the
// same call reach the kernel.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/ipc/text.h"
#include "interpose/namespace_path.h"
#include "interpose/namespaces.h"
#include "interpose/real.h"
#include "interpose/signal_masks.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<int(int, int)> real_setns("setns");
constinit Real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>
    real_create("pthread_create");

constinit Real<int(const pthread_attr_t*, sigset_t*)> real_getsigmask("pthread_attr_getsigmask_np");

// A thread has of its maker what the kernel does not know: the namespace, if that is not its
// process's, and the part of the mask that is hidden.
struct ThreadStart {
  void* (*run)(void*);
  void* argument;
  u32 home;  // or kNoCell
  u64 hidden;
};

void* run_thread(void* context) {
  const ThreadStart start = *static_cast<ThreadStart*>(context);
  free(context);
  if (start.home != kNoCell) move_home(start.home, false);
  inherit_hidden(start.hidden);
  return start.run(start.argument);
}

// True if the thread is to begin with a mask of its own.
bool has_mask(const pthread_attr_t* attributes) {
  sigset_t mask;
  return attributes != nullptr && real_getsigmask.get() != nullptr &&
         real_getsigmask.get()(attributes, &mask) == 0;
}

int create_thread(pthread_t* id, const pthread_attr_t* attributes, void* (*run)(void*),
                  void* argument, u32 home) {
  auto* start = static_cast<ThreadStart*>(malloc(sizeof(ThreadStart)));
  if (start == nullptr) return EAGAIN;
  *start = {run, argument, home, has_mask(attributes) ? 0 : hidden_signals()};
  const int error = real_create(id, attributes, run_thread, start);
  if (error != 0) free(start);
  return error;
}

int unshare_adjustments(int flags) {
  const int result = IPCELL_REAL(unshare)(flags);
  // A child of vfork(2) leaves what it never shared.
  if (result != 0 || is_borrowed_memory()) return result;
  if ((flags & CLONE_SYSVSEM) != 0) {
    const bool is_alone = count_own_threads() == 1;
    if (Task* task = task_if_any()) {
      sys_unshare_undo(*task, is_alone);
    } else if (!is_alone) {
      be_undo_apart();
    }
  }
  return 0;
}

// Linux: kernel/fork.c:ksys_unshare(): nothing changes before all that can fail.
int unshare_namespace(int flags) {
  // DIVERGES: a child of vfork(2) can't have a namespace of its own: its memory is its parent's.
  if (is_borrowed_memory()) return static_cast<int>(to_libc(-EINVAL));
  NewNamespace fresh;
  const long error = fresh.make();
  if (error > 0) return IPCELL_REAL(unshare)(flags);
  if (error < 0) return static_cast<int>(to_libc(error));
  const int result = IPCELL_REAL(unshare)(flags & ~CLONE_NEWIPC);
  if (result == 0) fresh.enter();
  return result;
}

// The process that a pidfd stands for; 0 if it is none, -1 if the process is gone.
i32 process_of_pidfd(int fd) {
  char path[48];
  TextWriter text(path, sizeof path);
  text.put("/proc/thread-self/fdinfo/");
  text.put_signed(fd, 0);
  text.put_char('\0');
  const Descriptor info(open_at(AT_FDCWD, path, O_RDONLY));
  char lines[512];
  const long size = fd >= 0 && info.fd() >= 0
                        ? sys::call(SYS_read, info.fd(), sys::arg(lines), sizeof lines - 1)
                        : 0;
  lines[size > 0 ? size : 0] = '\0';
  const char* line = strstr(lines, "\nPid:\t");
  return line != nullptr ? atoi(line + 6) : 0;
}

// Moves to the cell at `place`, after the kernel has done what else there is. 0 or -errno.
long move_to(const CellPlace& place, int fd, int other_types) {
  CellStatus status;
  const u32 number = open_cell(place, &status);
  if (number == kNoCell) return status.ok() ? -ENOSPC : -EPERM;
  if (other_types != 0 && real_setns(fd, other_types) != 0) return -errno;
  enter_namespace(number);
  return 0;
}

long set_namespace_of_process(int fd, i32 pid, int types) {
  CellPlace place;
  u64 number;
  if (pid < 0) return -ESRCH;
  // One that is in no cell: the kernel's namespace is meant.
  if (!namespace_of_process(pid, &place, &number)) return 1;
  return move_to(place, fd, types & ~CLONE_NEWIPC);
}

// 0 or -errno; 1: it is the kernel's alone.
long set_namespace(int fd, int types) {
  CellPlace place;
  if (!has_cell() || is_borrowed_memory() || is_only_path(fd)) return 1;
  if (namespace_of_descriptor(fd, &place))
    return types == 0 || types == CLONE_NEWIPC ? move_to(place, fd, 0) : -EINVAL;
  const i32 pid = (types & CLONE_NEWIPC) != 0 ? process_of_pidfd(fd) : 0;
  return pid != 0 ? set_namespace_of_process(fd, pid, types) : 1;
}

}  // namespace

}  // namespace ipcell

using ipcell::to_libc;

IPCELL_EXPORT int unshare(int flags) noexcept {
  const int result = (flags & CLONE_NEWIPC) != 0 ? ipcell::unshare_namespace(flags)
                                                 : ipcell::unshare_adjustments(flags);
  // A new user namespace gives all capabilities in it.
  if (result == 0) ipcell::forget_credentials();
  return result;
}

IPCELL_EXPORT int pthread_create(pthread_t* id, const pthread_attr_t* attributes,
                                 void* (*run)(void*), void* argument) noexcept {
  const ipcell::u32 home = ipcell::home_of_thread();
  const bool is_elsewhere = ipcell::has_moved() && home != ipcell::home_of_new_threads();
  if (is_elsewhere || ipcell::hidden_signals() != 0)
    return ipcell::create_thread(id, attributes, run, argument,
                                 is_elsewhere ? home : ipcell::kNoCell);
  return ipcell::real_create(id, attributes, run, argument);
}

IPCELL_EXPORT int setns(int fd, int types) noexcept {
  const long result = ipcell::set_namespace(fd, types);
  if (result <= 0) {
    ipcell::forget_credentials();
    return static_cast<int>(to_libc(result));
  }
  const int done = ipcell::real_setns(fd, types);
  ipcell::forget_credentials();
  return done;
}
