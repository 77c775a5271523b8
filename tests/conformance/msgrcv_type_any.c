/* typ 0 takes the oldest message, typ > 0 the oldest of just that type, all 64 bits of it. */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 3, "a");
  CHECK_SEND(id, 1, "b");
  CHECK_SEND(id, 3, "c");
  CHECK_SEND(id, 2, "d");
  CHECK_SEND(id, 1, "e");

  CHECK_NOTHING(id, 4);
  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "b");
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "a");
  CHECK_RECV(id, 2, IPC_NOWAIT, 2, "d");
  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "e");
  CHECK_NOTHING(id, 1);
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "c");
  CHECK_NOTHING(id, 0);

#if LONG_MAX > INT_MAX
  CHECK_SEND(id, 0x100000005, "long");
  CHECK_NOTHING(id, 5);
  CHECK_NOTHING(id, 0x200000005);
  CHECK_RECV(id, 0x100000005, IPC_NOWAIT, 0x100000005, "long");
#endif
  CHECK_SEND(id, LONG_MAX, "longest");
  CHECK_RECV(id, LONG_MAX, IPC_NOWAIT, LONG_MAX, "longest");
  REMOVE_QUEUE(id);
}
