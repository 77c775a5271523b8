/*
 * The namespace holds 32000 queues: then ENOSPC, but only where a queue would have to be made.
 * Indexes run on to 32767 before the first free one is used again.
 */
#include "msg_check.h"

enum { KEY = 0x10c3 };

int main(void) {
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
  for (int i = 1; i < DEFAULT_MSGMNI; i++)
    if (msgget(IPC_PRIVATE, 0600) != i)
      FAIL("queue %d: expected that id, got another (%s)", i, strerrorname_np(errno));

  CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
  CHECK_ERRNO(msgget(KEY + 1, IPC_CREAT | 0600), ENOSPC);
  CHECK_ERRNO(msgget(KEY + 1, 0600), ENOENT);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
  CHECK_ERRNO(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), EEXIST);

  struct msginfo info;
  CHECK_EQ(msgctl(0, MSG_INFO, (struct msqid_ds*)&info), DEFAULT_MSGMNI - 1);
  CHECK_EQ(info.msgpool, DEFAULT_MSGMNI);

  /* One out, one in. */
  REMOVE_QUEUE(5);
  for (int i = DEFAULT_MSGMNI; i < SEQUENCE; i++) {
    CHECK_EQ(new_queue(), i);
    CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
    REMOVE_QUEUE(i);
  }
  CHECK_EQ(new_queue(), SEQUENCE + 5);

  for (int i = 0; i < DEFAULT_MSGMNI; i++) REMOVE_QUEUE(i == 5 ? SEQUENCE + 5 : i);
  CHECK_EQ(msgctl(0, MSG_INFO, (struct msqid_ds*)&info), 0);
  CHECK_EQ(info.msgpool, 0);
}
