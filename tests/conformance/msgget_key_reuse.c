/*
 * After IPC_RMID the key is free at once and names a new, empty queue with a new id; the old id
 * stays dead.
 */
#include "msg_check.h"

enum { KEY = 0x10c2 };

int main(void) {
  int first = CHECK_OK(msgget(KEY, IPC_CREAT | 0600));
  CHECK_SEND(first, 1, "old");
  set_qbytes(first, 100);
  REMOVE_QUEUE(first);
  CHECK_ERRNO(msgget(KEY, 0600), ENOENT);

  int second = CHECK_OK(msgget(KEY, IPC_CREAT | IPC_EXCL | 0640));
  CHECK_EQ(second, first + 1);
  struct msqid_ds ds = stat_queue(second);
  CHECK_EQ(ds.msg_qnum, 0);
  CHECK_EQ(ds.msg_qbytes, DEFAULT_MSGMNB);
  CHECK_EQ(ds.msg_perm.mode, 0640);
  CHECK_EQ(ds.msg_stime, 0);
  CHECK_EQ(ds.msg_lspid, 0);
  CHECK_NOTHING(second, 0);
  CHECK_ERRNO(msgctl(first, IPC_STAT, &ds), EINVAL);
  REMOVE_QUEUE(second);
}
