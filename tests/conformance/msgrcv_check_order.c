/*
 * Which error msgrcv() gives when several apply. The order: negative id or size EINVAL; no such
 * queue EINVAL; no read permission EACCES; no message ENOMSG; too long E2BIG; and only at the end
 * is the buffer looked at: EFAULT.
 */
#include "msg_check.h"

enum { STRANGER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  int id = new_queue();
  volatile size_t minus_one = -1, most_negative = (size_t)LONG_MIN;

  CHECK_ERRNO(msgrcv(-1, NULL, 1, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, minus_one, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, most_negative, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(NO_SUCH_ID, NULL, 1, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, 1, 0, IPC_NOWAIT), ENOMSG);

  CHECK_SEND(id, 1, "abc");
  CHECK_ERRNO(msgrcv(id, NULL, minus_one, 0, IPC_NOWAIT | MSG_NOERROR), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, 2, 0, 0), E2BIG);
  CHECK_ERRNO(msgrcv(id, NULL, 2, 5, IPC_NOWAIT), ENOMSG);

  if (can_become_others()) {
    set_mode(id, 0222);
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      CHECK_ERRNO(msgrcv(id, NULL, minus_one, 0, 0), EINVAL);
      CHECK_ERRNO(msgrcv(id, NULL, 2, 0, 0), EACCES);
      CHECK_ERRNO(msgrcv(id, NULL, 2, 5, 0), EACCES);
      CHECK_ERRNO(msgrcv(id, NULL, 2, 5, IPC_NOWAIT), EACCES);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "abc");
  REMOVE_QUEUE(id);
}
