// What the scenarios of POSIX queues have in common. Queue 0 is the one that everything happens to;
// queue 1 is for warming up, and for sleepers that are not to be served.
#pragma once

#include "tests/crash/scenario.h"

namespace crash {

// In the order in which they are received: by priority (`type`), and then by age.
Messages by_priority(Messages messages);
Messages with(Messages messages, const Message& added);

// Makes both queues; in queue 0, one after the other, `messages`.
std::function<void(Actor&)> mqueues_with(Messages messages, long most = 10);
// Opens both, sends and receives as much as a task needs to have free blocks, and loads `message`.
std::function<void(Actor&)> warm_up(const Message& message);
void open_both(Actor& actor);
// The queue has the one or the other, in the order in which they were sent.
Outcome expect_mqueue(Actor& actor, const Messages& absent, const Messages& whole);
// So long from now on; a victim comes to sleep before.
struct timespec shortly();
// Sleepers at queue 0.
std::function<long(Actor&)> mq_receiver();
std::function<long(Actor&)> mq_sender(const Message& message);
void end_without_mqueues(Actor& actor);

// A scenario that ends without queues.
Scenario mq_scenario(const char* name, Messages before, std::function<void(Actor&)> prepare,
                     std::function<long(Actor&)> operation, std::function<Outcome(Actor&)> verify,
                     long most = 10);
Scenario unordered(Scenario scenario);

}  // namespace crash
