/*
 * What msgsnd() takes: types from 1 to LONG_MAX, sizes from 0 to msgmax; EINVAL beyond, even in an
 * empty queue.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  volatile size_t minus_one = -1, most_negative = (size_t)LONG_MIN;
  static struct message message;

  for (long type = 0; type >= -2; type--) {
    message.type = type;
    CHECK_ERRNO(msgsnd(id, &message, 1, IPC_NOWAIT), EINVAL);
  }
  message.type = LONG_MIN;
  CHECK_ERRNO(msgsnd(id, &message, 1, IPC_NOWAIT), EINVAL);
  message.type = LONG_MAX;
  CHECK_EQ(msgsnd(id, &message, DEFAULT_MSGMAX, IPC_NOWAIT), 0);
  message.type = 1;
  CHECK_EQ(msgsnd(id, &message, 0, IPC_NOWAIT), 0);
  CHECK_ERRNO(msgsnd(id, &message, DEFAULT_MSGMAX + 1, IPC_NOWAIT), EINVAL);
  CHECK_ERRNO(msgsnd(id, &message, minus_one, IPC_NOWAIT), EINVAL);
  CHECK_ERRNO(msgsnd(id, &message, most_negative, IPC_NOWAIT), EINVAL);
  CHECK_EQ(stat_queue(id).msg_qnum, 2);

  /* A message within msgmax that can never fit this queue is no error, it waits. */
  set_qbytes(id, 10);
  CHECK_ERRNO(msgsnd(id, &message, 11, IPC_NOWAIT), EAGAIN);

  CHECK_EQ(msgrcv(id, &message, DEFAULT_MSGMAX, 0, IPC_NOWAIT), DEFAULT_MSGMAX);
  CHECK_EQ(message.type, LONG_MAX);
  REMOVE_QUEUE(id);
}
