/*
 * A message that a receiver sleeps for is given to it within msgsnd(): the queue never holds it and
 * nobody who comes later, not even the sender at once, can take it first.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  for (int i = 0; i < 20; i++) {
    pid_t sleeper = FORK_RECEIVER(id, 0, 0, 1 + i, "for the sleeper");
    struct message stolen;
    CHECK_SEND(id, 1 + i, "for the sleeper");
    CHECK_ERRNO(msgrcv(id, &stolen, sizeof stolen.text, 0, IPC_NOWAIT), ENOMSG);
    struct msqid_ds ds = stat_queue(id);
    CHECK_EQ(ds.msg_qnum, 0);
    CHECK_EQ(ds.msg_cbytes, 0);
    CHECK_EQ(ds.msg_lspid, getpid());
    CHECK_EQ(ds.msg_lrpid, sleeper);
    CHECK(ds.msg_rtime != 0);
    CHECK_CHILD(sleeper);
  }

  /* What is handed over takes no room: four times the queue's capacity goes through at once. */
  set_qbytes(id, 4);
  pid_t sleepers[4];
  for (int i = 0; i < 4; i++) sleepers[i] = FORK_RECEIVER(id, 0, 0, 1, "full");
  for (int i = 0; i < 4; i++) CHECK_SEND(id, 1, "full");
  for (int i = 0; i < 4; i++) CHECK_CHILD(sleepers[i]);
  CHECK_EQ(stat_queue(id).msg_qnum, 0);
  REMOVE_QUEUE(id);
}
