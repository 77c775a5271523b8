// Attachers that have died, or whose memory has ended by exec(2), and who reaps them.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/ipc/sysctl.h"
#include "tests/crash/shm_tools.h"
#include "tests/crash/tracee.h"

namespace crash {

namespace {

// ---------------------------------------------------------------- reaping

Scenario reaping(const char* name, std::function<long(Actor&)> operation) {
  Scenario scenario = attaching(name, [](Actor&) {}, std::move(operation), {});
  scenario.sleepers = {[](Actor& actor) {
                         actor.expect(actor.attach_segment(1) == 0, "a sleeper cannot attach");
                         return attacher(2)(actor);
                       },
                       attacher()};
  scenario.doomed = 2;
  scenario.setup = [](Actor& actor) {
    segment_zero(actor);
    actor.make_segment(1, kSegmentPages);
  };
  scenario.verify = [](Actor& actor) {
    expect_attached(actor, {});
    actor.expect(actor.attached(1) == 0, "of the other segment the dead keep something");
    actor.check_text_of(1, kSegmentPages);
    return Outcome::Absent;
  };
  return scenario;
}

// The dead were the last who had a removed segment.
Scenario reaping_removed(const char* name, std::function<long(Actor&)> operation) {
  return {.name = name,
          .setup = segment_zero,
          .sleepers = {attacher(),
                       [](Actor& actor) {
                         attach_and_remove(actor);
                         return attacher()(actor);
                       }},
          .doomed = 2,
          .operation = std::move(operation),
          .verify =
              [](Actor& actor) {
                expect_gone(actor);
                expect_no_segments(actor);
                return Outcome::Absent;
              },
          .is_unordered = true};
}

long become_task(Actor& actor) {
  actor.attach();
  return 0;
}

void add_reaping(std::vector<Scenario>& scenarios) {
  scenarios.push_back(reaping("shm-reap", reap));
  scenarios.push_back(reaping("shm-reap-attach", become_task));
  scenarios.back().attaches = true;
  scenarios.push_back(reaping_removed("shm-reap-removes", reap));
  scenarios.push_back(reaping_removed("shm-reap-attach-removes", become_task));
  scenarios.back().attaches = true;
  // Several find out at once.
  const auto attach_and_look = [](Actor& actor) {
    actor.attach();
    return stat_zero(actor);
  };
  for (const bool is_pause : {true, false}) {
    scenarios.push_back(reaping(is_pause ? "pause-shm-dead" : "contend-shm-dead", stat_zero));
    scenarios.back().contenders = {attach_and_look, attach_and_reap};
    scenarios.back().contenders_attach = false;
    scenarios.back().is_pause = is_pause;
    scenarios.push_back(
        reaping_removed(is_pause ? "pause-shm-removes" : "contend-shm-removes", reap));
    scenarios.back().contenders = {attach_and_look, attach_and_reap};
    scenarios.back().contenders_attach = false;
    scenarios.back().is_pause = is_pause;
  }
}

// ---------------------------------------------------------------- exec(2)

// A thread of the actor's process, and of an image of its own, that has segment 0 attached.
class OldImage {
 public:
  OldImage(Actor& actor, bool is_execing) : actor_(actor), is_execing_(is_execing) {
    task_.cell = &actor.cell;
    task_.cred = actor.task.cred;
    task_.clock = actor.task.clock;
    task_.identity = actor.task.identity;
    task_.identity.image = actor.task.identity.image + 1;
    addresses_.file.set_file(actor.cell, actor.addresses.file.path());
    task_.addresses = &addresses_;
    actor.expect(pthread_create(&thread_, nullptr, run, this) == 0, "no thread");
    while (!is_attached_) sched_yield();
  }
  ~OldImage() {
    may_end_ = true;
    while (pthread_tryjoin_np(thread_, nullptr) != 0) sched_yield();
  }
  OldImage(const OldImage&) = delete;
  OldImage& operator=(const OldImage&) = delete;

  ipcell::u32 slot() const { return task_.slot; }

 private:
  static void* run(void* self) {
    auto& old = *static_cast<OldImage*>(self);
    Actor& actor = old.actor_;
    old.task_.identity.tid = gettid();
    actor.expect(ipcell::attach_task(old.task_) == 0, "a thread's task cannot attach");
    const long result = ipcell::sys_shmat(old.task_, actor.board.segments[0], nullptr, 0);
    actor.expect(result > 0, "a thread cannot attach: %ld", result);
    if (old.is_execing_) ipcell::store_relaxed(old.task_.rec->is_execing, 1u);
    old.is_attached_ = true;
    while (!old.may_end_) usleep(100);
    return nullptr;
  }

  Actor& actor_;
  bool is_execing_;
  ipcell::Task task_;
  ipcell::AddressMap addresses_;
  pthread_t thread_;
  std::atomic<bool> is_attached_ = false, may_end_ = false;
};

// A sleeper whose image ends while its process lives, when it is let go on.
long sleep_in_exec(Actor& actor) {
  {
    const OldImage old(actor, true);
    actor.me.slot = old.slot();
    kill(getpid(), SIGSTOP);
  }
  kill(getpid(), SIGSTOP);
  return 0;
}

void end_image_of_sleeper(Actor& actor) {
  const Slate& sleeper = actor.board.sleepers[0];
  kill(sleeper.pid, SIGCONT);
  const ipcell::Token& token = actor.cell.task(sleeper.slot)->token;
  while (!ipcell::is_token_dead(token) || thread_state(sleeper.pid) != 'T') sched_yield();
}

void add_exec(std::vector<Scenario>& scenarios) {
  // The process's first task of its new image meets what the old one had.
  scenarios.push_back(attaching("shm-exec-join",
                                [](Actor& actor) { const OldImage old(actor, false); }, become_task,
                                {0, 1, 0}));
  scenarios.back().attaches = true;
  for (const bool looks : {true, false}) {
    scenarios.push_back(attaching(looks ? "shm-exec-look" : "shm-exec-reap", end_image_of_sleeper,
                                  looks ? stat_zero : reap, {}));
    scenarios.back().sleepers = {sleep_in_exec};
  }
}

// ---------------------------------------------------------------- kernel.shm_rmid_forced

long force_removal(Actor& actor) {
  const ipcell::u32 number = ipcell::find_sysctl("kernel.shm_rmid_forced", 22);
  return ipcell::sys_sysctl_write(actor.task, number, "1", 1, 0);
}

void must_force_removal(Actor& actor) {
  actor.expect(force_removal(actor) == 1, "kernel.shm_rmid_forced cannot be set");
}

// A sleeper made segment 0, and is dead.
Scenario orphaned(const char* name, void (*prepare)(Actor&), long (*operation)(Actor&),
                  long expected) {
  return {.name = name,
          .setup = [](Actor&) {},
          .sleepers = {[](Actor& actor) {
            segment_zero(actor);
            kill(getpid(), SIGSTOP);
            return 0L;
          }},
          .doomed = 1,
          .prepare = prepare,
          .operation = operation,
          .expected = expected,
          .verify =
              [](Actor& actor) {
                const bool is_forced = ipcell::is_removal_forced(actor.cell);
                must_force_removal(actor);
                expect_gone(actor);
                expect_no_segments(actor);
                return is_forced ? Outcome::Whole : Outcome::Absent;
              },
          .is_unordered = true};
}

void add_forced(std::vector<Scenario>& scenarios) {
  scenarios.push_back({.name = "shm-forced-detach",
                       .setup =
                           [](Actor& actor) {
                             segment_zero(actor);
                             must_force_removal(actor);
                           },
                       .prepare = attach_before(1),
                       .operation = detach_place,
                       .verify = goes_with_victim(),
                       .is_unordered = true});
  // As unshare(2) leaves a namespace; the maker is the victim.
  scenarios.push_back({.name = "shm-forced-leave",
                       .setup = [](Actor&) {},
                       .prepare =
                           [](Actor& actor) {
                             segment_zero(actor);
                             must_force_removal(actor);
                           },
                       .operation =
                           [](Actor& actor) {
                             ipcell::sys_leave_segments(actor.task);
                             return 0L;
                           },
                       .verify = goes_with_victim(),
                       .is_unordered = true});
  scenarios.push_back(orphaned("shm-forced-look", must_force_removal, stat_zero, -EINVAL));
  scenarios.push_back(orphaned(
      "shm-forced-set", [](Actor&) {}, force_removal, 1));
}

}  // namespace

void add_shm_death_scenarios(std::vector<Scenario>& scenarios) {
  add_forced(scenarios);
  add_reaping(scenarios);
  add_exec(scenarios);
}

}  // namespace crash
