/*
 * A message goes to the first sleeper in the line that would take it, not to the one that asks most
 * precisely.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  pid_t exact_5 = FORK_RECEIVER(id, 5, 0, 5, "e");
  pid_t up_to_4 = FORK_RECEIVER(id, -4, 0, 4, "a");
  pid_t not_5 = FORK_RECEIVER(id, 5, MSG_EXCEPT, 4, "c");
  pid_t exact_4 = FORK_RECEIVER(id, 4, 0, 4, "f");
  pid_t any = FORK_RECEIVER(id, 0, 0, 9, "d");
  pid_t also_not_5 = FORK_RECEIVER(id, 5, MSG_EXCEPT, 1, "g");

  CHECK_SEND(id, 4, "a");
  CHECK_CHILD(up_to_4);
  CHECK_SEND(id, 4, "c");
  CHECK_CHILD(not_5);
  CHECK_SEND(id, 9, "d");
  CHECK_CHILD(any);
  CHECK_SEND(id, 5, "e");
  CHECK_CHILD(exact_5);
  CHECK_SEND(id, 5, "left over");
  CHECK_SEND(id, 4, "f");
  CHECK_CHILD(exact_4);
  PAUSE_UNTIL_BLOCKED(also_not_5);
  CHECK_SEND(id, 1, "g");
  CHECK_CHILD(also_not_5);

  CHECK_RECV(id, 0, IPC_NOWAIT, 5, "left over");
  CHECK_NOTHING(id, 0);
  REMOVE_QUEUE(id);
}
