/*
 * Deadlines are times of CLOCK_REALTIME. One that has passed does no harm when nothing need be
 * waited for, else it is ETIMEDOUT at once. A sleeper whose time is up leaves the line: it takes no
 * message and sends none.
 */
#include "mq_check.h"

static bool has_passed(struct timespec deadline) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec > deadline.tv_sec ||
         (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

int main(void) {
  char room[8];
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &(struct timespec){0, 0}), ETIMEDOUT);
  CHECK_EQ(mq_timedsend(mq, "x", 1, 0, &(struct timespec){0, 0}), 0);
  CHECK_ERRNO(mq_timedsend(mq, "y", 1, 0, &(struct timespec){0, 0}), ETIMEDOUT);
  struct timespec just_now = after_ms(0);
  CHECK_ERRNO(mq_timedsend(mq, "y", 1, 0, &just_now), ETIMEDOUT);
  CHECK_EQ(mq_timedreceive(mq, room, sizeof room, NULL, &just_now), 1);

  /* A relative time would be over long before. */
  struct timespec deadline = after_ms(50);
  CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &deadline), ETIMEDOUT);
  CHECK(has_passed(deadline));
  CHECK_SEND(mq, 0, "stays");
  CHECK_CURMSGS(mq, 1);
  deadline = after_ms(50);
  CHECK_ERRNO(mq_timedsend(mq, "never", 5, 9, &deadline), ETIMEDOUT);
  CHECK(has_passed(deadline));
  CHECK_RECEIVE(mq, 0, "stays");
  CHECK_CURMSGS(mq, 0);

  pid_t timed = fork_child();
  if (timed == 0) {
    deadline = after_ms(1000);
    CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &deadline), ETIMEDOUT);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(timed);
  pid_t next = FORK_RECEIVER(mq, 0, "next");
  CHECK_CHILD(timed);
  PAUSE_UNTIL_BLOCKED(next);
  CHECK_SEND(mq, 0, "next");
  CHECK_CHILD(next);
  REMOVE_QUEUE("/q");
}
