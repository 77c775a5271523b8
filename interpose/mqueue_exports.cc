// mq_open(3) and its like. libc's own are thin: the name's slash, EPERM for EACCES, SIGEV_THREAD.
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>

#include "interpose/calls.h"
#include "interpose/descriptors.h"
#include "interpose/fault_host.h"
#include "interpose/mqueue.h"
#include "interpose/real.h"
#include "interpose/signals.h"
#include "interpose/signals_blocked.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// `call(queue)` in the queue's cell. It is made as well for a descriptor that is no queue's: others
// of its arguments may be wrong first.
template <class Call>
IPCELL_COLD long with_any_queue(int fd, const Call& call) {
  MqueueDescriptor found = {};
  find_queue(fd, &found);
  const InCellOf in(fd);
  return call(found);
}
template <class Call>
IPCELL_ALWAYS_INLINE long with_queue(int fd, const Call& call) {
  const DescriptorEntry* const entry = known_queue(fd);
  if (entry == nullptr || has_several_cells()) [[unlikely]]
    return with_any_queue(fd, call);
  return call(entry->queue);
}

// `call(task, queue)`. A handler with SA_RESTART has it made again from its start, as the kernel
// does: the descriptor may lead elsewhere by then, and the thread be in another namespace.
template <class Call>
long until_not_restarted(int fd, const Call& call) {
  for (;;) {
    const long result = with_queue(fd, [&](const MqueueDescriptor& queue) {
      return at_cancellation_point_raw([&](Task& task) { return call(task, queue); });
    });
    if (result != -EINTR || !take_restart()) [[likely]]
      return result;
  }
}

}  // namespace

long open_mqueue(const char* name, int flags, u32 mode, const struct mq_attr* attributes,
                 bool closes_on_exec) {
  return with_task_raw([&](Task& task) {
    MqueueOpen request = {name, flags, mode, attributes, 0, 0, closes_on_exec};
    if ((flags & O_CREAT) != 0) {
      request.real_uid = static_cast<u32>(sys::call(sys::kGetuid));
      request.byte_limit = sys::soft_limit(RLIMIT_MSGQUEUE, 0);
    }
    MqueueDescriptor opened;
    task.mqueue_folder = mqueue_folder();
    const long fd = sys_mq_open(task, request, &opened);
    if (fd >= 0) remember_queue(opened);
    return fd;
  });
}

long unlink_mqueue(const char* name) {
  return with_task_raw([&](Task& task) {
    task.mqueue_folder = mqueue_folder();
    return sys_mq_unlink(task, name);
  });
}

long close_mqueue(int fd) {
  const Closing closing(fd);
  return sys::call(SYS_close, fd);
}

long send_mqueue(int fd, const char* text, std::size_t size, u32 priority, UserTime deadline) {
  return until_not_restarted(fd, [&](Task& task, const MqueueDescriptor& queue) {
    return sys_mq_timedsend(task, queue, text, size, priority, deadline);
  });
}

long receive_mqueue(int fd, char* text, std::size_t size, u32* priority, UserTime deadline) {
  return until_not_restarted(fd, [&](Task& task, const MqueueDescriptor& queue) {
    return sys_mq_timedreceive(task, queue, text, size, priority, deadline);
  });
}

long get_set_mqueue(int fd, const struct mq_attr* wanted, struct mq_attr* old) {
  return with_queue(fd, [&](const MqueueDescriptor& queue) {
    return with_task_raw([&](Task& task) { return sys_mq_getsetattr(task, queue, wanted, old); });
  });
}

// ------------------------------------------------------------------------ mq_notify

namespace {

// A thread that waits to be told: it is the one that SIGEV_THREAD's function runs in.
struct NoticeThread {
  MqueueDescriptor queue;
  u32 cell;
  void (*function)(union sigval);
  union sigval value;
  u32 has_reported = 0;
  long error = 0;
};

void report(void* context, long error) {
  auto& thread = *static_cast<NoticeThread*>(context);
  thread.error = error;
  store_release(thread.has_reported, 1u);
  futex_wake(thread.has_reported, 1);
}

bool wait_for_notice(const NoticeThread& thread, void* context) {
  const InCell in(thread.cell);
  Task* const task = current_task();
  if (task == nullptr) report(context, -EAGAIN);
  return task != nullptr && sys_mq_notify_thread(*task, thread.queue, report, context) == 1;
}

void* run_notice(void* context) {
  // What it points to is gone once it has been told.
  const NoticeThread mine = *static_cast<NoticeThread*>(context);
  pthread_detach(pthread_self());
  if (wait_for_notice(mine, context)) mine.function(mine.value);
  return nullptr;
}

long notify_by_thread(int fd, const struct sigevent& event) {
  MqueueDescriptor queue;
  if (!find_queue(fd, &queue)) return -EBADF;
  NoticeThread thread = {queue, known_queue(fd) != nullptr ? known_queue(fd)->cell : kNoCell,
                         event.sigev_notify_function, event.sigev_value};
  pthread_t id;
  {
    // As libc's own: no signal is handled in it.
    const WithoutSignals blocked;
    if (pthread_create(&id, event.sigev_notify_attributes, run_notice, &thread) != 0)
      return -EAGAIN;
  }
  while (load_acquire(thread.has_reported) == 0) futex_wait(thread.has_reported, 0, kRecheckNs);
  return thread.error;
}

}  // namespace

// What the core does for the other calls of the facade: these two are none.
template <class Call>
static long with_faults(FaultOp op, int fd, const Call& call) {
  Task* const task = task_if_any();
  const DescriptorEntry* const entry = known_queue(fd);
  if (task == nullptr || entry == nullptr || !may_fail(*task, op)) return call();
  const FaultArgs args = {.op = op, .number = 1, .queue = &entry->queue};
  return fail_or_call(*task, args, call);
}

static long close_with_faults(int fd) {
  return with_faults(FaultOp::MqClose, fd, [&] { return close_mqueue(fd); });
}

static long notify_with_faults(int fd, const struct sigevent& event) {
  return with_faults(FaultOp::MqNotify, fd, [&] { return notify_by_thread(fd, event); });
}

long notify_mqueue(int fd, const struct sigevent* event) {
  note_registration();
  return with_queue(fd, [&](const MqueueDescriptor& queue) {
    return with_task_raw([&](Task& task) { return sys_mq_notify(task, queue, event); });
  });
}

}  // namespace ipcell

using ipcell::to_libc;

IPCELL_EXPORT mqd_t mq_open(const char* name, int flags, ...) noexcept {
  IPCELL_NOTE_CALLER();
  mode_t mode = 0;
  struct mq_attr* attributes = nullptr;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    attributes = va_arg(rest, struct mq_attr*);
    va_end(rest);
  }
  if (name[0] != '/') return static_cast<mqd_t>(to_libc(-EINVAL));
  return static_cast<mqd_t>(to_libc(ipcell::open_mqueue(name + 1, flags, mode, attributes, true)));
}

// A flag that wants more arguments ends the program.
extern "C" mqd_t __mq_open_2(const char* name, int flags) noexcept;
IPCELL_EXPORT mqd_t __mq_open_2(const char* name, int flags) noexcept {
  IPCELL_NOTE_CALLER();
  if ((flags & O_CREAT) != 0) return IPCELL_REAL(__mq_open_2)(name, flags);
  return mq_open(name, flags);
}

IPCELL_EXPORT int mq_close(mqd_t queue) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(to_libc(ipcell::close_with_faults(queue)));
}

IPCELL_EXPORT int mq_unlink(const char* name) noexcept {
  IPCELL_NOTE_CALLER();
  if (name[0] != '/') return static_cast<int>(to_libc(-EINVAL));
  const long result = ipcell::unlink_mqueue(name + 1);
  return static_cast<int>(to_libc(result == -EPERM ? -EACCES : result));
}

IPCELL_EXPORT int mq_timedsend(mqd_t queue, const char* text, size_t size, unsigned priority,
                               const struct timespec* deadline) {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(to_libc(ipcell::send_mqueue(queue, text, size, priority, deadline)));
}

IPCELL_EXPORT int mq_send(mqd_t queue, const char* text, size_t size, unsigned priority) {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(to_libc(ipcell::send_mqueue(queue, text, size, priority, nullptr)));
}

IPCELL_EXPORT ssize_t mq_timedreceive(mqd_t queue, char* text, size_t size, unsigned* priority,
                                      const struct timespec* deadline) {
  IPCELL_NOTE_CALLER();
  return to_libc(ipcell::receive_mqueue(queue, text, size, priority, deadline));
}

IPCELL_EXPORT ssize_t mq_receive(mqd_t queue, char* text, size_t size, unsigned* priority) {
  IPCELL_NOTE_CALLER();
  return to_libc(ipcell::receive_mqueue(queue, text, size, priority, nullptr));
}

IPCELL_EXPORT int mq_getattr(mqd_t queue, struct mq_attr* attributes) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(to_libc(ipcell::get_set_mqueue(queue, nullptr, attributes)));
}

IPCELL_EXPORT int mq_setattr(mqd_t queue, const struct mq_attr* wanted,
                             struct mq_attr* old) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(to_libc(ipcell::get_set_mqueue(queue, wanted, old)));
}

IPCELL_EXPORT int mq_notify(mqd_t queue, const struct sigevent* event) noexcept {
  IPCELL_NOTE_CALLER();
  if (event == nullptr || event->sigev_notify != SIGEV_THREAD)
    return static_cast<int>(to_libc(ipcell::notify_mqueue(queue, event)));
  ipcell::note_registration();
  return static_cast<int>(to_libc(ipcell::notify_with_faults(queue, *event)));
}
