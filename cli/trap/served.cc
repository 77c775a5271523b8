#include "cli/trap/served.h"
#include "cli/trap/remote_host.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cells.h"
#include "core/cell/cell_members.h"
#include "core/cell/namespace_cell.h"
#include "core/cell/process.h"

namespace ipcell::cli {

namespace {

// What the kernel itself returns from a call that a signal ends: it is made again, or gives EINTR,
// as the handler says. Linux: include/linux/errno.h
constexpr long kErestartsys = 512;
constexpr long kErestartnohand = 514;

// A call that has lasted for so many looks of the watcher may be blocked.
constexpr unsigned kFirstLooks = 1;
constexpr unsigned kSureLooks = 3;

// Of the thread that serves: for its handler.
thread_local Task* t_task = nullptr;

// Takes the blocked call back, as a handler of a program in the cell does. In a critical section it
// is too early: the watcher tries again.
void take_back(int) {
  Task* const task = t_task;
  if (task != nullptr && task->critical == 0 && task->wait_frame != nullptr) interrupt_wait(*task);
}

void handle_interruptions() {
  struct sigaction action = {};
  action.sa_handler = take_back;
  sigaction(SIGUSR1, &action, nullptr);
}

bool is_mqueue_call(long number) {
  return number == SYS_mq_timedsend || number == SYS_mq_timedreceive;
}

}  // namespace

// ------------------------------------------------------------------------ cells and processes

ServedCell::ServedCell(const CellPlace& where) : place(where) {
  if (!open_as_it_is(place, &cell).ok()) return;
  is_open = !is_namespace(place) || keep_namespace(place, &keeper) == 0;
  if (!is_open) cell.close();
}

ServedCell::~ServedCell() {
  if (!is_open) return;
  const bool is_orphaned = load_acquire(cell.header().orphaned) != 0;
  cell.close();
  if (is_orphaned) leave_orphaned_cell(place, getpid(), &keeper);
  if (keeper != 0) let_go_of_namespace(&keeper);
}

ServedProcess::ServedProcess(pid_t process, std::shared_ptr<ServedCell> cell)
    : pid(process), descriptor(static_cast<int>(syscall(SYS_pidfd_open, process, 0))),
      where(std::move(cell)) {
  bool is_zombie = false;
  if (!read_process(pid, &start_time, &is_zombie)) start_time = 0;
  while (image == 0 && getrandom(&image, sizeof image, 0) >= 0) {
  }
  if (where->is_open) addresses.file.set_file(where->cell, where->place.file.text);
}

ServedProcess::~ServedProcess() {
  if (descriptor >= 0) close(descriptor);
}

bool ServedProcess::is_gone() const {
  pollfd ended = {descriptor, POLLIN, 0};
  return descriptor < 0 || poll(&ended, 1, 0) != 0;
}

bool ServedProcess::is_ending() const {
  return is_gone() || is_process_gone(ProcessId{pid, start_time, own_pid_namespace()});
}

int ServedProcess::copy_descriptor(int number) const {
  const long copy = syscall(SYS_pidfd_getfd, descriptor, number, 0);
  return copy >= 0 ? static_cast<int>(copy) : -errno;
}

// ------------------------------------------------------------------------ threads

ServedThread::ServedThread(int listener, std::shared_ptr<ServedProcess> process, pid_t tid)
    : listener_(listener), process_(std::move(process)), tid_(tid), status_file_(tid) {
  handle_interruptions();
  thread_ = std::thread([this] { run(); });
}

ServedThread::~ServedThread() {
  abandon();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_stopped_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

// Its last call is answered, and what that has learned no longer used.
bool ServedThread::meet() { return status_file_.read(&status_); }

void ServedThread::make(const seccomp_notif& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_ = call;
  call_id_ = call.id;
  is_busy_ = true;
  looks_ = 0;
  uncertain_looks_ = 0;
  changed_.notify_one();
}

bool ServedThread::is_busy() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return is_busy_;
}

// A thread that ends lets go of its memory first, which is asked for at little cost.
bool ServedThread::has_ended() const {
  return process_->is_gone() || (is_memory_gone(tid_) && process_->is_ending());
}

bool ServedThread::is_forsaken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  u64 id = call_id_;
  return is_busy_ && ioctl(listener_, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) != 0;
}

void ServedThread::abandon() {
  while (is_busy()) {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    usleep(1000);
  }
}

void ServedThread::look_after() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!is_busy_ || ++looks_ <= kFirstLooks) return;
  }
  bool is_certain = false;
  if (!process_->is_gone()) {
    if (!has_signal(&is_certain)) {
      uncertain_looks_ = 0;
      return;
    }
    // Another thread may be about to handle it.
    if (!is_certain && ++uncertain_looks_ < kSureLooks) return;
  }
  pthread_kill(thread_.native_handle(), SIGUSR1);
}

// A signal that is pending for the thread itself interrupts it, one for the process the thread that
// the kernel has chosen, which can't be known.
bool ServedThread::has_signal(bool* is_certain) {
  ThreadStatus now;
  if (!status_file_.read(&now)) return true;
  *is_certain = (now.pending & ~now.blocked) != 0 || now.threads == 1;
  return ((now.pending | now.shared_pending) & ~now.blocked) != 0;
}

void ServedThread::run() {
  // Signals to this process are none of the program's.
  sigset_t all;
  sigfillset(&all);
  for (int signal : {SIGUSR1, SIGSEGV, SIGBUS}) sigdelset(&all, signal);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  // The umask that queues are made with is the program's.
  unshare(CLONE_FS);
  for (;;) {
    seccomp_notif call;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return waiting_ || is_stopped_; });
      if (!waiting_) break;
      call = *waiting_;
      waiting_.reset();
    }
    answer(call);
    // The program has its answer, and may have made the next call already.
    const std::lock_guard<std::mutex> lock(mutex_);
    is_busy_ = waiting_.has_value();
  }
  // Its task ends as the program's thread did: at the thread's end the kernel marks its token.
  t_task = nullptr;
}

void ServedThread::answer(const seccomp_notif& call) {
  seccomp_notif_resp reply = {call.id, 0, 0, 0};
  has_replied_ = false;
  long result = -ENOSYS;
  if (attach()) {
    read_credentials();
    if (task_.fault_host == nullptr && has_faults(*task_.cell)) {
      host_ = remote_fault_host(process_->pid);
      task_.fault_host = &host_;
    }
    result = call_core(call);
    if (result == -EINTR) result = reply_to_interrupted(call.data.nr);
  }
  if (has_replied_) return;
  if (result < 0) {
    reply.error = static_cast<int>(result);
  } else {
    reply.val = result;
  }
  // It fails for a program that is dead by now.
  ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

bool ServedThread::attach() {
  if (is_attached_) return true;
  ServedCell& where = *process_->where;
  if (!where.is_open) return false;
  task_.cell = &where.cell;
  task_.folder = where.place.folder.text;
  task_.cred = &cred_;
  task_.addresses = &process_->addresses;
  task_.identity = {.pid = process_->pid,
                    .tid = tid_,
                    .start_time = process_->start_time,
                    .pid_namespace = own_pid_namespace(),
                    .image = process_->image};
  is_attached_ = attach_task(task_) == 0;
  if (is_attached_) t_task = &task_;
  return is_attached_;
}

void ServedThread::read_credentials() {
  cred_.euid = status_.effective_uid;
  cred_.egid = status_.effective_gid;
  cred_.fsgid = status_.filesystem_gid;
  cred_.groups = status_.groups.data();
  cred_.group_count = static_cast<u32>(status_.groups.size());
  cred_.capabilities = status_.capabilities;
}

// The kernel decides at the program's return, if it certainly is this thread that has the signal:
// otherwise the program would see the kernel's own number.
long ServedThread::reply_to_interrupted(long number) {
  bool is_certain = false;
  if (!has_signal(&is_certain) || !is_certain) return -EINTR;
  if (number == SYS_semop || number == SYS_semtimedop) return -EINTR;
  return is_mqueue_call(number) ? -kErestartsys : -kErestartnohand;
}

}  // namespace ipcell::cli
