/*
 * lspid and lrpid are told in the reader's PID namespace, 0 when the process is not visible there.
 */
#include "msg_check.h"
#include <sched.h>

static void check_pids(int id, pid_t lspid, pid_t lrpid) {
  struct msqid_ds ds = stat_queue(id);
  CHECK_EQ(ds.msg_lspid, lspid);
  CHECK_EQ(ds.msg_lrpid, lrpid);
}

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 1, "from outside");
  CHECK_SEND(id, 2, "also");
  CHECK_RECV(id, 2, IPC_NOWAIT, 2, "also");
  if (unshare(CLONE_NEWPID) != 0) SKIP("needs the right to make a PID namespace");

  pid_t inside = fork_child();
  if (inside == 0) {
    CHECK_EQ(getpid(), 1);
    check_pids(id, 0, 0);
    CHECK_RECV(id, 1, IPC_NOWAIT, 1, "from outside");
    check_pids(id, 0, 1);
    CHECK_SEND(id, 3, "from inside");
    check_pids(id, 1, 1);
    _exit(0);
  }
  CHECK_CHILD(inside);
  check_pids(id, inside, inside);

  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "from inside");
  check_pids(id, inside, getpid());
  REMOVE_QUEUE(id);
}
