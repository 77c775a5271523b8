// poll(2), select(2) and epoll_ctl(2), of which the kernel sees the pipes behind message queues.
// What they show is kept up only while somebody watches, so the calls tell that they do; and what
// they return is looked up in the queues themselves, so it is what the kernel would say.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "core/cell/wait_queue.h"
#include "interpose/calls.h"
#include "interpose/descriptors.h"
#include "interpose/real.h"
#include "interpose/signal_masks.h"
#include "interpose/time64.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<int(struct pollfd*, nfds_t, int)> real_poll("poll");
constinit Real<int(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*)>
    real_ppoll("ppoll");
constinit Real<int(int, fd_set*, fd_set*, fd_set*, struct timeval*)> real_select("select");
constinit Real<int(int, fd_set*, fd_set*, fd_set*, const struct timespec*, const sigset_t*)>
    real_pselect("pselect");
constinit Real<int(int, int, int, struct epoll_event*)> real_epoll_ctl("epoll_ctl");

__attribute__((constructor)) void resolve_poll() {
  RealSymbol* const symbols[] = {&real_poll, &real_select};
  for (RealSymbol* symbol : symbols) symbol->resolve();
}

constexpr i64 kSecond = 1000000000;

// How long a call may last. The kernel counts the time of a poll by CLOCK_MONOTONIC as well.
class TimeLeft {
 public:
  explicit TimeLeft(const struct timespec* timeout) : is_set_(timeout != nullptr) {
    if (!is_set_) return;
    constexpr i64 kLongest = 1ll << 32;  // seconds
    const i64 seconds = timeout->tv_sec < kLongest ? timeout->tv_sec : kLongest;
    end_ = monotonic_nanoseconds() + seconds * kSecond + timeout->tv_nsec;
  }
  // nullptr: for ever.
  const struct timespec* get() {
    if (!is_set_) return nullptr;
    const i64 left = end_ - monotonic_nanoseconds();
    left_.tv_sec = left > 0 ? static_cast<time_t>(left / kSecond) : 0;
    left_.tv_nsec = left > 0 ? static_cast<long>(left % kSecond) : 0;
    return &left_;
  }
  bool is_over() { return is_set_ && end_ <= monotonic_nanoseconds(); }

 private:
  bool is_set_;
  i64 end_ = 0;
  struct timespec left_ = {};
};

constexpr struct timespec kNoTime = {0, 0};

bool is_wrong(const struct timespec* timeout) {
  return timeout != nullptr &&
         (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= kSecond);
}

// A descriptor's bits now; -1 if it is no queue's.
long ready_bits(int fd) {
  MqueueDescriptor found;
  if (fd < 0 || !find_queue(fd, &found)) return -1;
  const InCellOf in(fd);
  Task* const task = current_task();
  return task != nullptr ? sys_mq_ready(*task, found) : -1;
}

void watch(int fd, MqueueWatch how) {
  MqueueDescriptor found;
  if (!find_queue(fd, &found)) return;
  const InCellOf in(fd);
  if (Task* const task = current_task()) sys_mq_watch(*task, found, how);
}

void unwatch() {
  for_each_cell([](u32 number, const ProcessCell&) {
    const InCell in(number);
    if (Task* const task = current_task()) sys_mq_unwatch(*task);
  });
}

// What poll(2) and select(2) have in common. `Set` is the caller's set of descriptors.
//   bool is_ready()                           a queue in it is
//   void watch()                              the queues in it
//   int wait(const timespec*, const sigset_t*)  the real call
//   int settle(int count)                     puts in what queues say; how many are ready
template <class Set>
int wait_for(Set& set, const struct timespec* timeout, const sigset_t* mask) {
  TimeLeft time(timeout);
  for (;;) {
    const bool waits = !set.is_ready() && !time.is_over();
    if (waits) set.watch();
    const int count = set.wait(waits ? time.get() : &kNoTime, mask);
    const int error = errno;
    if (waits) unwatch();
    errno = error;
    if (count < 0) return count;
    const int ready = set.settle(count);
    if (ready != 0 || !waits || time.is_over()) return ready;
  }
}

// ------------------------------------------------------------------------ poll(2)

class PollSet {
 public:
  PollSet(struct pollfd* fds, nfds_t count) : fds_(fds), count_(count) {}

  bool has_queue() const {
    MqueueDescriptor found;
    for (nfds_t n = 0; n < count_; ++n) {
      if (fds_[n].fd >= 0 && find_queue(fds_[n].fd, &found)) return true;
    }
    return false;
  }
  bool is_ready() const {
    bool is_any = false;
    for_each_queue([&](struct pollfd& one, long bits) { is_any |= (bits & one.events) != 0; });
    return is_any;
  }
  void watch() const {
    for (nfds_t n = 0; n < count_; ++n) {
      if (fds_[n].fd >= 0) ipcell::watch(fds_[n].fd, MqueueWatch::Call);
    }
  }
  int wait(const struct timespec* timeout, const sigset_t* mask) const {
    return real_ppoll(fds_, count_, timeout, mask);
  }
  int settle(int count) const {
    for_each_queue([&](struct pollfd& one, long bits) {
      if (one.revents != 0) --count;
      one.revents = static_cast<short>(bits & one.events);
      if (one.revents != 0) ++count;
    });
    return count;
  }

 private:
  template <class Visit>
  void for_each_queue(Visit visit) const {
    for (nfds_t n = 0; n < count_; ++n) {
      const long bits = ready_bits(fds_[n].fd);
      if (bits >= 0) visit(fds_[n], bits);
    }
  }

  struct pollfd* fds_;
  nfds_t count_;
};

// True if a call has to do with queues.
template <class Set>
bool is_about_queues(const Set& set) {
  return may_have_queues() && !is_borrowed_memory() && set.has_queue() && current_task() != nullptr;
}

int ppoll_with(struct pollfd* fds, nfds_t count, const struct timespec* timeout,
               const sigset_t* wanted) {
  const WaitMask mask(wanted);
  PollSet set(fds, count);
  if (is_wrong(timeout) || !is_about_queues(set))
    return real_ppoll(fds, count, timeout, mask.get());
  return wait_for(set, timeout, mask.get());
}

int poll_with(struct pollfd* fds, nfds_t count, int milliseconds) {
  PollSet set(fds, count);
  if (!is_about_queues(set)) return real_poll(fds, count, milliseconds);
  const struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000l};
  return wait_for(set, milliseconds < 0 ? nullptr : &timeout, nullptr);
}

// ------------------------------------------------------------------------ select(2)

// Larger sets are the kernel's alone. DIVERGES: queues in them are shown as they were when they
// were last watched.
constexpr int kMostSelected = 4096;
constexpr int kWordBits = 8 * static_cast<int>(sizeof(unsigned long));

struct Bits {
  unsigned long words[kMostSelected / kWordBits];

  static bool get(const fd_set* set, int fd) {
    const auto* words = reinterpret_cast<const unsigned long*>(set);
    return set != nullptr && (words[fd / kWordBits] >> (fd % kWordBits) & 1) != 0;
  }
  static void put(fd_set* set, int fd, bool is_set) {
    unsigned long& word = reinterpret_cast<unsigned long*>(set)[fd / kWordBits];
    const unsigned long bit = 1ul << (fd % kWordBits);
    word = is_set ? word | bit : word & ~bit;
  }
  void copy(const fd_set* from, int count) {
    if (from != nullptr) __builtin_memcpy(words, from, bytes(count));
  }
  void give(fd_set* to, int count) const {
    if (to != nullptr) __builtin_memcpy(to, words, bytes(count));
  }
  static size_t bytes(int count) {
    return static_cast<size_t>((count + kWordBits - 1) / kWordBits) * sizeof(unsigned long);
  }
};

class SelectSet {
 public:
  SelectSet(int count, fd_set* in, fd_set* out, fd_set* except)
      : count_(count), in_(in), out_(out), except_(except) {}

  // What the program asked for; the real call overwrites it.
  void save() {
    wanted_in_.copy(in_, count_);
    wanted_out_.copy(out_, count_);
    wanted_except_.copy(except_, count_);
  }
  bool has_queue() const {
    MqueueDescriptor found;
    for (int fd = 0; fd < count_; ++fd) {
      if (is_asked(fd) && find_queue(fd, &found)) return true;
    }
    return false;
  }
  bool is_ready() const {
    for (int fd = 0; fd < count_; ++fd) {
      if (!wants_in(fd) && !wants_out(fd)) continue;
      const long bits = ready_bits(fd);
      if (bits >= 0 &&
          ((wants_in(fd) && (bits & POLLIN) != 0) || (wants_out(fd) && (bits & POLLOUT) != 0))) {
        return true;
      }
    }
    return false;
  }
  void watch() const {
    for (int fd = 0; fd < count_; ++fd) {
      if (wants_in(fd) || wants_out(fd)) ipcell::watch(fd, MqueueWatch::Call);
    }
  }
  int wait(const struct timespec* timeout, const sigset_t* mask) const {
    wanted_in_.give(in_, count_);
    wanted_out_.give(out_, count_);
    wanted_except_.give(except_, count_);
    return real_pselect(count_, in_, out_, except_, timeout, mask);
  }
  int settle(int count) const {
    for (int fd = 0; fd < count_; ++fd) {
      if (!wants_in(fd) && !wants_out(fd)) continue;
      const long bits = ready_bits(fd);
      if (bits < 0) continue;
      count += settle_one(in_, fd, wants_in(fd), (bits & POLLIN) != 0);
      count += settle_one(out_, fd, wants_out(fd), (bits & POLLOUT) != 0);
    }
    return count;
  }

 private:
  bool is_asked(int fd) const {
    return Bits::get(in_, fd) || Bits::get(out_, fd) || Bits::get(except_, fd);
  }
  bool wants_in(int fd) const { return in_ != nullptr && has(wanted_in_, fd); }
  bool wants_out(int fd) const { return out_ != nullptr && has(wanted_out_, fd); }
  static bool has(const Bits& bits, int fd) {
    return (bits.words[fd / kWordBits] >> (fd % kWordBits) & 1) != 0;
  }
  // How many more are ready by it.
  static int settle_one(fd_set* set, int fd, bool is_wanted, bool is_ready) {
    if (!is_wanted) return 0;
    const int before = Bits::get(set, fd) ? 1 : 0;
    Bits::put(set, fd, is_ready);
    return (is_ready ? 1 : 0) - before;
  }

  int count_;
  fd_set *in_, *out_, *except_;
  Bits wanted_in_, wanted_out_, wanted_except_;
};

bool is_about_queues(const SelectSet& set, int count) {
  return count > 0 && count <= kMostSelected && is_about_queues(set);
}

int pselect_with(int count, fd_set* in, fd_set* out, fd_set* except, const struct timespec* timeout,
                 const sigset_t* wanted) {
  const WaitMask mask(wanted);
  SelectSet set(count, in, out, except);
  if (is_wrong(timeout) || !is_about_queues(set, count))
    return real_pselect(count, in, out, except, timeout, mask.get());
  set.save();
  return wait_for(set, timeout, mask.get());
}

int select_with(int count, fd_set* in, fd_set* out, fd_set* except, struct timeval* timeout) {
  SelectSet set(count, in, out, except);
  const bool is_negative = timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_usec < 0);
  if (is_negative || !is_about_queues(set, count))
    return real_select(count, in, out, except, timeout);
  set.save();
  if (timeout == nullptr) return wait_for(set, nullptr, nullptr);
  const struct timespec time = {timeout->tv_sec + timeout->tv_usec / 1000000,
                                timeout->tv_usec % 1000000 * 1000l};
  TimeLeft left(&time);
  const int result = wait_for(set, &time, nullptr);
  const struct timespec* rest = left.get();
  *timeout = {rest->tv_sec, static_cast<suseconds_t>(rest->tv_nsec / 1000)};
  return result;
}

// ------------------------------------------------------------------------ epoll_ctl(2)

MqueueWatch watch_of(u32 events) {
  if ((events & EPOLLET) == 0) return MqueueWatch::Epoll;
  const bool wants_in = (events & (EPOLLIN | EPOLLRDNORM)) != 0;
  const bool wants_out = (events & (EPOLLOUT | EPOLLWRNORM)) != 0;
  if (wants_in && wants_out) return MqueueWatch::Edges;
  if (wants_in) return MqueueWatch::InEdges;
  return wants_out ? MqueueWatch::OutEdges : MqueueWatch::Epoll;
}

// Before it is added: what the pipe shows is right then.
void watch_by_epoll(int fd, const struct epoll_event& event) {
  if (may_have_queues() && !is_borrowed_memory()) watch(fd, watch_of(event.events));
}

}  // namespace

}  // namespace ipcell

IPCELL_EXPORT int poll(struct pollfd* fds, nfds_t count, int milliseconds) {
  return ipcell::poll_with(fds, count, milliseconds);
}
IPCELL_EXPORT int ppoll(struct pollfd* fds, nfds_t count, const struct timespec* timeout,
                        const sigset_t* mask) {
  return ipcell::ppoll_with(fds, count, timeout, mask);
}

// Too many for the room end the program.
extern "C" int __poll_chk(struct pollfd* fds, nfds_t count, int milliseconds, size_t room);
IPCELL_EXPORT int __poll_chk(struct pollfd* fds, nfds_t count, int milliseconds, size_t room) {
  if (room / sizeof *fds < count) return IPCELL_REAL(__poll_chk)(fds, count, milliseconds, room);
  return ipcell::poll_with(fds, count, milliseconds);
}
extern "C" int __ppoll_chk(struct pollfd* fds, nfds_t count, const struct timespec* timeout,
                           const sigset_t* mask, size_t room);
IPCELL_EXPORT int __ppoll_chk(struct pollfd* fds, nfds_t count, const struct timespec* timeout,
                              const sigset_t* mask, size_t room) {
  if (room / sizeof *fds < count) return IPCELL_REAL(__ppoll_chk)(fds, count, timeout, mask, room);
  return ipcell::ppoll_with(fds, count, timeout, mask);
}

IPCELL_EXPORT int select(int count, fd_set* in, fd_set* out, fd_set* except,
                         struct timeval* timeout) {
  return ipcell::select_with(count, in, out, except, timeout);
}
IPCELL_EXPORT int pselect(int count, fd_set* in, fd_set* out, fd_set* except,
                          const struct timespec* timeout, const sigset_t* mask) {
  return ipcell::pselect_with(count, in, out, except, timeout, mask);
}

#if defined(__i386__)
using ipcell::WideMicrotime;
using ipcell::WideTime;

// Of programs with _TIME_BITS=64. A time that a 32-bit struct can't hold counts as its longest.
static struct timespec narrow(const WideTime& time) {
  constexpr long long kLongest = 0x7fffffff;
  return {static_cast<time_t>(time.tv_sec < kLongest ? time.tv_sec : kLongest), time.tv_nsec};
}

extern "C" int __ppoll64(struct pollfd* fds, nfds_t count, const WideTime* timeout,
                         const sigset_t* mask);
extern "C" int __pselect64(int count, fd_set* in, fd_set* out, fd_set* except,
                           const WideTime* timeout, const sigset_t* mask);
extern "C" int __select64(int count, fd_set* in, fd_set* out, fd_set* except,
                          WideMicrotime* timeout);

IPCELL_EXPORT int __ppoll64(struct pollfd* fds, nfds_t count, const WideTime* timeout,
                            const sigset_t* mask) {
  if (timeout == nullptr) return ppoll(fds, count, nullptr, mask);
  const struct timespec time = narrow(*timeout);
  return ppoll(fds, count, &time, mask);
}
IPCELL_EXPORT int __pselect64(int count, fd_set* in, fd_set* out, fd_set* except,
                              const WideTime* timeout, const sigset_t* mask) {
  if (timeout == nullptr) return pselect(count, in, out, except, nullptr, mask);
  const struct timespec time = narrow(*timeout);
  return pselect(count, in, out, except, &time, mask);
}
IPCELL_EXPORT int __select64(int count, fd_set* in, fd_set* out, fd_set* except,
                             WideMicrotime* timeout) {
  if (timeout == nullptr) return select(count, in, out, except, nullptr);
  constexpr long long kLongest = 0x7ffffff0;
  const auto bounded = [](long long value) {
    return static_cast<long>(value < kLongest ? value : kLongest);
  };
  struct timeval time = {bounded(timeout->tv_sec), bounded(timeout->tv_usec)};
  const int result = select(count, in, out, except, &time);
  *timeout = {time.tv_sec, time.tv_usec};
  return result;
}
#endif

IPCELL_EXPORT int epoll_ctl(int instance, int command, int fd, struct epoll_event* event) noexcept {
  if ((command == EPOLL_CTL_ADD || command == EPOLL_CTL_MOD) && event != nullptr)
    ipcell::watch_by_epoll(fd, *event);
  return ipcell::real_epoll_ctl(instance, command, fd, event);
}
