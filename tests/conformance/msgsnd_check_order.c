/*
 * Which error msgsnd() gives when several apply. The order: type unreadable EFAULT; size, negative
 * id, type EINVAL; text unreadable EFAULT; no such queue EINVAL; no write permission EACCES; no
 * room EAGAIN.
 */
#include "msg_check.h"

enum { OWNER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  int id = new_queue();
  set_qbytes(id, 0);
  struct message good = {.type = 1}, bad_type = {.type = 0};
  char* end = end_of_memory();
  long* type_only = (long*)(end - sizeof(long));

  CHECK_ERRNO(msgsnd(-1, NULL, DEFAULT_MSGMAX + 1, 0), EFAULT);
  CHECK_ERRNO(msgsnd(NO_SUCH_ID, NULL, 1, 0), EFAULT);
  CHECK_ERRNO(msgsnd(id, end, 0, 0), EFAULT);

  *type_only = 1;
  CHECK_ERRNO(msgsnd(-1, type_only, 1, 0), EINVAL);
  CHECK_ERRNO(msgsnd(id, type_only, DEFAULT_MSGMAX + 1, 0), EINVAL);
  *type_only = 0;
  CHECK_ERRNO(msgsnd(id, type_only, 1, 0), EINVAL);

  *type_only = 1;
  CHECK_ERRNO(msgsnd(NO_SUCH_ID, type_only, 1, 0), EFAULT);
  CHECK_ERRNO(msgsnd(id, type_only, 1, IPC_NOWAIT), EFAULT);
  CHECK_ERRNO(msgsnd(NO_SUCH_ID, type_only, 0, 0), EINVAL);
  CHECK_ERRNO(msgsnd(id, type_only, 0, IPC_NOWAIT), EAGAIN);

  CHECK_ERRNO(msgsnd(NO_SUCH_ID, &good, 1, IPC_NOWAIT), EINVAL);
  CHECK_ERRNO(msgsnd(id, &bad_type, 1, IPC_NOWAIT), EINVAL);
  CHECK_ERRNO(msgsnd(id, &good, 1, IPC_NOWAIT), EAGAIN);

  if (can_become_others()) {
    set_mode(id, 0444);
    pid_t child = fork_child();
    if (child == 0) {
      become(OWNER, OWNER, 0);
      CHECK_ERRNO(msgsnd(id, &bad_type, 1, IPC_NOWAIT), EINVAL);
      CHECK_ERRNO(msgsnd(id, type_only, 1, IPC_NOWAIT), EFAULT);
      CHECK_ERRNO(msgsnd(id, &good, 1, IPC_NOWAIT), EACCES);
      CHECK_ERRNO(msgsnd(id, &good, 1, 0), EACCES);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  REMOVE_QUEUE(id);
}
