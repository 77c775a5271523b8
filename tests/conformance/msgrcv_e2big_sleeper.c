/*
 * A sleeping receiver whose buffer is too small is woken with E2BIG; the message goes on to the
 * next in the line, or into the queue. With MSG_NOERROR the sleeper gets the first bytes.
 */
#include "msg_check.h"

static pid_t fork_small(int id) {
  pid_t child = fork_child();
  if (child == 0) {
    struct message message;
    CHECK_ERRNO(msgrcv(id, &message, 2, 0, 0), E2BIG);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  int id = new_queue();
  pid_t alone = fork_small(id);
  CHECK_SEND(id, 1, "abc");
  CHECK_CHILD(alone);
  struct msqid_ds ds = stat_queue(id);
  CHECK_EQ(ds.msg_qnum, 1);
  CHECK_EQ(ds.msg_lrpid, 0);
  CHECK_EQ(ds.msg_rtime, 0);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "abc");

  pid_t first = fork_small(id);
  pid_t second = fork_small(id);
  pid_t other = FORK_RECEIVER(id, 9, 0, 9, "");
  pid_t roomy = FORK_RECEIVER(id, 0, 0, 2, "abc");
  pid_t last = fork_small(id);
  CHECK_SEND(id, 2, "abc");
  CHECK_CHILD(first);
  CHECK_CHILD(second);
  CHECK_CHILD(roomy);
  PAUSE_UNTIL_BLOCKED(other);
  PAUSE_UNTIL_BLOCKED(last);
  CHECK_EQ(stat_queue(id).msg_qnum, 0);
  CHECK_EQ(stat_queue(id).msg_lrpid, roomy);
  CHECK_EQ(send_sized(id, 9, 0, 0), 0);
  CHECK_CHILD(other);
  KILL_CHILD(last);

  pid_t truncating = fork_child();
  if (truncating == 0) {
    struct message message = {.text = "####"};
    CHECK_EQ(msgrcv(id, &message, 2, 0, MSG_NOERROR), 2);
    CHECK_TEXT(message.text, "ab##");
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(truncating);
  CHECK_SEND(id, 3, "abc");
  CHECK_CHILD(truncating);
  CHECK_NOTHING(id, 0);
  REMOVE_QUEUE(id);
}
