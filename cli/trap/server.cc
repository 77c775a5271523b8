#include "cli/trap/server.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <map>
#include <poll.h>
#include <set>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "cli/trap/served.h"
#include "core/base/trap.h"

namespace ipcell::cli {

namespace {

// How often blocked calls are looked after; and, while there are none, threads that make no calls.
constexpr int kLookMilliseconds = 10;
constexpr int kIdleMilliseconds = 1000;
constexpr unsigned kLooksToSweep = kIdleMilliseconds / kLookMilliseconds;
// How many threads are remembered.
constexpr std::size_t kKnownProcesses = 4096;

class Server {
 public:
  Server(int listener, const CellPlace& place, Reporter& reporter)
      : listener_(listener), default_place_(place), reporter_(reporter) {}

  void serve() {
    for (;;) {
      std::vector<pollfd> events = {{listener_, POLLIN, 0}, {reporter_.descriptor(), POLLIN, 0}};
      // What a program leaves to its death is not to wait for the next look.
      for (const auto& [tid, thread] : threads_)
        events.push_back({thread->process()->descriptor, POLLIN, 0});
      poll(events.data(), events.size(), timeout());
      reporter_.report();
      if ((events[0].revents & POLLIN) != 0) {
        take_call();
      } else if ((events[0].revents & (POLLHUP | POLLERR)) != 0) {
        return;
      }
      look_after_all();
    }
  }

 private:
  using Threads = std::map<pid_t, std::unique_ptr<ServedThread>>;

  bool is_any_busy() const {
    return std::any_of(threads_.begin(), threads_.end(),
                       [](const auto& known) { return known.second->is_busy(); });
  }

  int timeout() const {
    if (threads_.empty()) return -1;
    return is_any_busy() ? kLookMilliseconds : kIdleMilliseconds;
  }

  void take_call() {
    seccomp_notif call = {};
    if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
    const pid_t tid = static_cast<pid_t>(call.pid);
    if (has_library(tid) && send_to_library(call)) return;
    // Who has seen a program end is to find what it left to its death done.
    bury();
    ServedThread* thread = nullptr;
    try {
      thread = thread_of(tid);
    } catch (const std::exception&) {
      // No memory, or no further thread: the others are served on.
      reply(call, -ENOMEM);
      return;
    }
    // Its pid was the program's all the time, if that still waits for this call.
    const bool is_there = ioctl(listener_, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) == 0;
    if (!is_there) return;
    if (thread == nullptr) {
      reply(call, -ENOSYS);
    } else {
      thread->make(call);
    }
  }

  void reply(const seccomp_notif& call, int error) const {
    seccomp_notif_resp response = {call.id, 0, error, 0};
    ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  static bool has_library(pid_t tid) {
    for (const u64 place : kTrapMarkPlaces) {
      u64 mark = 0;
      if (read_memory(tid, place, &mark, sizeof mark) == sizeof mark && mark == kTrapMark)
        return true;
    }
    return false;
  }

  // The signal is there before the call returns, and comes first.
  bool send_to_library(const seccomp_notif& call) {
    const pid_t tid = static_cast<pid_t>(call.pid);
    siginfo_t info = {};
    info.si_signo = SIGSYS;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_int = static_cast<int>(kTrapSent | static_cast<u32>(call.data.nr));
    std::memcpy(reinterpret_cast<char*>(&info) + kTrapFirstPlace, call.data.args,
                sizeof call.data.args[0]);
    if (!send(tid, info)) return false;
    reply(call, -kTrapPending);
    return true;
  }

  // What is known of the thread's process is right if the kernel takes it.
  bool send(pid_t tid, siginfo_t& info) {
    const auto known = processes_.find(tid);
    if (known != processes_.end() &&
        syscall(SYS_rt_tgsigqueueinfo, known->second, tid, SIGSYS, &info) == 0)
      return true;
    const std::optional<pid_t> process = process_of_thread(tid);
    if (!process) return false;
    if (processes_.size() >= kKnownProcesses) processes_.clear();
    processes_[tid] = *process;
    return syscall(SYS_rt_tgsigqueueinfo, *process, tid, SIGSYS, &info) == 0;
  }

  static std::optional<pid_t> process_of_thread(pid_t tid) {
    ThreadStatus status;
    if (!StatusFile(tid).read(&status)) return std::nullopt;
    return status.process;
  }

  // nullptr: there is no cell for it, or the thread is gone.
  ServedThread* thread_of(pid_t tid) {
    Threads::iterator known = threads_.find(tid);
    // The number may be another thread's by now.
    if (known != threads_.end() &&
        (known->second->process()->is_gone() || !known->second->meet())) {
      threads_.erase(known);
      known = threads_.end();
    }
    if (known != threads_.end()) return known->second.get();
    const std::optional<pid_t> pid = process_of_thread(tid);
    if (!pid) return nullptr;
    std::shared_ptr<ServedProcess> process = process_of(*pid);
    if (!process->where->is_open) return nullptr;
    auto thread = std::make_unique<ServedThread>(listener_, process, tid);
    if (!thread->meet()) return nullptr;
    return threads_.emplace(tid, std::move(thread)).first->second.get();
  }

  std::shared_ptr<ServedProcess> process_of(pid_t pid) {
    for (const auto& [tid, thread] : threads_) {
      if (thread->process()->pid == pid && !thread->process()->is_gone()) return thread->process();
    }
    return std::make_shared<ServedProcess>(pid, cell_of(pid));
  }

  std::shared_ptr<ServedCell> cell_of(pid_t pid) {
    CellPlace place = default_place_;
    const std::string base = environment_of(pid, "IPCELL_DIR");
    const std::string name = environment_of(pid, "IPCELL_CELL");
    if (!base.empty() && !name.empty() && !place_cell(base.c_str(), name.c_str(), &place).ok())
      place = default_place_;
    for (const auto& [tid, thread] : threads_) {
      const std::shared_ptr<ServedCell>& known = thread->process()->where;
      if (known->is_open && std::strcmp(known->place.file.text, place.file.text) == 0) return known;
    }
    return std::make_shared<ServedCell>(place);
  }

  template <class IsOver>
  void erase_if(const IsOver& is_over) {
    for (Threads::iterator at = threads_.begin(); at != threads_.end();)
      at = is_over(at->first, *at->second) ? threads_.erase(at) : std::next(at);
  }

  // A process must not be served by its own end: none of its calls is made any more when its first
  // thread is seen dead.
  void bury() {
    // Nor does a thread take part any more that exec(2) of another one has killed.
    for (const auto& [tid, thread] : threads_) {
      if (thread->is_forsaken()) thread->abandon();
    }
    std::set<const ServedProcess*> ended;
    for (const auto& [tid, thread] : threads_) {
      if (thread->has_ended()) ended.insert(thread->process().get());
    }
    if (ended.empty()) return;
    const auto has_ended = [&](pid_t, const ServedThread& thread) {
      return ended.count(thread.process().get()) != 0;
    };
    for (const auto& [tid, thread] : threads_) {
      if (has_ended(tid, *thread)) thread->abandon();
    }
    erase_if(has_ended);
  }

  void look_after_all() {
    bury();
    for (const auto& [tid, thread] : threads_) thread->look_after();
    if (++looks_ % kLooksToSweep != 0 && is_any_busy()) return;
    erase_if(
        [](pid_t tid, const ServedThread& thread) { return !thread.is_busy() && !is_alive(tid); });
  }

  static bool is_alive(pid_t tid) { return kill(tid, 0) == 0 || errno != ESRCH; }

  const int listener_;
  const CellPlace default_place_;
  Reporter& reporter_;
  Threads threads_;
  std::map<pid_t, pid_t> processes_;  // of threads with the library
  unsigned looks_ = 0;
};

}  // namespace

void serve_calls(int listener, const CellPlace& place, Reporter& reporter) {
  handle_faults();
  Server(listener, place, reporter).serve();
}

}  // namespace ipcell::cli
