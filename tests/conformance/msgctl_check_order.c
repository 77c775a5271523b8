/*
 * Which error msgctl() gives when several apply. Negative id or command EINVAL first. IPC_STAT,
 * MSG_STAT: no such queue EINVAL, EACCES, bad buffer EFAULT. IPC_SET: EFAULT, EINVAL, EPERM.
 * IPC_RMID: EINVAL, EPERM, the buffer ignored. An unknown command is EINVAL.
 */
#include "msg_check.h"

enum { STRANGER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  int id = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  struct msqid_ds ds;

  CHECK_ERRNO(msgctl(-1, IPC_SET, NULL), EINVAL);
  CHECK_ERRNO(msgctl(-1, IPC_STAT, NULL), EINVAL);
  CHECK_ERRNO(msgctl(id, -1, NULL), EINVAL);
  CHECK_ERRNO(msgctl(id, INT_MIN, &ds), EINVAL);
  CHECK_ERRNO(msgctl(NO_SUCH_ID, IPC_STAT, NULL), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_STAT, NULL), EFAULT);
  CHECK_ERRNO(msgctl(NO_SUCH_ID, IPC_SET, NULL), EFAULT);
  CHECK_ERRNO(msgctl(id, IPC_SET, NULL), EFAULT);
  CHECK_ERRNO(msgctl(NO_SUCH_ID, IPC_INFO, NULL), EFAULT);

#ifdef __LP64__
  /* The structure must be accessible as a whole, to the byte (a 32-bit libc converts a copy). */
  char* end = end_of_memory();
  struct msqid_ds* whole = (struct msqid_ds*)(end - sizeof ds);
  struct msqid_ds* short_by_8 = (struct msqid_ds*)((char*)whole + 8);
  CHECK_EQ(msgctl(id, IPC_STAT, whole), 0);
  CHECK_EQ(msgctl(id, IPC_SET, whole), 0);
  CHECK_ERRNO(msgctl(id, IPC_STAT, short_by_8), EFAULT);
  CHECK_ERRNO(msgctl(id, IPC_SET, short_by_8), EFAULT);
#endif

  /* Commands of other calls, and none. 18 is semctl's SEM_STAT. */
  const int unknown[] = {4, 10, 14, 18, 99, 0x200, INT_MAX};
  for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    CHECK_ERRNO(msgctl(id, unknown[i], &ds), EINVAL);
    CHECK_ERRNO(msgctl(NO_SUCH_ID, unknown[i], NULL), EINVAL);
  }

  if (can_become_others()) {
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      CHECK_ERRNO(msgctl(id, IPC_STAT, NULL), EACCES);
      CHECK_ERRNO(msgctl(id % SEQUENCE, MSG_STAT, NULL), EACCES);
      CHECK_ERRNO(msgctl(id % SEQUENCE, MSG_STAT_ANY, NULL), EFAULT);
      CHECK_ERRNO(msgctl(id, IPC_SET, NULL), EFAULT);
      CHECK_ERRNO(msgctl(id, IPC_RMID, NULL), EPERM);
      CHECK_ERRNO(msgctl(NO_SUCH_ID, IPC_RMID, NULL), EINVAL);
      CHECK_ERRNO(msgctl(id, 99, NULL), EINVAL);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
#ifdef __LP64__
  CHECK_EQ(msgctl(id, IPC_RMID, (struct msqid_ds*)-1), 0);
#else
  REMOVE_QUEUE(id);
#endif
}
