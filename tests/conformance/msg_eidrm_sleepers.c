/*
 * IPC_RMID wakes every sleeping receiver and sender with EIDRM; messages in the queue are gone,
 * later calls get EINVAL.
 */
#include "msg_check.h"

enum { SLEEPERS = 3 };

int main(void) {
  int id = CHECK_OK(msgget(0x10c6, IPC_CREAT | 0600));
  set_qbytes(id, 4);
  CHECK_SEND(id, 1, "full");

  pid_t sleepers[2 * SLEEPERS];
  for (int i = 0; i < 2 * SLEEPERS; i++) {
    sleepers[i] = fork_child();
    if (sleepers[i] == 0) {
      struct message message = {.type = 77};
      if (i < SLEEPERS)
        CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 2 + i, 0), EIDRM);
      else
        CHECK_ERRNO(send_sized(id, 2, 1, 0), EIDRM);
      CHECK_EQ(message.type, 77);
      CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 0, 0), EINVAL);
      CHECK_ERRNO(send_sized(id, 2, 1, 0), EINVAL);
      _exit(0);
    }
    PAUSE_UNTIL_BLOCKED(sleepers[i]);
  }

  REMOVE_QUEUE(id);
  /* The key is free at once, whatever the sleepers still do. */
  CHECK_EQ(msgget(0x10c6, IPC_CREAT | IPC_EXCL | 0600), id + 1);
  for (int i = 0; i < 2 * SLEEPERS; i++) CHECK_CHILD(sleepers[i]);
  CHECK_EQ(stat_queue(id + 1).msg_qnum, 0);
  REMOVE_QUEUE(id + 1);
}
