/*
 * A receiver sleeps while the queue is empty, and gets the next message that anyone sends, from
 * whichever descriptor.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  pid_t receiver = FORK_RECEIVER(mq, 3, "woken");
  mqd_t writer = CHECK_OK(mq_open("/q", O_WRONLY | O_NONBLOCK));
  PAUSE_UNTIL_BLOCKED(receiver);
  CHECK_EQ(mq_send(writer, "woken", 5, 3), 0);
  CHECK_CHILD(receiver);
  CHECK_CURMSGS(mq, 0);

  receiver = FORK_RECEIVER(mq, 0, "");
  CHECK_SEND(mq, 0, "");
  CHECK_CHILD(receiver);

  pid_t sender = fork_child();
  if (sender == 0) {
    mqd_t own = CHECK_OK(mq_open("/q", O_WRONLY));
    CHECK_EQ(mq_send(own, "child", 5, 32767), 0);
    _exit(0);
  }
  char room[8];
  unsigned priority;
  CHECK_EQ(mq_receive(mq, room, sizeof room, &priority), 5);
  CHECK_EQ(priority, 32767);
  CHECK_CHILD(sender);
  REMOVE_QUEUE("/q");
}
