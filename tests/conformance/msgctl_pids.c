/*
 * lspid and lrpid: the last process that sent or received with success. A blocked call counts when
 * it goes through; a message handed to a sleeper makes the sleeper the last receiver.
 */
#include "msg_check.h"

static void check_pids(int id, pid_t lspid, pid_t lrpid) {
  struct msqid_ds ds = stat_queue(id);
  CHECK_EQ(ds.msg_lspid, lspid);
  CHECK_EQ(ds.msg_lrpid, lrpid);
}

int main(void) {
  NEED_MSG_COPY();
  int id = new_queue();
  set_qbytes(id, 4);
  check_pids(id, 0, 0);

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_SEND(id, 1, "full");
    _exit(0);
  }
  CHECK_CHILD(child);
  check_pids(id, child, 0);

  /* Failures leave no name. */
  CHECK_ERRNO(send_sized(id, 1, 1, IPC_NOWAIT), EAGAIN);
  CHECK_NOTHING(id, 2);
  CHECK_RECV(id, 0, IPC_NOWAIT | MSG_COPY, 1, "full");
  check_pids(id, child, 0);

  pid_t sender = FORK_SENDER(id, 2, "next");
  check_pids(id, child, 0);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "full");
  CHECK_CHILD(sender);
  check_pids(id, sender, getpid());

  pid_t receiver = FORK_RECEIVER(id, 3, 0, 3, "");
  check_pids(id, sender, getpid());
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "next");
  CHECK_EQ(send_sized(id, 3, 0, 0), 0);
  check_pids(id, getpid(), receiver);
  CHECK_CHILD(receiver);
  check_pids(id, getpid(), receiver);
  REMOVE_QUEUE(id);
}
