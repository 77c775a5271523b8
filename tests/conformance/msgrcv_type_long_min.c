/*
 * LONG_MIN, which has no positive counterpart, selects as -LONG_MAX does: the lowest type of all,
 * LONG_MAX included.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  const long lowest_of_all[] = {LONG_MIN, LONG_MIN + 1};
  for (int i = 0; i < 2; i++) {
    long typ = lowest_of_all[i];
    CHECK_SEND(id, LONG_MAX, "max");
    CHECK_SEND(id, LONG_MAX - 1, "less");
    CHECK_SEND(id, 5, "five");
    CHECK_RECV(id, typ, IPC_NOWAIT, 5, "five");
    CHECK_NOTHING(id, -(LONG_MAX - 2));
    CHECK_RECV(id, typ, IPC_NOWAIT, LONG_MAX - 1, "less");
    CHECK_NOTHING(id, -(LONG_MAX - 1));
    CHECK_RECV(id, typ, IPC_NOWAIT, LONG_MAX, "max");
    CHECK_NOTHING(id, typ);

    pid_t receiver = FORK_RECEIVER(id, typ, 0, LONG_MAX, "awaited");
    CHECK_SEND(id, LONG_MAX, "awaited");
    CHECK_CHILD(receiver);
  }
#if LONG_MAX > INT_MAX
  /* INT_MIN is an ordinary number: types up to 2^31. */
  CHECK_SEND(id, 0x80000001, "above");
  CHECK_NOTHING(id, INT_MIN);
  CHECK_SEND(id, 0x80000000, "equal");
  CHECK_RECV(id, INT_MIN, IPC_NOWAIT, 0x80000000, "equal");
#endif
  REMOVE_QUEUE(id);
}
