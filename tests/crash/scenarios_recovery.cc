// Recovery inside recovery: the first victim dies somewhere in an operation, the second at each
// instruction of what it does about it, and the survivor finds what both have left. The scenarios
// are those of one victim, with a second one that comes by.
#include "tests/crash/scenario.h"

namespace crash {

namespace {

// Locks everything that is there: meets what the dead holds, settles what it left.
long come_by(Actor& actor) {
  actor.touch();
  return 0;
}

long attach_another(Actor& actor) {
  static ipcell::Task another;
  another.cell = &actor.cell;
  another.cred = actor.task.cred;
  another.identity = actor.task.identity;
  another.addresses = &actor.addresses;
  return ipcell::attach_task(another);
}

struct Pair {
  const char* first;
  const char* second;
  long (*recovery)(Actor&);
};

constexpr Pair kPairs[] = {
    {"get-chain", "come-by", come_by},
    {"get-chain", "reap", reap},
    {"send-small", "come-by", come_by},
    {"send-small", "reap", reap},
    {"send-long", "reap", reap},
    {"send-handoff", "come-by", come_by},
    {"send-handoff", "reap", reap},
    {"send-e2big-all", "come-by", come_by},
    {"heap-first-chunk", "reap", reap},
    {"heap-refill", "reap", reap},
    {"heap-give-back", "come-by", come_by},
    {"receive-middle", "reap", reap},
    {"receive-blocking", "reap", reap},
    {"admit-3", "come-by", come_by},
    {"admit-3", "reap", reap},
    {"set-senders", "come-by", come_by},
    {"rmid-messages", "reap", reap},
    {"rmid-both", "come-by", come_by},
    {"rmid-both", "reap", reap},
    {"interrupt-send", "reap", reap},
    {"reap-waiters", "reap", reap},
    {"rmid-both", "attach", attach_another},
    {"sem-get-large", "reap", reap},
    {"sem-long-failing", "come-by", come_by},
    {"undo-first-large", "reap", reap},
    {"undo-first-large", "attach", attach_another},
    {"block-complex", "come-by", come_by},
    {"block-complex", "reap", reap},
    {"wake-mixed", "come-by", come_by},
    {"wake-unmerge", "reap", reap},
    {"reap-semop", "reap", reap},
    {"interrupt-semop-complex", "come-by", come_by},
    {"setall", "come-by", come_by},
    {"setall", "reap", reap},
    {"sem-rmid-holders", "come-by", come_by},
    {"sem-rmid-holders", "reap", reap},
    {"bury-several", "come-by", come_by},
    {"bury-several", "reap", reap},
    {"bury-many", "come-by", come_by},
    {"bury-wakes-dead", "come-by", come_by},
    {"bury-wakes-dead", "reap", reap},
    {"undo-reap", "come-by", come_by},
    {"undo-reap", "reap", reap},
    {"undo-attach", "attach", attach_another},
    {"undo-witness", "reap", reap},
    {"undo-unshare", "reap", reap},
    {"shm-get", "reap", reap},
    {"shm-get-reserve", "come-by", come_by},
    {"shm-get-abandoned", "reap", reap},
    {"shm-at-first", "come-by", come_by},
    {"shm-at-first", "reap", reap},
    {"shm-at-removed", "reap", reap},
    {"shm-dt-removes", "come-by", come_by},
    {"shm-dt-removes", "reap", reap},
    {"shm-dt-removes", "attach", attach_another},
    {"shm-rmid", "come-by", come_by},
    {"shm-rmid", "reap", reap},
    {"shm-rmid-dead", "reap", reap},
    {"shm-rmid-abandons", "reap", reap},
    {"shm-munmap-middle", "reap", reap},
    {"shm-inherit-unseen", "reap", reap},
    {"shm-reap", "come-by", come_by},
    {"shm-reap", "reap", reap},
    {"shm-reap-removes", "come-by", come_by},
    {"shm-reap-removes", "reap", reap},
    {"shm-exec-join", "reap", reap},
    {"mq-create", "come-by", come_by},
    {"mq-create", "reap", reap},
    {"mq-unlink-last", "come-by", come_by},
    {"mq-unlink-last", "reap", reap},
    {"mq-unlink-dead", "reap", reap},
    {"mq-close-last", "come-by", come_by},
    {"mq-close-last", "reap", reap},
    {"mq-send-higher", "reap", reap},
    {"mq-send-long", "reap", reap},
    {"mq-send-handoff", "come-by", come_by},
    {"mq-send-handoff", "reap", reap},
    {"mq-receive-raise", "reap", reap},
    {"mq-receive-blocking", "reap", reap},
    {"mq-admit-higher", "come-by", come_by},
    {"mq-admit-higher", "reap", reap},
    {"mq-interrupt-send", "reap", reap},
    {"mq-notify-thread", "reap", reap},
    {"mq-watch", "reap", reap},
    {"mq-watched-send", "reap", reap},
    {"mq-reap-all", "reap", reap},
    {"mq-reap-all", "attach", attach_another},
};

}  // namespace

void add_recovery_scenarios(std::vector<Scenario>& scenarios) {
  std::vector<Scenario> added;
  for (const Pair& pair : kPairs) {
    for (const Scenario& first : scenarios) {
      if (first.name != pair.first) continue;
      added.push_back(first);
      added.back().name = "recover-" + first.name + "-" + pair.second;
      added.back().recovery = pair.recovery;
    }
  }
  scenarios.insert(scenarios.end(), added.begin(), added.end());
}

}  // namespace crash
