/*
 * An id of a removed queue is EINVAL in every call, also when a new queue has its index (EIDRM is
 * for sleepers only), and so is an id that never was.
 */
#include "msg_check.h"

static void check_dead(int id) {
  struct message message = {.type = 1};
  struct msqid_ds ds;
  memset(&ds, 0, sizeof ds);
  CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINVAL);
  CHECK_ERRNO(msgsnd(id, &message, 1, IPC_NOWAIT), EINVAL);
  CHECK_ERRNO(msgrcv(id, &message, 1, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(id, &message, 1, 0, IPC_NOWAIT), EINVAL);
  CHECK_ERRNO(msgrcv(id, &message, 1, 0, IPC_NOWAIT | MSG_COPY), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_SET, &ds), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_RMID, NULL), EINVAL);
}

int main(void) {
  NEED_MSG_COPY();
  check_dead(0);
  int id = new_queue();
  REMOVE_QUEUE(id);
  check_dead(id);

  for (int i = 1; i < 64; i++) REMOVE_QUEUE(new_queue());
  int same_index = new_queue();
  CHECK_EQ(same_index, id + SEQUENCE);
  check_dead(id);
  check_dead(same_index + SEQUENCE);
  check_dead(-1);
  check_dead(INT_MIN);
  check_dead(INT_MAX);

  CHECK_SEND(same_index, 1, "alive");
  CHECK_RECV(same_index, 0, IPC_NOWAIT, 1, "alive");
  REMOVE_QUEUE(same_index);
}
