// exec(3): a process keeps over it what SEM_UNDO would undo, and descriptors of message queues. The
// new program is told to join what is there, so that others notice its end at once though it makes
// no IPC call, and that it knows what it has open.
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "core/cell/liveness.h"
#include "core/ipc/scratch.h"
#include "core/ipc/text.h"
#include "interpose/descriptors.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// From before an exec(2) to its failure.
class Exec {
 public:
  explicit Exec(char* const* environment) : environment_(environment) {
    // A child of vfork(2) is no task, and has nothing to undo.
    if (is_borrowed_memory()) return;
    // The end of attachments is told by the death of a task in exec(2).
    const bool has_ends = !process_addresses().is_empty() || may_be_registered();
    Task* task = has_ends ? current_task() : task_if_any();
    if (task == nullptr) return;
    if (task->undo_process != 0 || may_be_registered() || keeps_queues_at_exec())
      add_variable(task->identity.pid);
    if (may_be_registered()) sys_mq_mark_exec(*task, closes_at_exec);
    execing_ = &task->rec->is_execing;
    store_relaxed(*execing_, 1u);
    kill_barrier();
    if (task->identity.tid == task->identity.pid) return;
    // The kernel gives this thread the main one's tid before it marks the tokens of the old image.
    token_ = &task->rec->token;
    tid_ = static_cast<u32>(task->identity.tid);
    rename_token(*token_, static_cast<u32>(task->identity.pid));
  }
  ~Exec() {
    // A handler may have forked meanwhile: in the child they are another task's.
    Task* task = task_if_any();
    if (task == nullptr || execing_ != &task->rec->is_execing) return;
    if (may_be_registered()) sys_mq_mark_exec(*task, nullptr);
    if (token_ != nullptr) rename_token(*token_, tid_);
    kill_barrier();
    store_relaxed(*execing_, 0u);
  }
  Exec(const Exec&) = delete;
  Exec& operator=(const Exec&) = delete;

  char* const* environment() const { return environment_; }

 private:
  // Without memory for it the new program is told nothing: its end is noticed a little later.
  void add_variable(i32 pid) {
    std::size_t count = 0;
    while (environment_ != nullptr && environment_[count] != nullptr) ++count;
    if (!copy_.make(count + 2)) return;
    TextWriter text(variable_, sizeof variable_);
    text.put(kJoinVariable);
    text.put_char('=');
    text.put_signed(pid, 0);
    text.put_char('\0');
    for (std::size_t n = 0; n < count; ++n) copy_[n] = environment_[n];
    copy_[count] = variable_;
    copy_[count + 1] = nullptr;
    environment_ = copy_.data();
  }

  char* const* environment_;
  Scratch<char*, 64> copy_;
  char variable_[32];
  u32* execing_ = nullptr;
  Token* token_ = nullptr;
  u32 tid_ = 0;
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
