/* msgget() by key: IPC_CREAT, IPC_EXCL, ENOENT and EEXIST; IPC_EXCL alone means nothing. */
#include "msg_check.h"

enum { KEY = 0x10c0 };

int main(void) {
  CHECK_ERRNO(msgget(KEY, 0600), ENOENT);
  CHECK_ERRNO(msgget(KEY, IPC_EXCL | 0600), ENOENT);

  CHECK_EQ(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), 0);
  CHECK_ERRNO(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
  CHECK_EQ(msgget(KEY, IPC_EXCL | 0600), 0);
  CHECK_EQ(msgget(KEY, 0), 0);

  /* Another key is another queue, even one that differs only in the sign bit. */
  CHECK_EQ(msgget(KEY | INT_MIN, IPC_CREAT | IPC_EXCL | 0600), 1);
  CHECK_EQ(msgget(-1, IPC_CREAT | 0600), 2);
  CHECK_EQ(stat_queue(2).msg_perm.__key, -1);

  for (int id = 0; id < 3; id++) REMOVE_QUEUE(id);
  CHECK_ERRNO(msgget(KEY, 0600), ENOENT);
}
