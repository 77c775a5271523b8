/*
 * IPC_SET changes uid, gid, the nine mode bits and qbytes, and nothing else that the structure
 * holds.
 */
#include "msg_check.h"

int main(void) {
  NEED_ROOT();
  int id = CHECK_OK(msgget(0x10c9, IPC_CREAT | 0600));
  CHECK_SEND(id, 1, "abc");
  struct msqid_ds before = stat_queue(id), set, after;

  memset(&set, 0x5a, sizeof set);
  set.msg_perm.uid = 4242;
  set.msg_perm.gid = 4343;
  set.msg_perm.mode = 0xfe00 | 0251;
  set.msg_qbytes = 77;
  CHECK_EQ(msgctl(id, IPC_SET, &set), 0);

  after = stat_queue(id);
  struct msqid_ds want = before;
  want.msg_perm.uid = 4242;
  want.msg_perm.gid = 4343;
  want.msg_perm.mode = 0251;
  want.msg_qbytes = 77;
  want.msg_ctime = after.msg_ctime;
  CHECK(memcmp(&after, &want, sizeof after) == 0);
  CHECK(after.msg_ctime >= before.msg_ctime);

  /* 4294967294 is a user, 4294967295 is none. Nothing changes when it is refused. */
  set.msg_perm.uid = set.msg_perm.gid = -2;
  CHECK_EQ(msgctl(id, IPC_SET, &set), 0);
  CHECK_EQ(stat_queue(id).msg_perm.uid, 4294967294u);
  set.msg_qbytes = 99;
  set.msg_perm.mode = 0777;
  set.msg_perm.uid = -1;
  CHECK_ERRNO(msgctl(id, IPC_SET, &set), EINVAL);
  set.msg_perm.uid = 0;
  set.msg_perm.gid = -1;
  CHECK_ERRNO(msgctl(id, IPC_SET, &set), EINVAL);
  after = stat_queue(id);
  CHECK_EQ(after.msg_qbytes, 77);
  CHECK_EQ(after.msg_perm.mode, 0251);
  CHECK_EQ(after.msg_perm.uid, 4294967294u);

  /* The key still finds it. */
  CHECK_EQ(msgget(0x10c9, 0), id);
  REMOVE_QUEUE(id);
}
