// mq_open, mq_unlink, the last close, mq_getsetattr, and the sweep of what is left.
#include <mqueue.h>
#include <sys/stat.h>

#include <cerrno>

#include "tests/crash/mqueue_tools.h"

namespace crash {

namespace {

const Messages kMany = {{5, 30, 1}, {5, 0, 0}, {2, 20000, 2}, {9, 100, 3}, {7, 9000, 4}, {2, 1, 5}};

long create_zero(Actor& actor) { return actor.open_mqueue(0, O_RDWR | O_CREAT); }
long unlink_zero(Actor& actor) { return actor.unlink_mqueue(0); }

// It is there and works, or it is not there.
Outcome verify_created(Actor& actor) {
  const long error = actor.open_mqueue(0);
  actor.expect(error == 0 || error == -ENOENT, "mq_open returns %ld", error);
  if (error != 0) return Outcome::Absent;
  const Message message = {3, 77, 9};
  actor.expect(actor.mq_send(0, message) == 0, "the survivor cannot send");
  (void)expect_mqueue(actor, {message}, {message});
  return Outcome::Whole;
}

// By its name or by the survivor's descriptor, it has what it had.
std::function<Outcome(Actor&)> verify_unlinked(bool is_open) {
  return [is_open](Actor& actor) {
    const ipcell::MqueueDescriptor own = actor.mqueues[0];
    const long error = actor.open_mqueue(0);
    actor.expect(error == 0 || error == -ENOENT, "mq_open returns %ld", error);
    if (error == 0 && is_open) actor.close_mqueue(0);
    if (is_open) actor.mqueues[0] = own;
    if (error == 0 || is_open) (void)expect_mqueue(actor, kMany, kMany);
    if (error != 0 && !is_open) {
      const ipcell::u32 count = ipcell::mqueue_table(actor.cell).count;
      actor.expect(count == 1, "there are %u queues beside the other", count - 1);
    }
    return error == 0 ? Outcome::Absent : Outcome::Whole;
  };
}

void setup_closed(Actor& actor) {
  mqueues_with(kMany)(actor);
  actor.close_mqueue(0);
}

void add_opening(std::vector<Scenario>& scenarios) {
  scenarios.push_back({.name = "mq-create",
                       .setup = [](Actor&) {},
                       .operation = create_zero,
                       .verify = verify_created,
                       .verify_end = end_without_mqueues});
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "mq-create-second";
  scenarios.back().setup = [](Actor& actor) { actor.make_mqueue(1); };
  // Others that have no name any more, and nobody: they go first.
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "mq-create-frees";
  scenarios.back().prepare = [](Actor& actor) {
    actor.expect(actor.open_mqueue(1) == 0 && actor.unlink_mqueue(1) == 0, "no mq_unlink");
    ipcell::sys::call(SYS_close, actor.mqueues[1].fd);
  };
  scenarios.back().setup = [](Actor& actor) {
    actor.make_mqueue(1);
    actor.expect(actor.mq_send(1, {1, 9000, 1}) == 0, "the set-up cannot send");
    actor.close_mqueue(1);
  };
  scenarios.push_back(unordered(mq_scenario(
      "mq-open", kMany, [](Actor&) {}, [](Actor& actor) { return actor.open_mqueue(0); },
      [](Actor& actor) {
        (void)expect_mqueue(actor, kMany, kMany);
        return Outcome::Absent;
      })));
}

void add_removing(std::vector<Scenario>& scenarios) {
  scenarios.push_back(mq_scenario(
      "mq-unlink", kMany, [](Actor&) {}, unlink_zero, verify_unlinked(true)));
  scenarios.push_back(mq_scenario(
      "mq-unlink-last", {}, [](Actor&) {}, unlink_zero, verify_unlinked(false)));
  scenarios.back().setup = setup_closed;
  // With sleepers that are dead and not reaped: nobody has it open.
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "mq-unlink-dead";
  scenarios.back().setup = [](Actor& actor) {
    mqueues_with(kMany, static_cast<long>(kMany.size()))(actor);
    actor.close_mqueue(0);
  };
  scenarios.back().sleepers = {mq_sender({3, 9000, 70}), mq_sender({9, 10, 71})};
  scenarios.back().doomed = 2;
  // The victim is the only one that has it open.
  scenarios.push_back(unordered(mq_scenario(
      "mq-close-last", {},
      [](Actor& actor) {
        actor.expect(actor.open_mqueue(0) == 0 && actor.unlink_mqueue(0) == 0, "no mq_unlink");
      },
      [](Actor& actor) { return actor.close_mqueue(0); },
      [](Actor& actor) {
        const ipcell::u32 count = ipcell::mqueue_table(actor.cell).count;
        const bool is_gone = actor.board.victim.has_ended || actor.board.victim.progress >= kDone;
        actor.expect(count == 1 || (count == 2 && !is_gone), "there are %u queues", count);
        return count == 1 ? Outcome::Whole : Outcome::Absent;
      })));
  scenarios.back().setup = setup_closed;
  // A pipe whose maker died before there was a queue.
  scenarios.push_back(mq_scenario(
      "mq-sweep", kMany, [](Actor&) {},
      [](Actor& actor) {
        ipcell::sys_mq_sweep(actor.task);
        return 0L;
      },
      [](Actor& actor) {
        (void)expect_mqueue(actor, kMany, kMany);
        const std::string stray = std::string(actor.task.folder) + "/mq/50";
        struct ::stat info;
        actor.expect(::stat(stray.c_str(), &info) != 0, "the stray pipe is still there");
        return Outcome::Whole;
      }));
  scenarios.back().setup = [](Actor& actor) {
    mqueues_with(kMany)(actor);
    const std::string stray = std::string(actor.task.folder) + "/mq/50";
    actor.expect(mkfifo(stray.c_str(), 0600) == 0, "there can't be a pipe");
  };
}

void add_attributes(std::vector<Scenario>& scenarios) {
  scenarios.push_back(unordered(mq_scenario(
      "mq-getsetattr", kMany, open_both,
      [](Actor& actor) {
        struct mq_attr wanted = {}, old;
        wanted.mq_flags = O_NONBLOCK;
        const long error = ipcell::sys_mq_getsetattr(actor.task, actor.mqueues[0], &wanted, &old);
        return error == 0 ? old.mq_curmsgs : error;
      },
      [](Actor& actor) {
        (void)expect_mqueue(actor, kMany, kMany);
        return Outcome::Absent;
      })));
  scenarios.back().expected = static_cast<long>(kMany.size());
}

}  // namespace

void add_mqueue_open_scenarios(std::vector<Scenario>& scenarios) {
  add_opening(scenarios);
  add_removing(scenarios);
  add_attributes(scenarios);
}

}  // namespace crash
