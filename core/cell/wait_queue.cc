#include "core/cell/wait_queue.h"

#include "core/base/clock.h"

namespace ipcell {

namespace {

// Before it sleeps, a task waits a little in ways that spare both sides a system call: the waker
// finds kWaitSpinning and need not wake. Each way is tried again after a pause that doubles with
// each failure, and at once after a success.

// Spinning helps where the waker runs on another CPU and answers soon: within the time that waking
// a sleeper on another CPU takes, some microseconds, twice.
constexpr i64 kSpinNanoseconds = 20000;
constexpr i64 kTurnNanoseconds = 4000;
constexpr u32 kSpinsBetweenLooks = 16;
constexpr u32 kMaxLooks = 256;
constexpr u32 kMaxSpinPause = 256;

// True if the word left `value` within the time.
bool spin_for_a_while(const u32& word, u32 value, i64 nanoseconds) {
  i64 end = 0;
  // Counted as well: under libfaketime and its like the clock may stand still.
  for (u32 looks = 0; looks < kMaxLooks; ++looks) {
    for (u32 n = 0; n < kSpinsBetweenLooks; ++n) {
      if (load_acquire(word) != value) return true;
      cpu_relax();
    }
    const i64 time = monotonic_nanoseconds();
    if (end == 0) end = time + nanoseconds;
    if (time >= end) break;
  }
  return load_acquire(word) != value;
}

bool spin(Task& task, const u32& word) {
  if (task.skipped_spins < task.spin_pause) {
    ++task.skipped_spins;
    return load_acquire(word) != kWaitSpinning;
  }
  task.skipped_spins = 0;
  if (spin_for_a_while(word, kWaitSpinning, kSpinNanoseconds)) {
    task.spin_pause = 0;
    return true;
  }
  task.spin_pause = task.spin_pause < kMaxSpinPause ? task.spin_pause * 2 + 1 : kMaxSpinPause;
  return false;
}

// Where several take turns that are short, the next in line is called while the one before it has
// its turn on another CPU: it is there when its own begins.
void spin_for_turn(Task& task, const u32& word) {
  if (spin_for_a_while(word, kWaitNext, kTurnNanoseconds)) {
    task.turn_pause /= 8;
    return;
  }
  task.turn_pause = task.turn_pause < kMaxSpinPause ? task.turn_pause * 2 + 1 : kMaxSpinPause;
}

// Yielding helps where the waker waits for this very CPU: it runs, answers, and yields back. A
// yield that did not pay off may have given the CPU to a stranger for a whole slice.
constexpr u32 kMaxYieldCredit = 4;
constexpr u32 kMaxYieldPause = 1024;

bool yield(Task& task, const u32& word) {
  if (task.yield_credit == 0) {
    if (++task.skipped_yields < task.yield_pause) return false;
    task.skipped_yields = 0;
    if (task.yield_pause < kMaxYieldPause) task.yield_pause *= 2;
    task.yield_credit = 1;
  }
  sys::call(SYS_sched_yield);
  if (load_acquire(word) == kWaitSpinning) {
    --task.yield_credit;
    return false;
  }
  task.yield_pause = Task::kFirstYieldPause;
  if (task.yield_credit < kMaxYieldCredit) ++task.yield_credit;
  return true;
}

// The window in which handlers may run. Handlers of signals that came before it run at its start.
class HandlerWindow {
 public:
  HandlerWindow(Task& task, WaitFrame& frame) : task_(task) {
    task.wait_frame = &frame;
    kill_barrier();
    task.critical = 0;
    if (task.deferred != 0) task.on_deferred(task);
  }
  ~HandlerWindow() {
    task_.critical = 1;
    kill_barrier();
    task_.wait_frame = nullptr;
  }
  HandlerWindow(const HandlerWindow&) = delete;
  HandlerWindow& operator=(const HandlerWindow&) = delete;

 private:
  Task& task_;
};

bool has_passed(i64 time_ns, const WaitPlan& plan) {
  return plan.deadline_ns != 0 && monotonic_nanoseconds() >= time_ns;
}

// True if there is nothing to sleep for.
bool is_awake(const u32& word) {
  const u32 value = load_acquire(word);
  return value == kWaitDone || value == kWaitIdle;
}

// Sleeps on the word and on the tokens that the plan names. As futex_wait().
int sleep_once(Task& task, u32& word, const WaitPlan& plan) {
  u32 seen = load_acquire(word);
  if (seen == kWaitPoked) {
    compare_exchange(word, seen, kWaitSpinning);
    return -EAGAIN;
  }
  if (seen == kWaitSpinning || seen == kWaitNext) compare_exchange(word, seen, kWaitSleeping);
  i64 timeout = plan.recheck_ns;
  if (plan.deadline_ns != 0) {
    const i64 left = plan.deadline_ns - monotonic_nanoseconds();
    if (left < timeout) timeout = left > 0 ? left : 0;
  }
  if (plan.watched != 0) {
    FutexWaitv words[kFutexWaitvMax];
    words[0] = futex_waitv_entry(word, kWaitSleeping);
    for (u32 n = 0; n < plan.watched; ++n) {
      const u32& token = task.cell->task(plan.watch[n])->token.word;
      const u32 value = load_acquire(token);
      // Dead already: look again.
      if ((value & kFutexOwnerDied) != 0) return -EAGAIN;
      words[n + 1] = futex_waitv_entry(token, value);
    }
    const int result = futex_wait_many(words, plan.watched + 1, timeout);
    const bool has_waited =
        result >= 0 || result == -EAGAIN || result == -ETIMEDOUT || result == -EINTR;
    // The kernel wakes one of those who wait for a death: the others may have other concerns.
    if (result > 0) futex_wake(task.cell->task(plan.watch[result - 1])->token.word, kFutexWakeAll);
    if (has_waited) return result;
    // No futex_waitv here, or a filter that forbids it: deaths are found by looking.
    if (timeout > kRecheckNs) timeout = kRecheckNs;
  }
  return task.sleep != nullptr ? task.sleep(word, kWaitSleeping, timeout)
                               : futex_wait(word, kWaitSleeping, timeout);
}

// The longer a sleep lasts, the less often the task looks: what is lost by that is the time until a
// wake-up is made good that its waker died before.
void look_again(Task& task, WaitPlan& plan) {
  ++plan.rechecks;
  plan.recheck_ns = plan.recheck_ns * 2 < kPatientNs ? plan.recheck_ns * 2 : kPatientNs;
  plan.recheck(task, plan);
}

}  // namespace

i64 monotonic_nanoseconds() { return nanoseconds_of(CLOCK_MONOTONIC); }

void link_waiter(Journal& journal, const Cell& cell, WaitList& list, u32 slot) {
  WaitNode& node = cell.task(slot)->wait;
  TaskRec* last = cell.task(list.last);
  journal.set(node.next, kNoSlot);
  journal.set(node.prev, list.last);
  if (last != nullptr) {
    journal.set(last->wait.next, slot);
  } else {
    journal.set(list.first, slot);
  }
  journal.set(list.last, slot);
  journal.set(node.linked, 1u);
}

void link_waiter_before(Journal& journal, const Cell& cell, WaitList& list, u32 slot, u32 next) {
  TaskRec* after = cell.task(next);
  if (after == nullptr) {
    link_waiter(journal, cell, list, slot);
    return;
  }
  WaitNode& node = cell.task(slot)->wait;
  TaskRec* before = cell.task(after->wait.prev);
  journal.set(node.next, next);
  journal.set(node.prev, after->wait.prev);
  if (before != nullptr) {
    journal.set(before->wait.next, slot);
  } else {
    journal.set(list.first, slot);
  }
  journal.set(after->wait.prev, slot);
  journal.set(node.linked, 1u);
}

bool unlink_waiter(Journal& journal, const Cell& cell, WaitList& list, u32 slot) {
  WaitNode& node = cell.task(slot)->wait;
  TaskRec* next = cell.task(node.next);
  TaskRec* prev = cell.task(node.prev);
  if ((node.next != kNoSlot && next == nullptr) || (node.prev != kNoSlot && prev == nullptr))
    return false;
  if (prev != nullptr) {
    journal.set(prev->wait.next, node.next);
  } else {
    journal.set(list.first, node.next);
  }
  if (next != nullptr) {
    journal.set(next->wait.prev, node.prev);
  } else {
    journal.set(list.last, node.prev);
  }
  journal.set(node.linked, 0u);
  return true;
}

void WakeList::publish(u32 slot) {
  TaskRec* rec = cell_.task(slot);
  if (exchange(rec->wait.word, kWaitDone) != kWaitSleeping) return;
  if (count_ == kCapacity) flush();
  slots_[count_++] = slot;
}

void WakeList::wake_with(u32 slot, u32 value) {
  u32& word = cell_.task(slot)->wait.word;
  u32 expected = kWaitSleeping;
  if (!compare_exchange(word, expected, value)) {
    // Not asleep yet: it sees the word before it sleeps.
    if (expected == kWaitSpinning) compare_exchange(word, expected, value);
    return;
  }
  if (count_ == kCapacity) flush();
  slots_[count_++] = slot;
}

void WakeList::flush() {
  for (u32 n = 0; n < count_; ++n) futex_wake(cell_.task(slots_[n])->wait.word, 1);
  count_ = 0;
}

bool would_spin_for_turn(Task& task) {
  if (task.skipped_turns < task.turn_pause) {
    ++task.skipped_turns;
    return false;
  }
  task.skipped_turns = 0;
  return true;
}

void begin_wait(Task& task) { store_relaxed(task.rec->wait.word, kWaitSpinning); }

WaitEnd sleep_until_done(Task& task, WaitPlan& plan) {
  u32& word = task.rec->wait.word;
  WaitFrame frame;
  bool is_expired = false;
  {
    const HandlerWindow window(task, frame);
    CallWatch* const watch = task.watch;
    if (watch != nullptr && !frame.interrupted) [[unlikely]]
      watch->before_sleep(task, *watch, frame, plan.deadline_ns);
    if (!frame.interrupted && !has_passed(plan.deadline_ns - kSpinNanoseconds, plan) &&
        !spin(task, word) && !yield(task, word)) {
      u32 expected = kWaitSpinning;
      compare_exchange(word, expected, kWaitSleeping);
    }
    while (!frame.interrupted && !is_expired && !is_awake(word)) {
      if (has_passed(plan.deadline_ns, plan)) {
        // A handler may have come just now, and taken the operation back; and forked.
        const Critical critical(task);
        is_expired = task.wait_frame == &frame && plan.expire(task);
        continue;
      }
      const int result = sleep_once(task, word, plan);
      if (load_acquire(word) == kWaitNext) {
        spin_for_turn(task, word);
      } else if (result != -EINTR && !is_awake(word)) {
        const Critical critical(task);
        if (task.wait_frame == &frame) look_again(task, plan);
      }
    }
    if (watch != nullptr && !frame.interrupted && !is_expired) [[unlikely]]
      watch->after_sleep(task, *watch);
  }
  if (frame.interrupted) return WaitEnd::Interrupted;
  return is_expired ? WaitEnd::Expired : WaitEnd::Done;
}

}  // namespace ipcell
