/*
 * Every field of IPC_STAT, after creation and after a send and a receive; the reserved bytes are
 * zero.
 */
#include "msg_check.h"

enum { KEY = 0x10c8 };

static void check_same(const struct msqid_ds* got, const struct msqid_ds* want) {
  CHECK_EQ(got->msg_perm.__key, want->msg_perm.__key);
  CHECK_EQ(got->msg_perm.uid, want->msg_perm.uid);
  CHECK_EQ(got->msg_perm.gid, want->msg_perm.gid);
  CHECK_EQ(got->msg_perm.cuid, want->msg_perm.cuid);
  CHECK_EQ(got->msg_perm.cgid, want->msg_perm.cgid);
  CHECK_EQ(got->msg_perm.mode, want->msg_perm.mode);
  CHECK_EQ(got->msg_perm.__seq, want->msg_perm.__seq);
  CHECK_EQ(got->msg_stime, want->msg_stime);
  CHECK_EQ(got->msg_rtime, want->msg_rtime);
  CHECK_EQ(got->msg_ctime, want->msg_ctime);
  CHECK_EQ(got->msg_cbytes, want->msg_cbytes);
  CHECK_EQ(got->msg_qnum, want->msg_qnum);
  CHECK_EQ(got->msg_qbytes, want->msg_qbytes);
  CHECK_EQ(got->msg_lspid, want->msg_lspid);
  CHECK_EQ(got->msg_lrpid, want->msg_lrpid);
#ifdef __LP64__
  /* A 32-bit libc converts the structure and leaves the padding as it was. */
  CHECK(memcmp(got, want, sizeof *got) == 0);
#endif
}

int main(void) {
  time_t start = time(NULL);
  CHECK_EQ(new_queue(), 0);
  int id = CHECK_OK(msgget(KEY, IPC_CREAT | 0640));
  struct msqid_ds ds = stat_queue(id), want;

  CHECK(ds.msg_ctime >= start && ds.msg_ctime <= time(NULL));
  memset(&want, 0, sizeof want);
  want.msg_perm.__key = KEY;
  want.msg_perm.uid = want.msg_perm.cuid = geteuid();
  want.msg_perm.gid = want.msg_perm.cgid = getegid();
  want.msg_perm.mode = 0640;
  want.msg_qbytes = DEFAULT_MSGMNB;
  want.msg_ctime = ds.msg_ctime;
  check_same(&ds, &want);

  time_t before_send = time(NULL);
  CHECK_SEND(id, 1, "12345");
  CHECK_SEND(id, 1, "678");
  ds = stat_queue(id);
  CHECK(ds.msg_stime >= before_send && ds.msg_stime <= time(NULL));
  want.msg_stime = ds.msg_stime;
  want.msg_lspid = getpid();
  want.msg_qnum = 2;
  want.msg_cbytes = 8;
  check_same(&ds, &want);

  time_t before_receive = time(NULL);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "12345");
  ds = stat_queue(id);
  CHECK(ds.msg_rtime >= before_receive && ds.msg_rtime <= time(NULL));
  want.msg_rtime = ds.msg_rtime;
  want.msg_lrpid = getpid();
  want.msg_qnum = 1;
  want.msg_cbytes = 3;
  check_same(&ds, &want);

  REMOVE_QUEUE(0);
  REMOVE_QUEUE(id);
}
