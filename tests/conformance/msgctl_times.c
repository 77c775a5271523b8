/*
 * Which call sets which time: msgget() and IPC_SET ctime, msgsnd() stime, msgrcv() rtime; nothing
 * else does, least of all a call that fails.
 */
#include "msg_check.h"

enum { STIME = 1, RTIME = 2, CTIME = 4 };

/* Just these times are later than before. */
static void check_changed(int id, const struct msqid_ds* before, int changed) {
  struct msqid_ds now = stat_queue(id);
  int later = (now.msg_stime > before->msg_stime ? STIME : 0) |
              (now.msg_rtime > before->msg_rtime ? RTIME : 0) |
              (now.msg_ctime > before->msg_ctime ? CTIME : 0);
  CHECK_EQ(later, changed);
  CHECK(now.msg_stime <= time(NULL) && now.msg_rtime <= time(NULL));
}

int main(void) {
  NEED_MSG_COPY();
  struct message message;
  struct msqid_ds ds, sent_before, received_before, set_before, idle_before;
  int sent = new_queue(), received = new_queue(), set = new_queue(), idle = new_queue();
  const int all[] = {sent, received, set, idle};
  for (int i = 0; i < 4; i++) {
    CHECK_SEND(all[i], 1, "abc");
    CHECK_SEND(all[i], 2, "def");
    CHECK_RECV(all[i], 2, IPC_NOWAIT, 2, "def");
  }
  set_qbytes(idle, 3);
  sent_before = stat_queue(sent);
  received_before = stat_queue(received);
  set_before = stat_queue(set);
  idle_before = stat_queue(idle);
  CHECK(idle_before.msg_stime && idle_before.msg_rtime && idle_before.msg_ctime);
  next_second();

  CHECK_SEND(sent, 1, "abc");
  check_changed(sent, &sent_before, STIME);
  CHECK_RECV(received, 0, IPC_NOWAIT, 1, "abc");
  check_changed(received, &received_before, RTIME);

  /* IPC_SET counts even when it changes nothing. */
  CHECK_EQ(msgctl(set, IPC_SET, &set_before), 0);
  check_changed(set, &set_before, CTIME);

  CHECK_ERRNO(send_sized(idle, 0, 1, 0), EINVAL);
  CHECK_ERRNO(send_sized(idle, 1, 1, IPC_NOWAIT), EAGAIN);
  CHECK_NOTHING(idle, 9);
  CHECK_ERRNO(msgrcv(idle, &message, 1, 0, 0), E2BIG);
  CHECK_RECV(idle, 0, MSG_COPY | IPC_NOWAIT, 1, "abc");
  CHECK_EQ(msgctl(idle, MSG_STAT, &ds), idle);
  ds.msg_perm.uid = -1;
  CHECK_ERRNO(msgctl(idle, IPC_SET, &ds), EINVAL);
  check_changed(idle, &idle_before, 0);

  for (int i = 0; i < 4; i++) REMOVE_QUEUE(all[i]);
}
