#include <signal.h>
#include <unistd.h>

#include <string>

#include "tests/crash/scenario.h"

namespace crash {

namespace {

std::string tags_of(const Messages& messages) {
  std::string text;
  for (const Message& message : messages)
    text += (text.empty() ? "" : ",") + std::to_string(message.tag);
  return text;
}

}  // namespace

Outcome expect_either(Actor& actor, int queue, const Messages& absent, const Messages& whole) {
  const Messages found = actor.drain(queue);
  actor.expect(found == absent || found == whole,
               "the queue holds the messages [%s]; [%s] or [%s] would be right",
               tags_of(found).c_str(), tags_of(absent).c_str(), tags_of(whole).c_str());
  return found == whole ? Outcome::Whole : Outcome::Absent;
}

void expect_messages(Actor& actor, int queue, const Messages& expected) {
  (void)expect_either(actor, queue, expected, expected);
}

std::function<void(Actor&)> queue_with(Messages messages, unsigned long qbytes) {
  return [messages, qbytes](Actor& actor) {
    actor.cell.header().limits.msgmax = kMaxText;
    actor.make_queue(0);
    actor.make_queue(1);
    if (qbytes != 0) actor.set_qbytes(0, qbytes);
    actor.set_qbytes(1, kMaxText);
    for (const Message& message : messages) {
      actor.expect(actor.send(0, message, IPC_NOWAIT) == 0, "the set-up cannot send");
    }
  };
}

std::function<void(Actor&)> warm_and_load(const Message& message) {
  return [message](Actor& actor) {
    actor.expect(actor.send(1, message) == 0, "the victim cannot warm up");
    actor.expect(actor.receive(1, kMaxText) >= 0, "the victim cannot warm up");
    actor.load(message);
  };
}

std::function<long(Actor&)> receiver(std::uint32_t size, long type) {
  return [size, type](Actor& actor) { return actor.receive(0, size, type); };
}

std::function<long(Actor&)> sender(const Message& message) {
  return [message](Actor& actor) { return actor.send(0, message); };
}

long reap(Actor& actor) {
  ipcell::reap_dead_tasks(actor.task);
  return 0;
}

long attach_and_reap(Actor& actor) {
  actor.attach();
  return reap(actor);
}

long kill_sleeper(Actor& actor) {
  const Slate& sleeper = actor.board.sleepers[0];
  kill(sleeper.pid, SIGKILL);
  for (int tries = 0; tries < 1000; ++tries) {
    if (ipcell::is_token_dead(actor.cell.task(sleeper.slot)->token)) return 0;
    usleep(100);
  }
  return -1;
}

long wait_in_new_slot(Actor& actor) {
  actor.attach();
  return actor.receive(1, 8192);
}

// The slot's new owner has none of what its predecessor was given.
void serve_new_slot(Actor& actor) {
  actor.let_sleepers_go();
  actor.expect(actor.send(1, {1, 11, 3}) == 0, "the survivor cannot send");
  const long result = actor.result_of_contender(2);
  actor.expect(result == 11, "the slot's new owner returned %ld and not 11", result);
}

std::function<Outcome(Actor&)> unchanged(Messages messages) {
  return [messages](Actor& actor) {
    expect_messages(actor, 0, messages);
    return Outcome::Absent;
  };
}

}  // namespace crash
