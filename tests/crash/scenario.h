// A scenario: what happens before a victim's operation, the operation, and how to tell whether it
// happened. The driver (run.h) does the rest, once for each instruction of the operation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/crash/actor.h"

namespace crash {

struct Scenario {
  std::string name;
  // The survivor's, first of all: makes the queues.
  std::function<void(Actor&)> setup;
  // Processes that sleep in an operation when the victim begins, one after the other.
  std::vector<std::function<long(Actor&)>> sleepers = {};
  // So many of them, the first, are killed when the victim stands at its marker: it meets them
  // unreaped.
  int doomed = 0;
  // Nobody waits for the doomed: they stay zombies.
  bool are_zombies = false;
  // The victim's, before the marker, and between the markers. It has a task, unless it `attaches`.
  std::function<void(Actor&)> prepare = [](Actor&) {};
  std::function<long(Actor&)> operation;
  bool attaches = false;
  // A signal handler is the operation: it comes when the victim sleeps in `prepare`.
  bool is_signalled = false;
  // The driver has a task: nobody who maps the cell is unknown.
  bool is_driver_known = false;
  // What `operation` returns when nobody dies.
  long expected = 0;
  // The survivor's, when the victim has gone to sleep: lets it go on.
  std::function<void(Actor&)> awaken = nullptr;
  // Processes that start when the victim stands at its last instruction, and meet it there.
  std::vector<std::function<long(Actor&)>> contenders = {};
  // False: they attach by themselves, and may get a slot that was freed meanwhile.
  bool contenders_attach = true;
  // So many of them, the last, go on sleeping until the survivor serves them.
  int lingering = 0;
  // The victim is not killed: it goes on after the contenders have had their time.
  bool is_pause = false;
  // The second victim's operation, on what the first has left.
  std::function<long(Actor&)> recovery = nullptr;
  // The survivor's, at once after the death; for holders that must go on first.
  std::function<void(Actor&)> after_death = [](Actor&) {};
  // The survivor's: was it absent or whole? Sleepers are stopped until it lets them go.
  std::function<Outcome(Actor&)> verify;
  // The survivor's, when all the others are gone.
  std::function<void(Actor&)> verify_end = [](Actor&) {};
  // Not run unless asked for by name: it is wrong on purpose.
  bool is_self_test = false;
  // Its victim goes through all of /proc: run with --all, or if asked for by name.
  bool is_long = false;
  // The outcome may differ from what the order of instructions says (other processes take part).
  bool is_unordered = false;
};

void add_get_scenarios(std::vector<Scenario>& scenarios);
void add_send_scenarios(std::vector<Scenario>& scenarios);
void add_heap_scenarios(std::vector<Scenario>& scenarios);
void add_receive_scenarios(std::vector<Scenario>& scenarios);
void add_admission_scenarios(std::vector<Scenario>& scenarios);
void add_control_scenarios(std::vector<Scenario>& scenarios);
void add_fault_scenarios(std::vector<Scenario>& scenarios);
void add_task_scenarios(std::vector<Scenario>& scenarios);
void add_contention_scenarios(std::vector<Scenario>& scenarios);
void add_pause_scenarios(std::vector<Scenario>& scenarios);
void add_pause_sem_scenarios(std::vector<Scenario>& scenarios);
void add_sem_get_scenarios(std::vector<Scenario>& scenarios);
void add_sem_op_scenarios(std::vector<Scenario>& scenarios);
void add_sem_block_scenarios(std::vector<Scenario>& scenarios);
void add_sem_wake_scenarios(std::vector<Scenario>& scenarios);
void add_sem_control_scenarios(std::vector<Scenario>& scenarios);
void add_undo_scenarios(std::vector<Scenario>& scenarios);
void add_undo_task_scenarios(std::vector<Scenario>& scenarios);
void add_undo_thread_scenarios(std::vector<Scenario>& scenarios);
void add_shm_get_scenarios(std::vector<Scenario>& scenarios);
void add_shm_attach_scenarios(std::vector<Scenario>& scenarios);
void add_shm_control_scenarios(std::vector<Scenario>& scenarios);
void add_shm_remap_scenarios(std::vector<Scenario>& scenarios);
void add_shm_fork_scenarios(std::vector<Scenario>& scenarios);
void add_shm_inherit_scenarios(std::vector<Scenario>& scenarios);
void add_shm_death_scenarios(std::vector<Scenario>& scenarios);
void add_mqueue_open_scenarios(std::vector<Scenario>& scenarios);
void add_mqueue_send_scenarios(std::vector<Scenario>& scenarios);
void add_mqueue_receive_scenarios(std::vector<Scenario>& scenarios);
void add_mqueue_watch_scenarios(std::vector<Scenario>& scenarios);
void add_mqueue_death_scenarios(std::vector<Scenario>& scenarios);
void add_self_test_scenarios(std::vector<Scenario>& scenarios);
void add_recovery_scenarios(std::vector<Scenario>& scenarios);

// --- what many of them use (scenario_tools.cc)

using Messages = std::vector<Message>;

// Takes all messages out of the queue, which must be one of the two lists.
Outcome expect_either(Actor& actor, int queue, const Messages& absent, const Messages& whole);
void expect_messages(Actor& actor, int queue, const Messages& expected);
// Queue 0, and queue 1 for warming up; in queue 0, one after the other, `messages`.
std::function<void(Actor&)> queue_with(Messages messages, unsigned long qbytes = 0);
// A message of that size was sent and received before: the task keeps free blocks.
std::function<void(Actor&)> warm_and_load(const Message& message);
// A sleeper that receives, or sends.
std::function<long(Actor&)> receiver(std::uint32_t size, long type = 0);
std::function<long(Actor&)> sender(const Message& message);
// Reaps all that are dead; the second attaches before.
long reap(Actor& actor);
long attach_and_reap(Actor& actor);
// Contenders that do away with sleeper 0 while the victim serves it: kills it, and is the new owner
// of its slot, who waits for queue 1 until the survivor calls serve_new_slot().
long kill_sleeper(Actor& actor);
long wait_in_new_slot(Actor& actor);
void serve_new_slot(Actor& actor);
// A read-only operation's verify: the messages are what they were.
std::function<Outcome(Actor&)> unchanged(Messages messages);

}  // namespace crash
