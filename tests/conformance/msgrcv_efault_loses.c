/*
 * A buffer that cannot be written gives EFAULT after the message has been taken: it is gone, with
 * all that a receive changes. The same holds for a receiver that slept.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 1, "first");
  CHECK_SEND(id, 2, "second");
  CHECK_ERRNO(msgrcv(id, NULL, 100, 0, 0), EFAULT);
  struct msqid_ds ds = stat_queue(id);
  CHECK_EQ(ds.msg_qnum, 1);
  CHECK_EQ(ds.msg_cbytes, 6);
  CHECK_EQ(ds.msg_lrpid, getpid());
  CHECK(ds.msg_rtime != 0);
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "second");

  /* Room for the type and four letters only: the type arrives, the message is lost. */
  char* end = end_of_memory();
  char* start = end - sizeof(long) - 4;
  long type;
  CHECK_SEND(id, 3, "five5");
  CHECK_ERRNO(msgrcv(id, start, 5, 0, 0), EFAULT);
  memcpy(&type, start, sizeof type);
  CHECK_EQ(type, 3);
  CHECK_NOTHING(id, 0);

  /* What the message does not fill need not be there. */
  CHECK_SEND(id, 4, "four");
  CHECK_EQ(msgrcv(id, start, 8192, 0, 0), 4);
  CHECK(memcmp(start + sizeof type, "four", 4) == 0);

  long page = sysconf(_SC_PAGESIZE);
  CHECK_EQ(mprotect(end - page, page, PROT_READ), 0);
  CHECK_SEND(id, 5, "read-only");
  CHECK_ERRNO(msgrcv(id, end - page, 100, 0, 0), EFAULT);
  CHECK_NOTHING(id, 0);

  pid_t sleeper = fork_child();
  if (sleeper == 0) {
    CHECK_ERRNO(msgrcv(id, NULL, 100, 0, 0), EFAULT);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_SEND(id, 6, "to nowhere");
  CHECK_CHILD(sleeper);
  CHECK_NOTHING(id, 0);
  CHECK_EQ(stat_queue(id).msg_lrpid, sleeper);
  REMOVE_QUEUE(id);
}
