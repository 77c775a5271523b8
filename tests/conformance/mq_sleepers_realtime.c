/*
 * A sleeper of SCHED_FIFO stands before all ordinary ones, one of a higher priority before one of a
 * lower.
 */
#include "mq_check.h"
#include <sched.h>

static pid_t receiver(mqd_t mq, int priority, const char* text) {
  pid_t child = fork_child();
  if (child == 0) {
    struct sched_param param = {.sched_priority = priority};
    if (priority && sched_setscheduler(0, SCHED_FIFO, &param) != 0)
      SKIP("needs the right to SCHED_FIFO");
    check_receive(__FILE__, __LINE__, mq, 0, text, NULL);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  const struct {
    int priority;
    const char* text;
  } sleepers[] = {{0, "4th"}, {1, "2nd"}, {2, "1st"}, {1, "3rd"}, {0, "5th"}};
  const int order[] = {2, 1, 3, 0, 4};
  pid_t children[5];
  for (int i = 0; i < 5; i++) children[i] = receiver(mq, sleepers[i].priority, sleepers[i].text);
  for (int i = 0; i < 5; i++) {
    CHECK_SEND(mq, 0, sleepers[order[i]].text);
    CHECK_CHILD(children[order[i]]);
  }
  REMOVE_QUEUE("/q");
}
