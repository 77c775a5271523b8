#include "tests/crash/stage.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "core/ipc/signature.h"

namespace crash {

using ipcell::CheckMode;

namespace {

constexpr int kPatienceMs = 5000;

void nap(long microseconds) {
  const struct timespec pause = {0, microseconds * 1000};
  nanosleep(&pause, nullptr);
}

bool wait_for_end(pid_t pid, int timeout_ms) {
  const std::uint64_t deadline = now_us() + static_cast<std::uint64_t>(timeout_ms) * 1000;
  do {
    int status;
    const pid_t waited = waitpid(pid, &status, WNOHANG | __WALL);
    if (waited < 0 || (waited == pid && (WIFEXITED(status) || WIFSIGNALED(status)))) return true;
    nap(50);
  } while (now_us() < deadline);
  return false;
}

void set_up_process() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// ---------------------------------------------------------------- what the processes do

void act_as_helper(Actor& actor, const std::function<long(Actor&)>& operation) {
  actor.me.result = operation(actor);
  announce(actor.me.progress, kDone);
  await(actor.me.command, kFinish, 60 * 1000);
}

struct VictimCall {
  Actor* actor;
  const Scenario* scenario;
  bool is_second;
};
VictimCall victim_call;

void on_signal(int) {
  crash_begin();
  victim_call.scenario->operation(*victim_call.actor);
}

void act_signalled(Actor& actor, const Scenario& scenario) {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, nullptr);
  announce(actor.me.progress, kRunning);
  scenario.prepare(actor);
  crash_end();
}

void act_as_victim(const VictimCall& call) {
  Actor& actor = *call.actor;
  const Scenario& scenario = *call.scenario;
  actor.open_cell();
  if (call.is_second || !scenario.attaches) actor.attach();
  if (!Tracee::invite()) _exit(77);
  // The driver goes on with it.
  actor.me.tid = static_cast<pid_t>(syscall(SYS_gettid));
  syscall(SYS_tgkill, getpid(), actor.me.tid.load(), SIGSTOP);
  if (scenario.is_signalled && !call.is_second) {
    act_signalled(actor, scenario);
  } else {
    if (!call.is_second) scenario.prepare(actor);
    announce(actor.me.progress, kRunning);
    const auto& operation = call.is_second ? scenario.recovery : scenario.operation;
    crash_begin();
    const long result = operation(actor);
    crash_end();
    actor.me.result = result;
  }
  announce(actor.me.progress, kDone);
  await(actor.me.command, kFinish, 60 * 1000);
}

void* victim_thread(void*) {
  act_as_victim(victim_call);
  return nullptr;
}

// The process lives on when its thread has died.
void act_as_victim_thread() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, victim_thread, nullptr) != 0) _exit(4);
  for (;;) pause();
}

}  // namespace

// ---------------------------------------------------------------- the survivor

// Everything that another process does in the cell after a death goes on, and nothing is left over.
void Stage::recover(Actor& actor) {
  scenario_.after_death(actor);
  const int contenders = static_cast<int>(scenario_.contenders.size());
  for (int n = 0; n < contenders - scenario_.lingering; ++n) (void)actor.result_of_contender(n);
  if (board_->is_late) actor.touch();
  ipcell::reap_dead_tasks(actor.task);
  actor.check(CheckMode::AfterReap, "after the reaping");
  actor.expect_none_doomed();
  actor.touch();
  actor.check(CheckMode::Quiescent, "after the recovery");
  actor.expect_no_stray_memory();
}

// A queue's whole life, with messages that take one block, none, and several chunks.
void Stage::exercise(Actor& actor) {
  const long id = ipcell::sys_msgget(actor.task, IPC_PRIVATE, IPC_CREAT | 0600);
  actor.expect(id >= 0, "afterwards msgget fails: %ld", id);
  const int queue = kMaxQueues - 1;
  board_->ids[queue] = static_cast<int>(id);
  std::uint8_t tag = 200;
  for (std::uint32_t size : {0u, 100u, 1000u, 8000u}) {
    actor.expect(actor.send(queue, {3, size, tag}, IPC_NOWAIT) == 0, "afterwards msgsnd fails");
    actor.expect(actor.receive(queue, 8192, 3, IPC_NOWAIT) == static_cast<long>(size),
                 "afterwards msgrcv fails");
    ++tag;
  }
  actor.expect(actor.remove(queue) == 0, "afterwards IPC_RMID fails");
  actor.exercise_set();
  actor.exercise_segment();
  actor.exercise_mqueue();
}

void Stage::survive(Actor& actor) {
  actor.open_cell();
  actor.attach();
  scenario_.setup(actor);
  announce(actor.me.progress, kReady);
  await(actor.me.command, kAwaken, 600 * 1000);
  if (actor.me.command == kAwaken) {
    scenario_.awaken(actor);
    announce(actor.me.progress, kRunning);
    await(actor.me.command, kVerify, 600 * 1000);
  }
  recover(actor);
  board_->outcome = scenario_.verify(actor);
  exercise(actor);
  announce(actor.me.progress, kVerified);
  await(actor.me.command, kFinish, 600 * 1000);
  ipcell::reap_dead_tasks(actor.task);
  actor.touch();
  actor.check(CheckMode::Quiescent, "at the end");
  scenario_.verify_end(actor);
  if (!board_->is_thread) actor.expect_no_processes();
  actor.expect_no_stray_memory();
  for (ipcell::u32 slot = 1; slot <= cell_.header().slots_high; ++slot) {
    if (slot == actor.task.slot || slot == board_->driver_slot) continue;
    actor.expect(cell_.layout().task_states[slot - 1] != ipcell::kTaskLive,
                 "slot %u is not free at the end", slot);
  }
  announce(actor.me.progress, kFinished);
}

// ---------------------------------------------------------------- the driver

Stage::Stage(const Scenario& scenario, const std::string& folder)
    : scenario_(scenario), path_(folder + "/cell") {
  void* memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  board_ = new (memory) Board{};
  unlink(path_.c_str());
  const ipcell::CellStatus status =
      ipcell::Cell::open_or_create(path_.c_str(), {ipcell::kLayoutSignature}, &cell_);
  if (!status.ok()) note_failure(*board_, "no cell: %s (%d)", status.describe(), status.error);
  // A child that loses its parent becomes ours.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (status.ok() && scenario.is_driver_known) become_known();
}

void Stage::become_known() {
  task_.cell = &cell_;
  task_.identity = identify();
  const int error = ipcell::attach_task(task_);
  if (error != 0) note_failure(*board_, "the driver's task cannot attach: %d", error);
  board_->driver_slot = task_.slot;
}

Stage::~Stage() {
  for (Slate& slate : board_->sleepers) end_process(slate);
  for (Slate& slate : board_->contenders) end_process(slate);
  end_process(board_->victim);
  end_process(board_->recoverer);
  end_child();
  end_process(board_->survivor);
  if (task_.rec != nullptr) ipcell::release_task(task_);
  cell_.close();
  unlink(path_.c_str());
  remove_pipes(path_.substr(0, path_.rfind('/')).c_str());
  munmap(board_, sizeof(Board));
}

void Stage::end_process(Slate& slate) {
  if (slate.pid <= 0 || slate.has_ended) return;
  kill(slate.pid, SIGKILL);
  wait_for_end(slate.pid, kPatienceMs);
  slate.has_ended = true;
}

void Stage::end_child() {
  const std::uint64_t deadline = now_us() + kPatienceMs * 1000ull;
  if (board_->child.pid != 0) kill(board_->child.pid, SIGKILL);
  int status;
  while (board_->child.pid != 0 && now_us() < deadline &&
         waitpid(board_->child.pid, &status, WNOHANG | __WALL) == 0) {
    nap(50);
  }
  board_->child.has_ended = true;
}

void Stage::kill_doomed() {
  for (int n = 0; n < scenario_.doomed; ++n) {
    Slate& slate = board_->sleepers[n];
    if (!scenario_.are_zombies) {
      end_process(slate);
      continue;
    }
    kill(slate.pid, SIGKILL);
    while (thread_state(slate.pid) != 'Z') nap(50);
  }
}

template <class Body>
void Stage::spawn(Slate& slate, const Body& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    set_up_process();
    Actor actor(*board_, slate, path_.c_str());
    body(actor);
    _exit(0);
  }
  slate.pid = pid;
}

bool Stage::await_ready(Slate& slate, const char* otherwise) {
  for (int waited = 0; waited < kPatienceMs && !board_->has_failed; waited += 20) {
    if (await(slate.progress, kReady, 20)) return true;
  }
  note_failure(*board_, "%s", otherwise);
  return false;
}

bool Stage::await_asleep(Slate& slate) {
  int asleep = 0;
  for (const std::uint64_t start = now_us(); now_us() - start < kPatienceMs * 1000ull;) {
    const char state = slate.progress == kRunning ? thread_state(slate.pid) : '-';
    if (slate.progress >= kDone || state == 0 || state == 'Z') break;
    asleep = state == 'S' || state == 'T' ? asleep + 1 : 0;
    if (asleep == 2) return true;
    nap(50);
  }
  note_failure(*board_, "a helper does not go to sleep: progress %u, result %ld",
               slate.progress.load(), slate.result);
  return false;
}

// Between two of its looks at the queue: stopped with a lock it would stop the others as well.
void Stage::stop(Slate& slate) {
  if (thread_state(slate.pid) == 'T') return;
  for (int tries = 0; tries < 100; ++tries) {
    kill(slate.pid, SIGSTOP);
    int status;
    if (waitpid(slate.pid, &status, WUNTRACED) != slate.pid || !WIFSTOPPED(status)) break;
    if (cell_.task(slate.slot)->intents[0] == 0) return;
    kill(slate.pid, SIGCONT);
    nap(1000);
  }
  note_failure(*board_, "a helper cannot be stopped");
}

void Stage::set_up(bool is_late) {
  board_->is_late = is_late;
  spawn(board_->survivor, [this](Actor& actor) { survive(actor); });
  if (!await_ready(board_->survivor, "the set-up does not end")) return;
  for (std::size_t n = 0; n < scenario_.sleepers.size() && !board_->has_failed; ++n) {
    spawn(board_->sleepers[n], [&](Actor& actor) {
      actor.open_cell();
      actor.attach();
      announce(actor.me.progress, kRunning);
      act_as_helper(actor, scenario_.sleepers[n]);
    });
    if (await_asleep(board_->sleepers[n])) stop(board_->sleepers[n]);
  }
  for (std::size_t n = 0; n < scenario_.contenders.size(); ++n) {
    spawn(board_->contenders[n], [&](Actor& actor) {
      actor.open_cell();
      if (scenario_.contenders_attach) actor.attach();
      announce(actor.me.progress, kReady);
      await(actor.me.command, kStart, 600 * 1000);
      announce(actor.me.progress, kRunning);
      act_as_helper(actor, scenario_.contenders[n]);
    });
    if (!await_ready(board_->contenders[n], "a contender does not get ready")) return;
  }
}

bool Stage::start_victim(Slate& slate, bool is_second, bool as_thread) {
  spawn(slate, [&](Actor& actor) {
    victim_call = {&actor, &scenario_, is_second};
    if (as_thread) act_as_victim_thread();
    act_as_victim(victim_call);
  });
  const std::uint64_t start = now_us();
  if (!as_thread) slate.tid = slate.pid;
  while (slate.tid == 0 && now_us() - start < kPatienceMs * 1000ull) nap(20);
  Tracee tracee(slate.tid);
  if (slate.tid == 0 || !tracee.await_first_stop()) {
    note_failure(*board_, "the victim does not start");
    return false;
  }
  const auto signal_it = [&] {
    if (await_asleep(slate)) syscall(SYS_tgkill, slate.pid, slate.tid.load(), SIGUSR1);
  };
  const bool signalled = scenario_.is_signalled && !is_second;
  if (tracee.run_to_trap(signalled ? signal_it : std::function<void()>())) return true;
  note_failure(*board_, "the victim does not reach its operation");
  return false;
}

// Each starts when the one before is done, or sleeps because of the victim.
void Stage::start_contenders() {
  for (std::size_t n = 0; n < scenario_.contenders.size(); ++n) {
    Slate& slate = board_->contenders[n];
    announce(slate.command, kStart);
    int asleep = 0;
    for (const std::uint64_t start = now_us(); now_us() - start < kPatienceMs * 1000ull;) {
      if (slate.progress >= kDone) break;
      const char state = slate.progress == kRunning ? thread_state(slate.pid) : '-';
      asleep = state == 'S' || state == 'T' ? asleep + 1 : 0;
      if (asleep == 3) break;
      nap(50);
    }
  }
}

void Stage::stop_lingering() {
  const std::size_t count = scenario_.contenders.size();
  for (std::size_t n = count - static_cast<std::size_t>(scenario_.lingering); n < count; ++n) {
    if (await_asleep(board_->contenders[n])) stop(board_->contenders[n]);
  }
}

bool Stage::ask_survivor(Command command, Progress answer, int timeout_ms) {
  announce(board_->survivor.command, command);
  const std::uint64_t deadline = now_us() + static_cast<std::uint64_t>(timeout_ms) * 1000;
  while (!await(board_->survivor.progress, answer, 20)) {
    int status;
    const bool is_gone = waitpid(board_->survivor.pid, &status, WNOHANG) == board_->survivor.pid;
    if (is_gone) {
      board_->survivor.has_ended = true;
      if (WIFSIGNALED(status))
        note_failure(*board_, "the survivor died: signal %d", WTERMSIG(status));
      note_failure(*board_, "the survivor ended");
      return false;
    }
    if (now_us() >= deadline) {
      note_failure(*board_, "the survivor hangs");
      return false;
    }
  }
  return !board_->has_failed;
}

bool Stage::verify() { return ask_survivor(kVerify, kVerified, 3 * kPatienceMs); }

void Stage::finish() {
  for (Slate& slate : board_->sleepers) announce(slate.command, kFinish);
  for (Slate& slate : board_->contenders) announce(slate.command, kFinish);
  announce(board_->victim.command, kFinish);
  announce(board_->recoverer.command, kFinish);
  for (Slate& slate : board_->sleepers) end_process(slate);
  for (Slate& slate : board_->contenders) end_process(slate);
  end_process(board_->victim);
  end_process(board_->recoverer);
  end_child();
  ask_survivor(kFinish, kFinished, kPatienceMs);
}

}  // namespace crash
