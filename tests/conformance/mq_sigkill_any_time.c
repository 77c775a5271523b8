/*
 * Processes that are killed while they send and receive, at any moment, leave a queue that works:
 * each message whole, its count right, no one stuck.
 */
#include "mq_check.h"

enum { ROUNDS = 40, LENGTH = 64 };

static void shovel(mqd_t mq, unsigned seed) {
  char text[LENGTH];
  unsigned priority;
  for (;;) {
    seed = seed * 1103515245 + 12345;
    memset(text, 'a' + (seed >> 16) % 26, sizeof text);
    struct timespec deadline = after_ms(2);
    if (seed >> 24 & 1)
      mq_timedsend(mq, text, sizeof text, (seed >> 16) % 26, &deadline);
    else if (mq_timedreceive(mq, text, sizeof text, &priority, &deadline) == sizeof text)
      for (int i = 0; i < LENGTH; i++) CHECK_EQ(text[i], 'a' + (int)priority);
  }
}

int main(void) {
  char text[LENGTH];
  mqd_t mq = NEW_QUEUE("/q", 4, LENGTH);
  for (unsigned round = 0; round < ROUNDS; round++) {
    pid_t children[3];
    for (int i = 0; i < 3; i++)
      if ((children[i] = fork_child()) == 0) shovel(mq, round * 3 + i);
    sleep_ms(1 + round % 5);
    for (int i = 0; i < 3; i++) KILL_CHILD(children[i]);

    long count = attributes(mq).mq_curmsgs;
    CHECK_STATUS(mq, count * LENGTH, 0, 0, 0);
    unsigned priority, last = MQ_PRIORITIES;
    for (long i = 0; i < count; i++) {
      CHECK_EQ(mq_timedreceive(mq, text, sizeof text, &priority, &the_past), LENGTH);
      CHECK(priority <= last);
      for (int at = 0; at < LENGTH; at++) CHECK_EQ(text[at], 'a' + (int)priority);
      last = priority;
    }
    CHECK_CURMSGS(mq, 0);
  }
  REMOVE_QUEUE("/q");
}
