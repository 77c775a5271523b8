/*
 * typ < 0 takes the lowest type that is <= |typ|, |typ| itself included, and of equal types the
 * oldest.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 3, "a");
  CHECK_SEND(id, 2, "b");
  CHECK_SEND(id, 3, "c");
  CHECK_SEND(id, 2, "d");
  CHECK_SEND(id, 9, "e");
  CHECK_SEND(id, 1, "f");
  CHECK_SEND(id, 1, "g");

  CHECK_RECV(id, -1, IPC_NOWAIT, 1, "f");
  CHECK_RECV(id, -3, IPC_NOWAIT, 1, "g");
  CHECK_NOTHING(id, -1);
  CHECK_RECV(id, -2, IPC_NOWAIT, 2, "b");
  CHECK_RECV(id, -8, IPC_NOWAIT, 2, "d");
  CHECK_NOTHING(id, -2);
  CHECK_RECV(id, -3, IPC_NOWAIT, 3, "a");
  CHECK_RECV(id, -9, IPC_NOWAIT, 3, "c");
  CHECK_NOTHING(id, -8);
  CHECK_RECV(id, -9, IPC_NOWAIT, 9, "e");
  CHECK_NOTHING(id, -9);
  REMOVE_QUEUE(id);
}
