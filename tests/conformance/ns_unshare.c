/*
 * unshare(2) with CLONE_NEWIPC: with other flags, refused as a whole, by number; SEM_UNDO is taken
 * back and wakes who waits; the limits are the defaults again.
 */
#include "ns_check.h"
#include <sys/utsname.h>

enum { KEY = 0x6e52 };

int main(void) {
  int set = CHECK_OK(semget(KEY, 1, IPC_CREAT | 0600));
  unsigned long first = OWN_NAMESPACE();
  struct sembuf one = {0, 1, SEM_UNDO}, zero = {0, 0, 0};

  CHECK_ERRNO(unshare(CLONE_NEWIPC | 1), EINVAL);
  CHECK_ERRNO(unshare(CLONE_NEWIPC | CLONE_VFORK), EINVAL);
  CHECK_EQ(OWN_NAMESPACE(), (long long)first);
  CHECK_EQ(semop(set, &one, 1), 0);

  pid_t sleeper = fork_child();
  if (sleeper == 0) {
    CHECK_EQ(semop(set, &zero, 1), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleeper);
  MOVE_TO_NEW();
  CHECK_CHILD(sleeper);
  CHECK_ERRNO(semget(KEY, 0, 0), ENOENT);

  struct seminfo info;
  CHECK_EQ(semctl(0, 0, IPC_INFO, &info), 0);
  CHECK_EQ(info.semmni, 32000);
  CHECK_EQ(info.semmsl, 32000);
  CHECK_EQ(info.semopm, 500);
  struct msginfo messages;
  CHECK_EQ(msgctl(0, IPC_INFO, (struct msqid_ds*)&messages), 0);
  CHECK_EQ(messages.msgmax, 8192);
  CHECK_EQ(messages.msgmnb, 16384);

  /* Each one is new; other namespaces may come along. */
  unsigned long second = OWN_NAMESPACE();
  CHECK(second != first);
  for (int n = 0; n < 5; n++) {
    CHECK_EQ(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), 0);
    CHECK_EQ(unshare(n % 2 ? CLONE_NEWIPC | CLONE_NEWUTS : CLONE_NEWIPC | CLONE_SYSVSEM), 0);
    CHECK(OWN_NAMESPACE() != second);
    second = OWN_NAMESPACE();
  }
  CHECK_EQ(syscall(SYS_unshare, CLONE_NEWIPC), 0);
  CHECK(OWN_NAMESPACE() != second);
  CHECK_ERRNO(msgget(KEY, 0), ENOENT);
}
