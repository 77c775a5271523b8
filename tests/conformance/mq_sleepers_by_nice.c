/*
 * The sleeper that stands first is the one of the highest scheduling priority, the nice value
 * included, and of these the longest asleep. It is placed as it goes to sleep: a later
 * setpriority(2) of a sleeper does not move it.
 */
#include "mq_check.h"

static pid_t sleeper(mqd_t mq, int nicer, const char* text, bool sends) {
  pid_t child = fork_child();
  if (child == 0) {
    errno = 0;
    nice(nicer);
    CHECK_EQ(errno, 0);
    if (sends)
      CHECK_EQ(mq_send(mq, text, strlen(text), 0), 0);
    else
      check_receive(__FILE__, __LINE__, mq, 0, text, NULL);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  if (getpriority(PRIO_PROCESS, 0) > 10) SKIP("needs nice values above its own");
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  const struct {
    int nicer;
    const char* text;
  } sleepers[] = {{4, "5th"}, {2, "3rd"}, {0, "1st"}, {2, "4th"}, {0, "2nd"}, {6, "6th"}};
  const int order[] = {2, 4, 1, 3, 0, 5};
  pid_t children[6];
  for (int i = 0; i < 6; i++) children[i] = sleeper(mq, sleepers[i].nicer, sleepers[i].text, false);
  setpriority(PRIO_PROCESS, children[2], 19);
  for (int i = 0; i < 6; i++) {
    CHECK_SEND(mq, 0, sleepers[order[i]].text);
    CHECK_CHILD(children[order[i]]);
  }

  CHECK_SEND(mq, 0, "full");
  for (int i = 0; i < 6; i++) children[i] = sleeper(mq, sleepers[i].nicer, sleepers[i].text, true);
  CHECK_RECEIVE(mq, 0, "full");
  for (int i = 0; i < 6; i++) {
    CHECK_CHILD(children[order[i]]);
    CHECK_RECEIVE(mq, 0, sleepers[order[i]].text);
  }
  REMOVE_QUEUE("/q");
}
