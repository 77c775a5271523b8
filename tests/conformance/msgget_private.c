/* IPC_PRIVATE makes a new queue each time, whatever the flags, and no key finds it. */
#include "msg_check.h"

int main(void) {
  CHECK_EQ(msgget(IPC_PRIVATE, 0), 0);
  CHECK_EQ(msgget(IPC_PRIVATE, IPC_CREAT | 0600), 1);
  CHECK_EQ(msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0600), 2);
  CHECK_EQ(msgget(IPC_PRIVATE, IPC_EXCL | 0600), 3);

  CHECK_EQ(stat_queue(1).msg_perm.__key, IPC_PRIVATE);
  CHECK_EQ(stat_queue(1).msg_perm.mode, 0600);

  CHECK_SEND(1, 7, "mine");
  CHECK_NOTHING(2, 0);
  CHECK_RECV(1, 0, IPC_NOWAIT, 7, "mine");

  for (int id = 0; id < 4; id++) REMOVE_QUEUE(id);
}
