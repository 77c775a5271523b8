/*
 * A receiver whose memory can't be written gets EFAULT, and the message is gone; so with the memory
 * for the priority, which is written first. Only the message's bytes are written, not all the room.
 */
#include "mq_check.h"

int main(void) {
  char room[8] = "--------";
  char* bad = end_of_memory();
  unsigned priority = 99;
  mqd_t mq = NEW_QUEUE("/q", 3, 8);
  CHECK_SEND(mq, 3, "lost");
  CHECK_SEND(mq, 2, "lost too");
  CHECK_SEND(mq, 1, "kept");
  CHECK_ERRNO(mq_receive(mq, bad, 8, &priority), EFAULT);
  CHECK_EQ(priority, 3);
  CHECK_CURMSGS(mq, 2);
  CHECK_ERRNO(mq_receive(mq, room, 8, (unsigned*)bad), EFAULT);
  CHECK_EQ(room[0], '-');
  CHECK_CURMSGS(mq, 1);
  CHECK_EQ(mq_receive(mq, bad - 4, 8, &priority), 4);
  CHECK_EQ(memcmp(bad - 4, "kept", 4), 0);

  CHECK_SEND(mq, 0, "");
  CHECK_EQ(mq_receive(mq, bad, 8, NULL), 0);

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_ERRNO(mq_receive(mq, no_memory(), 8, NULL), EFAULT);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 1, "lost");
  CHECK_CHILD(child);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
