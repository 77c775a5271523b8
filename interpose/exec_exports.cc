// exec(3): a process keeps over it what SEM_UNDO would undo, and descriptors of message queues. The
// new program is told to join what is there, so that others notice its end at once though it makes
// no IPC call, and that it knows what it has open.
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <unistd.h>

#include "core/cell/liveness.h"
#include "core/ipc/scratch.h"
#include "interpose/child_environment.h"
#include "interpose/descriptors.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/real.h"
#include "interpose/signal_masks.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// What a thread's task in one cell is while it is in exec(2).
class ExecingTask {
 public:
  void begin(Task& task) {
    if (may_be_registered()) sys_mq_mark_exec(task, closes_at_exec);
    execing_ = &task.rec->is_execing;
    store_relaxed(*execing_, 1u);
    kill_barrier();
    if (task.identity.tid == task.identity.pid) return;
    // The kernel gives this thread the main one's tid before it marks the tokens of the old image.
    token_ = &task.rec->token;
    tid_ = static_cast<u32>(task.identity.tid);
    rename_token(*token_, static_cast<u32>(task.identity.pid));
  }
  // It has failed. A handler may have forked meanwhile: in the child they are another task's.
  void end(Task* task) {
    if (task == nullptr || execing_ != &task->rec->is_execing) return;
    if (may_be_registered()) sys_mq_mark_exec(*task, nullptr);
    if (token_ != nullptr) rename_token(*token_, tid_);
    kill_barrier();
    store_relaxed(*execing_, 0u);
  }

 private:
  u32* execing_ = nullptr;
  Token* token_ = nullptr;
  u32 tid_ = 0;
};

// From before an exec(2) to its failure.
class Exec {
 public:
  explicit Exec(char* const* environment) : environment_(environment) {
    environment_.add_fault_path(FaultHeir::Own);
    // A child of vfork(2) is no task, and has nothing to undo.
    if (is_borrowed_memory()) return;
    const bool is_registered = may_be_registered();
    // The end of attachments is told by the death of a task in exec(2).
    Task* task = has_attachments() || is_registered ? current_task() : task_if_any();
    if (task == nullptr) return;
    if (task->undo_process != 0 || is_registered || keeps_queues_at_exec())
      environment_.add_join(task->identity.pid);
    const u32 home = current_cell_number();
    for_each_cell([&](u32 number, const ProcessCell& known) {
      if (number != home && known.addresses.is_empty() && !is_registered) return;
      const InCell in(number);
      tasks_[number].begin(*task_if_any());
    });
  }
  ~Exec() {
    if (task_if_any() == nullptr) return;
    for_each_cell([&](u32 number, const ProcessCell&) {
      const InCell in(number);
      if (current_cell_number() == number) tasks_[number].end(task_if_any());
    });
  }
  Exec(const Exec&) = delete;
  Exec& operator=(const Exec&) = delete;

  char* const* environment() const { return environment_.get(); }

 private:
  ChildEnvironment environment_;
  ExecingTask tasks_[kProcessCells];
  const WholeMask mask_;
};

// The arguments of execl(3) and its like, as an array.
class Arguments {
 public:
  // `rest` is left behind the nullptr.
  Arguments(const char* first, va_list* rest) {
    va_list counted;
    va_copy(counted, *rest);
    std::size_t count = first != nullptr ? 1 : 0;
    if (first != nullptr) {
      while (va_arg(counted, char*) != nullptr) ++count;
    }
    va_end(counted);
    has_room_ = array_.make(count + 1);
    if (!has_room_) return;
    array_[0] = const_cast<char*>(first);
    for (std::size_t n = 1; n <= count; ++n) array_[n] = va_arg(*rest, char*);
  }
  // nullptr if there was no memory for it.
  char* const* get() const { return has_room_ ? array_.data() : nullptr; }

 private:
  Scratch<char*, 64> array_;
  bool has_room_;
};

using Execve = int(const char*, char* const*, char* const*);
constinit Real<Execve> real_execve("execve");
constinit Real<Execve> real_execvpe("execvpe");
constinit Real<int(int, char* const*, char* const*)> real_fexecve("fexecve");
constinit Real<int(int, const char*, char* const*, char* const*, int)> real_execveat("execveat");

// Before exec(3) is called in a child of a threaded process, where dlsym(3) might wait for ever.
// The others are rarely called there.
__attribute__((constructor)) void resolve_exec() {
  real_execve.resolve();
  real_execvpe.resolve();
}

using Spawn = int(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                  char* const*, char* const*);
constinit Real<Spawn> real_spawn("posix_spawn");
constinit Real<Spawn> real_spawnp("posix_spawnp");

int run_path(const char* path, char* const* arguments, char* const* environment) {
  const QueuePath at(AT_FDCWD, path);
  const Exec exec(environment);
  return real_execve(at.path(), arguments, exec.environment());
}

int run_file(const char* file, char* const* arguments, char* const* environment) {
  const Exec exec(environment);
  return real_execvpe(file, arguments, exec.environment());
}

// `run` with the arguments of a variadic call.
template <class Run>
int run_list(Run run, const char* name, const Arguments& arguments, char* const* environment) {
  if (arguments.get() == nullptr) return static_cast<int>(to_libc(-ENOMEM));
  return run(name, arguments.get(), environment);
}

}  // namespace

}  // namespace ipcell

using ipcell::Arguments;
using ipcell::Exec;
using ipcell::run_file;
using ipcell::run_list;
using ipcell::run_path;

IPCELL_EXPORT int execve(const char* path, char* const arguments[],
                         char* const environment[]) noexcept {
  return run_path(path, arguments, environment);
}
IPCELL_EXPORT int execv(const char* path, char* const arguments[]) noexcept {
  return run_path(path, arguments, environ);
}
IPCELL_EXPORT int execvp(const char* file, char* const arguments[]) noexcept {
  return run_file(file, arguments, environ);
}
IPCELL_EXPORT int execvpe(const char* file, char* const arguments[],
                          char* const environment[]) noexcept {
  return run_file(file, arguments, environment);
}
IPCELL_EXPORT int fexecve(int fd, char* const arguments[], char* const environment[]) noexcept {
  // Libc refuses it without an environment.
  if (environment == nullptr) return ipcell::real_fexecve(fd, arguments, environment);
  const Exec exec(environment);
  return ipcell::real_fexecve(fd, arguments, exec.environment());
}
IPCELL_EXPORT int execveat(int folder, const char* path, char* const arguments[],
                           char* const environment[], int flags) noexcept {
  const Exec exec(environment);
  return ipcell::real_execveat(folder, path, arguments, exec.environment(), flags);
}
IPCELL_EXPORT int execl(const char* path, const char* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  const Arguments arguments(argument, &rest);
  va_end(rest);
  return run_list(run_path, path, arguments, environ);
}
IPCELL_EXPORT int execlp(const char* file, const char* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  const Arguments arguments(argument, &rest);
  va_end(rest);
  return run_list(run_file, file, arguments, environ);
}
IPCELL_EXPORT int execle(const char* path, const char* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  const Arguments arguments(argument, &rest);
  // The environment stands behind the nullptr.
  char* const* environment = va_arg(rest, char* const*);
  va_end(rest);
  return run_list(run_path, path, arguments, environment);
}

// The child shares nothing that would have to be told of, but it is to start in this namespace.
IPCELL_EXPORT int posix_spawn(pid_t* pid, const char* path,
                              const posix_spawn_file_actions_t* actions,
                              const posix_spawnattr_t* attributes, char* const arguments[],
                              char* const environment[]) {
  ipcell::ChildEnvironment given(environment);
  given.add_fault_path(ipcell::FaultHeir::Child);
  const ipcell::WholeMask mask;
  return ipcell::real_spawn(pid, path, actions, attributes, arguments, given.get());
}
IPCELL_EXPORT int posix_spawnp(pid_t* pid, const char* file,
                               const posix_spawn_file_actions_t* actions,
                               const posix_spawnattr_t* attributes, char* const arguments[],
                               char* const environment[]) {
  ipcell::ChildEnvironment given(environment);
  given.add_fault_path(ipcell::FaultHeir::Child);
  const ipcell::WholeMask mask;
  return ipcell::real_spawnp(pid, file, actions, attributes, arguments, given.get());
}
