#include "cli/sweep/waits.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/syscall.h>

#include <fmt/format.h>

#include "cli/cells.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/undo.h"

namespace ipcell::cli {

namespace {

constexpr std::size_t kMaxLines = 64;

std::string name_of_process(pid_t pid) {
  std::string name;
  std::getline(std::ifstream(fmt::format("/proc/{}/comm", pid)), name);
  return name.empty() ? "?" : name;
}

std::string who(pid_t pid) {
  if (pid == 0) return "nobody yet";
  u64 start = 0;
  bool is_zombie = false;
  if (!read_process(pid, &start, &is_zombie) || is_zombie)
    return fmt::format("{}, which has ended", pid);
  return fmt::format("{} ({})", pid, name_of_process(pid));
}

std::string object_name(const char* kind, const PermRec& perm) {
  return perm.key == IPC_PRIVATE
             ? fmt::format("{} {}", kind, perm.id)
             : fmt::format("{} {} (key {:#x})", kind, perm.id, static_cast<u32>(perm.key));
}

// Where a process is that sleeps in no call of the cell.
std::string describe_elsewhere(pid_t pid) {
  struct CallName {
    long number;
    const char* name;
  };
  static constexpr CallName kNames[] = {
      {SYS_wait4, "waits for a child"},
      {SYS_waitid, "waits for a child"},
      {SYS_read, "sleeps in read"},
      {SYS_write, "sleeps in write"},
      {SYS_futex, "sleeps in futex"},
      {SYS_clock_nanosleep, "sleeps in nanosleep"},
      {SYS_nanosleep, "sleeps in nanosleep"},
      {SYS_ppoll, "sleeps in poll"},
      {SYS_pselect6, "sleeps in select"},
      {SYS_rt_sigsuspend, "waits for a signal"},
      {SYS_rt_sigtimedwait, "waits for a signal"},
#ifdef SYS_poll
      {SYS_poll, "sleeps in poll"},
      {SYS_select, "sleeps in select"},
      {SYS_pause, "waits for a signal"},
#endif
  };
  std::string word;
  std::ifstream(fmt::format("/proc/{}/syscall", pid)) >> word;
  if (word == "running") return "runs: does it try again and again?";
  for (const CallName& call : kNames) {
    if (word == std::to_string(call.number)) return call.name;
  }
  return word.empty() || word == "-1" ? "is in no IPC call"
                                      : fmt::format("sleeps in system call {}", word);
}

// Describes the sleepers of one cell.
class Sleepers {
 public:
  explicit Sleepers(const Cell& cell) : cell_(cell), pid_namespace_(own_pid_namespace()) {}

  void look() {
    const u32 count = std::min(load_acquire(cell_.header().slots_high), kTaskSlots);
    for (u32 slot = 1; slot <= count && lines_.size() < kMaxLines; ++slot) look_at(slot);
  }
  std::vector<std::string>& lines() { return lines_; }
  bool has(pid_t pid) const { return pids_.count(pid) != 0; }

 private:
  void look_at(u32 slot);
  std::string describe(const TaskRec& task) const;
  std::string describe_semop(const TaskRec& task, const SemSetRec& set) const;
  std::string describe_holders(const SemSetRec& set, u32 num) const;
  std::string describe_message(const TaskRec& task, const MsgQueueRec& queue) const;
  std::string describe_mqueue(const TaskRec& task, const MqueueRec& queue) const;

  const Cell& cell_;
  u64 pid_namespace_;
  std::vector<std::string> lines_;
  std::set<pid_t> pids_;
};

void Sleepers::look_at(u32 slot) {
  if (load_acquire(cell_.layout().task_states[slot - 1]) != kTaskLive) return;
  const TaskRec& task = *cell_.task(slot);
  if (is_token_dead(task.token) || load_relaxed(task.wait.linked) == 0) return;
  const std::string what = describe(task);
  if (what.empty()) return;
  const bool is_visible = task.pid_namespace == pid_namespace_;
  if (is_visible) pids_.insert(task.pid);
  const std::string thread = task.tid == task.pid ? "" : fmt::format(", thread {},", task.tid);
  lines_.push_back(fmt::format("{} ({}){} {}", task.pid,
                               is_visible ? name_of_process(task.pid) : "elsewhere", thread, what));
}

std::string Sleepers::describe(const TaskRec& task) const {
  const u64 object = load_relaxed(task.wait.object);
  switch (class_of_block(cell_, object)) {
    case BlockClass::MsgQueue: return describe_message(task, *cell_.at<MsgQueueRec>(object));
    case BlockClass::SemSet: return describe_semop(task, *cell_.at<SemSetRec>(object));
    case BlockClass::Mqueue: return describe_mqueue(task, *cell_.at<MqueueRec>(object));
    default: return "";
  }
}

std::string Sleepers::describe_message(const TaskRec& task, const MsgQueueRec& queue) const {
  const std::string name = object_name("queue", queue.perm);
  const MsgLoad load = queue.held();
  if (task.wait.kind == WaitKind::Sender) {
    return fmt::format(
        "sleeps in msgsnd of {} bytes to {}, which holds {} messages, {} of {} bytes; "
        "it was last received from by {}",
        task.wait.max_size, name, load.qnum, load.cbytes, queue.qbytes, who(queue.lrpid));
  }
  const std::string type =
      task.wait.mode == SEARCH_ANY
          ? "of any type"
          : fmt::format("of type {}", task.wait.mode == SEARCH_LESSEQUAL
                                          ? fmt::format("{} or less", task.wait.type)
                                          : std::to_string(task.wait.type));
  return fmt::format(
      "sleeps in msgrcv of a message {} from {}, which holds {}; it was last sent to by "
      "{}",
      type, name, load.qnum == 0 ? "none" : fmt::format("{} others", load.qnum), who(queue.lspid));
}

std::string Sleepers::describe_mqueue(const TaskRec& task, const MqueueRec& queue) const {
  std::string name = "a queue";
  if (const char* const text = cell_.at<char[kMqNameMax + 1]>(queue.name) != nullptr
                                   ? mqueue_name(cell_, queue)
                                   : nullptr) {
    name = fmt::format("queue /{}", std::string(text, strnlen(text, kMqNameMax)));
  }
  const u32 messages = mq_messages(queue.load);
  switch (task.wait.kind) {
    case WaitKind::Sender:
      return fmt::format("sleeps in mq_send to {}, which is full with {} messages", name, messages);
    case WaitKind::Receiver:
      return fmt::format("sleeps in mq_receive from {}, which is empty", name);
    default: return fmt::format("has a thread that waits for the notice of a message in {}", name);
  }
}

std::string Sleepers::describe_semop(const TaskRec& task, const SemSetRec& set) const {
  const std::string name = object_name("set", set.perm);
  SemOp op = task.wait.sem.op;
  if (task.wait.sem.count > 1) {
    const u32 blocking = task.wait.sem.blocking;
    const auto* const ops = cell_.at<SemOp>(task.wait.sem.ops);
    if (ops == nullptr || blocking >= std::min(task.wait.sem.count, kSemOpsMax)) {
      return fmt::format("sleeps in semop on {}", name);
    }
    op = ops[blocking];
  }
  if (op.num >= set.nsems) return fmt::format("sleeps in semop on {}", name);
  const Semaphore* const sem = semaphore_at(cell_, set, op.num);
  if (sem == nullptr) return fmt::format("sleeps in semop on {}", name);
  const SemState state = sem->get();
  const std::string wish = op.op == 0 ? "wants it to be 0" : fmt::format("wants {}", op.op);
  return fmt::format(
      "sleeps in semop on semaphore {} of {}: {}, and it is {}; last changed by {}{}", op.num, name,
      wish, state.value, who(state.pid), describe_holders(set, op.num));
}

// Whose end would give the semaphore something back.
std::string Sleepers::describe_holders(const SemSetRec& set, u32 num) const {
  std::vector<std::string> holders;
  u64 offset = set.holds.armed;
  for (int steps = 0; offset != 0 && steps < 64; ++steps) {
    HoldRec* const hold = hold_at(cell_, offset);
    if (hold == nullptr || class_of_block(cell_, offset) != BlockClass::Undo) break;
    offset = hold->armed_next;
    const Semaphore* const sem = semaphore_at(cell_, set, num);
    const u64* const word = adjustment_at(cell_, undo_of(*hold), num);
    const ProcessRec* const process = process_at(cell_, hold->process);
    if (sem == nullptr || word == nullptr || process == nullptr) continue;
    if (const i32 amount = adjustment_of(*word, *sem)) {
      holders.push_back(fmt::format("{} (SEM_UNDO {:+})", who(process->pid), amount));
    }
  }
  return holders.empty() ? "" : fmt::format("; held by {}", fmt::join(holders, ", "));
}

}  // namespace

std::vector<std::string> describe_waits(const CellPlace& place,
                                        const std::vector<pid_t>& processes) {
  std::vector<std::string> lines;
  Cell cell;
  if (!open_as_it_is(place, &cell).ok()) return {"the cell cannot be read"};
  Sleepers sleepers(cell);
  if (!cell.is_poisoned()) sleepers.look();
  lines = std::move(sleepers.lines());
  bool is_somebody_else_there = false;
  for (const pid_t pid : processes) {
    if (sleepers.has(pid) || lines.size() >= kMaxLines) continue;
    lines.push_back(fmt::format("{} ({}) {}", pid, name_of_process(pid), describe_elsewhere(pid)));
    is_somebody_else_there = true;
  }
  if (!lines.empty() && !is_somebody_else_there) {
    lines.emplace_back("no other process of the program is left that could wake them");
  }
  cell.close();
  return lines;
}

}  // namespace ipcell::cli
