#include "core/ipc/fault_call.h"

#include <sys/mman.h>

#include "core/ipc/text.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// "ipcell: fault r1: msgsnd of queue 0 in process 0.1 (make)"
void say_fault(FaultFacts& facts, const FaultRec& rec) {
  char line[512];
  TextWriter text(line, sizeof line - 2);
  const FaultHost* host = facts.task().fault_host;
  text.put("ipcell: fault ");
  for (u32 n = 0; n < kFaultIdMax && rec.rule.id[n] != '\0'; ++n) text.put_char(rec.rule.id[n]);
  text.put(": ");
  text.put(name_of(facts.args().op));
  if (*facts.name() != '\0') {
    text.put(" of ");
    text.put(facts.name());
  } else if (facts.object_id() >= 0) {
    text.put(" of id ");
    text.put_signed(facts.object_id(), 0);
  }
  text.put(", process ");
  text.put(host != nullptr ? host->path : "0");
  if (host != nullptr && host->program[0] != '\0') {
    text.put(" (");
    text.put(host->program);
    text.put_char(')');
  }
  text.put(", firing ");
  text.put_unsigned(load_relaxed(rec.fired), 0);
  const std::size_t used = text.used() < sizeof line - 2 ? text.used() : sizeof line - 2;
  line[used] = '\n';
  sys::call(SYS_write, 2, sys::arg(line), static_cast<long>(used + 1));
}

// --------------------------------------------------------------------------- the call

// Where a call with rules stands.
enum class Ending : u32 { Open, Given };

class Faulted : public CallWatch {
 public:
  Faulted(Task& task, const FaultArgs& args)
      : CallWatch{before_sleep_of, after_sleep_of}, task_(task), facts_(task, args) {}

  long run(FaultedCall make, const void* context);

 private:
  static Faulted& of(CallWatch& watch) { return static_cast<Faulted&>(watch); }
  static void before_sleep_of(Task&, CallWatch& watch, const WaitFrame& frame, i64& deadline_ns) {
    of(watch).before_sleep(frame, deadline_ns);
  }
  static void after_sleep_of(Task&, CallWatch& watch) { of(watch).after_sleep(); }

  void give(long result) {
    ending_ = Ending::Given;
    result_ = result;
  }
  void refuse(const FaultStep& step) {
    __atomic_fetch_add(&step.rec->refused, 1, __ATOMIC_RELAXED);
  }

  void do_anywhere(const FaultStep& step);
  void do_before(FaultStep& step);
  void fail_with(FaultStep& step);
  bool bring_about(FaultStep& step, const FaultOutcome& outcome);
  void seem_full(const FaultStep& step);
  void seem_asleep(const FaultStep& step);
  void do_asleep(const FaultStep& step, const WaitFrame& frame, i64& deadline_ns);
  void interrupt(const FaultStep& step, const WaitFrame& frame);
  void remove_asleep(const FaultStep& step, const WaitFrame& frame);
  void before_sleep(const WaitFrame& frame, i64& deadline_ns);
  void after_sleep();
  // Bytes of the message that stand before its text.
  std::size_t head_size() const {
    const FaultOp op = facts_.args().op;
    return op == FaultOp::Msgsnd || op == FaultOp::Msgrcv ? sizeof(long) : 0;
  }
  void corrupt_received();
  long send_corrupted(FaultedCall make, const void* context);
  long make_once(FaultedCall make, const void* context);
  long make_call(FaultedCall make, const void* context);

  Task& task_;
  FaultFacts facts_;
  FaultStep steps_[kFaultSteps];
  u32 count_ = 0;
  FaultSite* site_ = nullptr;
  Ending ending_ = Ending::Open;
  long result_ = 0;
  bool has_slept_ = false;
  bool seems_asleep_ = false;  // `full` was met: what is for sleepers is done at once
  bool corrupts_ = false, drops_ = false, doubles_ = false;
};

// Those that are the same at each point.
void Faulted::do_anywhere(const FaultStep& step) {
  const FaultAction& action = step.action;
  switch (action.act) {
    case FaultAct::Yield: sys::call(SYS_sched_yield); break;
    case FaultAct::Stop: stop_process(task_, action.value); break;
    case FaultAct::Signal: send_signal(task_, action.number); break;
    case FaultAct::Exit: exit_process(task_, action.number); break;
    case FaultAct::Kill: kill_process(task_); break;
    case FaultAct::Log: say_fault(facts_, *step.rec); break;
    case FaultAct::Off: store_relaxed(step.rec->is_off, 1u); break;
    case FaultAct::Delay: nap(task_, action.value); break;
    default: break;
  }
}

// --------------------------------------------------------------------------- before the call

// False: not of this call.
bool Faulted::bring_about(FaultStep& step, const FaultOutcome& outcome) {
  if (!holds(facts_, outcome.needs)) return false;
  switch (outcome.way) {
    case FaultWay::Removed: return remove_named_object(facts_);
    case FaultWay::Vanished:
      if (!remove_named_object(facts_)) return false;
      give(-EIDRM);
      return true;
    case FaultWay::Limited:
      // The first that is asked, and asked of each call: it is not looked up there who watches.
      if (outcome.limit == FaultLimit::Semopm) {
        give(-outcome.error);
      } else {
        lowered = limit_place(*task_.cell, outcome.limit);
      }
      return true;
    case FaultWay::Asleep:
    case FaultWay::Expired:
      if (seems_asleep_) {
        give(-outcome.error);
      } else {
        step.is_pending = true;
      }
      return true;
    case FaultWay::Plain: give(-outcome.error); return true;
    case FaultWay::Never: return false;
  }
  return false;
}

void Faulted::fail_with(FaultStep& step) {
  const int error = static_cast<int>(step.action.number);
  // Whether or not the call's own manual knows it.
  constexpr int kLastErrno = 4095;
  if (error < 1 || error > kLastErrno) return refuse(step);
  if (step.is_illegal) return give(-error);
  const FaultOutcome* outcome = find_fault_outcome(facts_.args().op, error);
  while (outcome != nullptr && !bring_about(step, *outcome)) outcome = next_fault_outcome(outcome);
  if (outcome == nullptr) refuse(step);
}

void Faulted::seem_full(const FaultStep& step) {
  const int result = pretend_full(facts_);
  if (result == 0) {
    seems_asleep_ = true;
  } else if (result < 0) {
    give(result);
  } else {
    refuse(step);
  }
}

// For an instant: then what it waited for is there, unless that instant was its end.
void Faulted::seem_asleep(const FaultStep& step) {
  const FaultOp op = facts_.args().op;
  switch (step.action.act) {
    case FaultAct::Interrupt: give(-EINTR); break;
    case FaultAct::Timeout: give(op == FaultOp::Semtimedop ? -EAGAIN : -ETIMEDOUT); break;
    case FaultAct::Remove:
      // Who has a descriptor of a POSIX queue goes on without its name.
      if (!remove_named_object(facts_)) {
        refuse(step);
      } else if (!is_mqueue(op)) {
        give(-EIDRM);
      }
      break;
    default: do_anywhere(step);
  }
}

void Faulted::do_before(FaultStep& step) {
  const FaultAction& action = step.action;
  if (action.act == FaultAct::Interrupt || action.act == FaultAct::Timeout ||
      action.point == FaultPoint::Blocked) {
    const bool is_result = action.act == FaultAct::Interrupt || action.act == FaultAct::Timeout;
    if (seems_asleep_ || (step.is_illegal && is_result)) seem_asleep(step);
    return;
  }
  if (action.point != FaultPoint::Enter) return;
  switch (action.act) {
    case FaultAct::Error: fail_with(step); break;
    case FaultAct::Full: seem_full(step); break;
    case FaultAct::Remove:
      if (!remove_named_object(facts_)) refuse(step);
      break;
    case FaultAct::Limit:
      set_fault_limit(task_, static_cast<FaultLimit>(action.number), action.value);
      break;
    case FaultAct::Corrupt: corrupts_ = true; break;
    case FaultAct::Drop: drops_ = true; break;
    case FaultAct::Duplicate: doubles_ = true; break;
    default: do_anywhere(step);
  }
}

// --------------------------------------------------------------------------- asleep

void Faulted::interrupt(const FaultStep& step, const WaitFrame& frame) {
  const Critical critical(task_);
  // A handler may have taken it back, or a waker finished it.
  if (task_.wait_frame != &frame || !interrupt_wait(task_)) refuse(step);
}

void Faulted::remove_asleep(const FaultStep& step, const WaitFrame& frame) {
  const Critical critical(task_);
  if (task_.wait_frame != &frame || !remove_named_object(facts_)) refuse(step);
}

void Faulted::do_asleep(const FaultStep& step, const WaitFrame& frame, i64& deadline_ns) {
  switch (step.action.act) {
    case FaultAct::Interrupt: interrupt(step, frame); break;
    case FaultAct::Error:
      if (step.action.number == EINTR) {
        interrupt(step, frame);
        break;
      }
      if (step.action.number == EIDRM) {
        remove_asleep(step, frame);
        break;
      }
      [[fallthrough]];
    case FaultAct::Timeout:
      // A time that has long passed.
      if (deadline_ns != 0) {
        deadline_ns = 1;
      } else {
        refuse(step);
      }
      break;
    case FaultAct::Remove: remove_asleep(step, frame); break;
    case FaultAct::Delay: nap(task_, step.action.value, &frame.interrupted); break;
    default: do_anywhere(step);
  }
}

void Faulted::before_sleep(const WaitFrame& frame, i64& deadline_ns) {
  // A sleeper that was told to start over comes by here again.
  if (has_slept_) return;
  has_slept_ = true;
  mark_fault_site(site_, kSiteBlocked);
  const u32 earlier = count_;
  count_ = choose_faults(facts_, true, steps_, count_);
  for (u32 n = 0; n < count_ && !frame.interrupted; ++n) {
    const FaultPoint point = steps_[n].action.point;
    const bool is_new = n >= earlier && point == FaultPoint::Enter;
    const bool is_of_now = point == FaultPoint::Blocked || is_new || steps_[n].is_pending;
    steps_[n].is_pending = false;
    if (is_of_now) do_asleep(steps_[n], frame, deadline_ns);
  }
}

void Faulted::after_sleep() {
  for (u32 n = 0; n < count_; ++n) {
    if (steps_[n].action.point == FaultPoint::Woken) do_anywhere(steps_[n]);
  }
}

// --------------------------------------------------------------------------- the whole

// The first byte of the text that was received is another one.
void Faulted::corrupt_received() {
  u8* const text = static_cast<u8*>(const_cast<void*>(facts_.args().message)) + head_size();
  u8 byte;
  if (copy_from_user(&byte, text, 1) != 0) return;
  byte ^= 0xff;
  (void)copy_to_user(text, &byte, 1);
}

// The same of the text to be sent, of which the call gets a copy: the program's may be a constant.
long Faulted::send_corrupted(FaultedCall make, const void* context) {
  const FaultArgs& args = facts_.args();
  const u64 size = head_size() + args.size;
  const long room = sys::map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  if (sys::is_error(room)) return make(context, args.message);
  u8* const copy = reinterpret_cast<u8*>(room);
  const bool is_read = copy_from_user(copy, args.message, static_cast<std::size_t>(size)) == 0;
  copy[head_size()] ^= 0xff;
  const long result = make(context, is_read ? copy : args.message);
  sys::call(SYS_munmap, room, static_cast<long>(size));
  return result;
}

long Faulted::make_once(FaultedCall make, const void* context) {
  const FaultArgs& args = facts_.args();
  const bool sends =
      args.op == FaultOp::Msgsnd || args.op == FaultOp::MqSend || args.op == FaultOp::MqTimedsend;
  if (corrupts_ && sends && args.size != 0 && args.size < kHeapSize)
    return send_corrupted(make, context);
  const long result = make(context, args.message);
  if (corrupts_ && !sends && result > 0) corrupt_received();
  return result;
}

long Faulted::make_call(FaultedCall make, const void* context) {
  if (drops_) return 0;
  task_.watch = this;
  long result = make_once(make, context);
  if (doubles_ && result >= 0) result = make_once(make, context);
  task_.watch = nullptr;
  return result;
}

long Faulted::run(FaultedCall make, const void* context) {
  site_ = record_fault_site(facts_);
  count_ = choose_faults(facts_, false, steps_, 0);
  for (u32 n = 0; n < count_ && ending_ == Ending::Open; ++n) do_before(steps_[n]);
  if (ending_ == Ending::Open) give(make_call(make, context));
  if (result_ < 0) mark_fault_site(site_, kSiteFailed);
  for (u32 n = 0; n < count_; ++n) {
    if (steps_[n].is_pending) refuse(steps_[n]);
    if (steps_[n].action.point == FaultPoint::Exit) do_anywhere(steps_[n]);
  }
  return result_;
}

}  // namespace

long run_with_faults(Task& task, const FaultArgs& args, FaultedCall make, const void* context) {
  Faulted call(task, args);
  return call.run(make, context);
}

}  // namespace ipcell
