#include "tests/crash/mqueue_tools.h"

#include <algorithm>
#include <ctime>

namespace crash {

Messages by_priority(Messages messages) {
  std::stable_sort(messages.begin(), messages.end(),
                   [](const Message& a, const Message& b) { return a.type > b.type; });
  return messages;
}

Messages with(Messages messages, const Message& added) {
  messages.push_back(added);
  return messages;
}

std::function<void(Actor&)> mqueues_with(Messages messages, long most) {
  return [messages, most](Actor& actor) {
    actor.make_mqueue(0, most);
    actor.make_mqueue(1);
    for (const Message& message : messages)
      actor.expect(actor.mq_send(0, message) == 0, "the set-up cannot send");
  };
}

void open_both(Actor& actor) {
  for (int queue : {0, 1})
    actor.expect(actor.open_mqueue(queue) == 0, "queue %d can't be opened", queue);
}

std::function<void(Actor&)> warm_up(const Message& message) {
  return [message](Actor& actor) {
    open_both(actor);
    for (long priority : {1, 2, 3}) {
      Message warm = message;
      warm.type = priority;
      actor.expect(actor.mq_send(1, warm) == 0, "the victim cannot warm up");
    }
    actor.expect(actor.mq_drain(1).size() == 3, "the victim cannot warm up");
    actor.load(message);
  };
}

Outcome expect_mqueue(Actor& actor, const Messages& absent, const Messages& whole) {
  const Messages found = actor.mq_drain(0);
  const bool is_absent = found == by_priority(absent), is_whole = found == by_priority(whole);
  actor.expect(is_absent || is_whole, "the queue holds %zu messages; %zu or %zu would be right",
               found.size(), absent.size(), whole.size());
  return is_whole ? Outcome::Whole : Outcome::Absent;
}

struct timespec shortly() {
  constexpr long kNanoseconds = 40'000'000, kSecond = 1'000'000'000;
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += kNanoseconds;
  if (time.tv_nsec >= kSecond) {
    time.tv_nsec -= kSecond;
    ++time.tv_sec;
  }
  return time;
}

std::function<long(Actor&)> mq_receiver() {
  return [](Actor& actor) {
    open_both(actor);
    return actor.mq_receive(0);
  };
}

std::function<long(Actor&)> mq_sender(const Message& message) {
  return [message](Actor& actor) {
    open_both(actor);
    return actor.mq_send(0, message);
  };
}

void end_without_mqueues(Actor& actor) { actor.expect_no_mqueues(); }

Scenario mq_scenario(const char* name, Messages before, std::function<void(Actor&)> prepare,
                     std::function<long(Actor&)> operation, std::function<Outcome(Actor&)> verify,
                     long most) {
  return {.name = name,
          .setup = mqueues_with(std::move(before), most),
          .prepare = std::move(prepare),
          .operation = std::move(operation),
          .verify = std::move(verify),
          .verify_end = end_without_mqueues};
}

Scenario unordered(Scenario scenario) {
  scenario.is_unordered = true;
  return scenario;
}

}  // namespace crash
