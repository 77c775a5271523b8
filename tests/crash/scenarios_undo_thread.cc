// SEM_UNDO and threads: those that end before their process, what it leaves to another of them, and
// those that leave it.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "tests/crash/sem_tools.h"
#include "tests/crash/tracee.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;

// ---------------------------------------------------------------- a task beside the actor's own

// A thread with a task of its own, which the process outlives.
class OtherThread {
 public:
  // Returns when `act` has been done.
  OtherThread(Actor& actor, const ipcell::TaskIdentity& identity,
              std::function<void(ipcell::Task&)> act)
      : actor_(actor), act_(std::move(act)) {
    task_.cell = &actor.cell;
    task_.cred = actor.task.cred;
    task_.clock = actor.task.clock;
    task_.identity = identity;
    actor_.expect(pthread_create(&thread_, nullptr, run, this) == 0, "no thread");
    while (!has_acted_) sched_yield();
  }
  // A process that sleeps here would look as if it slept in its operation.
  ~OtherThread() {
    may_end_ = true;
    while (pthread_tryjoin_np(thread_, nullptr) != 0) sched_yield();
  }
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;

  ipcell::u32 slot() const { return task_.slot; }

 private:
  static void* run(void* self) {
    auto& other = *static_cast<OtherThread*>(self);
    other.task_.identity.tid = gettid();
    const int error = ipcell::attach_task(other.task_);
    other.actor_.expect(error == 0, "a thread's task cannot attach: %d", error);
    other.act_(other.task_);
    other.has_acted_ = true;
    while (!other.may_end_) usleep(100);
    return nullptr;
  }

  Actor& actor_;
  std::function<void(ipcell::Task&)> act_;
  ipcell::Task task_;
  pthread_t thread_;
  std::atomic<bool> has_acted_ = false, may_end_ = false;
};

const Ops kHeld = {{0, -2, kUndo}, {1, 1, kUndo}};

std::function<void(ipcell::Task&)> holding(Actor& actor) {
  return [&actor](ipcell::Task& task) {
    const long result =
        ipcell::sys_semtimedop(task, actor.board.sets[0], kHeld.data(), kHeld.size(), nullptr);
    actor.expect(result == 0, "a thread's semop returned %ld", result);
  };
}

// A sleeper whose thread holds. It stops; let go on, it ends the thread, and stops again.
std::function<long(Actor&)> holder_in_thread(bool keeps_task) {
  return [keeps_task](Actor& actor) {
    {
      const OtherThread thread(actor, actor.task.identity, holding(actor));
      if (!keeps_task) ipcell::release_task(actor.task);
      actor.me.slot = thread.slot();
      kill(getpid(), SIGSTOP);
    }
    kill(getpid(), SIGSTOP);
    return 0L;
  };
}

void end_thread_of_holder(Actor& actor) {
  const Slate& holder = actor.board.sleepers[0];
  kill(holder.pid, SIGCONT);
  const ipcell::Token& token = actor.cell.task(holder.slot)->token;
  while (!ipcell::is_token_dead(token) || thread_state(holder.pid) != 'T') sched_yield();
}

// ---------------------------------------------------------------- the process lives

// The holder's thread is dead, and nothing may be undone; until the process ends as well.
Scenario outliving(const char* name, bool keeps_task, std::function<long(Actor&)> operation,
                   long expected) {
  return {.name = name,
          .setup = set_with({5, 0}),
          .sleepers = {holder_in_thread(keeps_task)},
          .prepare = end_thread_of_holder,
          .operation = std::move(operation),
          .expected = expected,
          .verify =
              [](Actor& actor) {
                expect_values(actor, {3, 1}, "while the holder lives");
                return Outcome::Absent;
              },
          .verify_end = ends_with({5, 0}),
          .is_unordered = true};
}

long get_value(Actor& actor) { return actor.control_set(0, GETVAL); }

// The holder's slot is reaped while its process lives. Then a process that can't be has a task in
// its bucket: whoever reaps that one meets the forgotten one.
long forget(Actor& actor) {
  end_thread_of_holder(actor);
  reap(actor);
  ipcell::TaskIdentity identity = actor.task.identity;
  identity.pid = actor.board.sleepers[0].pid;
  identity.start_time = 1;
  // Nobody is to look for it.
  identity.pid_namespace = 0;
  const OtherThread thread(actor, identity, [](ipcell::Task&) {});
  kill(getpid(), SIGSTOP);
  return 0;
}

void add_outliving(std::vector<Scenario>& scenarios) {
  scenarios.push_back(outliving("undo-witness", true, reap, 0));
  scenarios.push_back(outliving("undo-witness-look", true, get_value, 3));
  scenarios.push_back(outliving("undo-no-witness", false, reap, 0));
  scenarios.push_back(outliving("undo-no-witness-look", false, get_value, 3));
  scenarios.push_back(outliving("undo-forgotten", false, reap, 0));
  Scenario& forgotten = scenarios.back();
  forgotten.sleepers.push_back(forget);
  forgotten.doomed = 2;
  forgotten.prepare = [](Actor&) {};
  forgotten.verify = [](Actor& actor) {
    expect_values(actor, {5, 0}, "when the forgotten one is dead");
    return Outcome::Absent;
  };
}

// ---------------------------------------------------------------- the victim's own process

void expect_undone(Actor& actor) {
  const bool is_dead = actor.board.victim.has_ended;
  expect_values(actor, is_dead ? Values{5, 0} : Values{3, 1},
                is_dead ? "when the victim is dead" : "while the victim's process lives");
}

// The thread that held is reaped while no other is known: the next one takes over.
void hold_and_forget(Actor& actor) {
  { const OtherThread thread(actor, actor.task.identity, holding(actor)); }
  ipcell::TaskIdentity stranger = actor.task.identity;
  stranger.pid = getppid();
  stranger.start_time = 1;
  const OtherThread thread(actor, stranger, ipcell::reap_dead_tasks);
}

void add_own(std::vector<Scenario>& scenarios) {
  scenarios.push_back({.name = "undo-join",
                       .setup = set_with({5, 0}),
                       .prepare = hold_and_forget,
                       .operation =
                           [](Actor& actor) {
                             actor.attach();
                             return 0L;
                           },
                       .attaches = true,
                       .verify =
                           [](Actor& actor) {
                             expect_undone(actor);
                             return Outcome::Absent;
                           },
                       .verify_end = ends_with({5, 0}),
                       .is_unordered = true});
  // unshare(CLONE_SYSVSEM) of the only thread is the end of what it holds.
  scenarios.push_back({.name = "undo-unshare",
                       .setup = set_with({5, 0}),
                       .prepare =
                           [](Actor& actor) {
                             actor.expect(actor.semop(0, kHeld) == 0, "the victim cannot begin");
                           },
                       .operation =
                           [](Actor& actor) {
                             ipcell::sys_unshare_undo(actor.task, true);
                             return 0L;
                           },
                       .verify =
                           [](Actor& actor) {
                             const bool is_done = actor.values(0) == Values{5, 0};
                             if (!is_done) expect_undone(actor);
                             return is_done ? Outcome::Whole : Outcome::Absent;
                           },
                       .verify_end = ends_with({5, 0}),
                       .is_unordered = true});
  // A thread that has unshared it ends with what it holds, and its process lives on.
  scenarios.push_back({.name = "undo-apart",
                       .setup = set_with({5, 0}),
                       .prepare = [](Actor& actor) { ipcell::sys_unshare_undo(actor.task, false); },
                       .operation = doing(kHeld),
                       .verify =
                           [](Actor& actor) {
                             const bool lives =
                                 !actor.board.victim.has_ended && !actor.board.is_thread;
                             expect_values(actor, lives ? Values{3, 1} : Values{5, 0},
                                           "after a thread with adjustments of its own");
                             return lives ? Outcome::Whole : Outcome::Absent;
                           },
                       .verify_end = ends_with({5, 0}),
                       .is_unordered = true});
}

}  // namespace

void add_undo_thread_scenarios(std::vector<Scenario>& scenarios) {
  add_outliving(scenarios);
  add_own(scenarios);
}

}  // namespace crash
