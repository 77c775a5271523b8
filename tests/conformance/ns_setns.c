/*
 * setns(2): by an open /proc/PID/ns/ipc or by a pidfd; what it refuses; that it takes back what
 * SEM_UNDO promises, even into the namespace where the caller is.
 */
#include "ns_check.h"
#include <linux/nsfs.h>
#include <sys/ioctl.h>

enum { KEY = 0x6e51 };

static int value_of(int id) { return CHECK_OK(semctl(id, 0, GETVAL)); }

int main(void) {
  int set = CHECK_OK(semget(KEY, 1, IPC_CREAT | 0600));
  int own = open_namespace();
  struct sembuf take = {0, 1, SEM_UNDO};

  /* A child stays in a namespace of its own. */
  int* stage = shared_memory(2 * sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    if (unshare(CLONE_NEWIPC) != 0) {
      announce(stage, 9);
      _exit(errno == EPERM ? 0 : 1);
    }
    CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
    announce(stage, 1);
    await(stage, 2);
    _exit(0);
  }
  await(stage, 1);
  if (stage[0] == 9) SKIP("needs the right to unshare the IPC namespace");
  int pidfd = pidfd_of(child);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/ipc", child);
  int other = CHECK_OK(open(path, O_RDONLY));

  CHECK_ERRNO(setns(-1, CLONE_NEWIPC), EBADF);
  int path_only = CHECK_OK(open(path, O_PATH));
  CHECK_ERRNO(setns(path_only, CLONE_NEWIPC), EBADF);
  CHECK_ERRNO(ioctl(path_only, NS_GET_NSTYPE), EBADF);
  close(path_only);
  CHECK_ERRNO(setns(own, CLONE_NEWUTS), EINVAL);
  CHECK_ERRNO(setns(own, CLONE_NEWIPC | CLONE_NEWUTS), EINVAL);
  int file = CHECK_OK(open("/dev/null", O_RDONLY));
  CHECK_ERRNO(setns(file, CLONE_NEWIPC), EINVAL);
  CHECK_ERRNO(setns(file, 0), EINVAL);
  CHECK_ERRNO(setns(pidfd, 0), EINVAL);
  CHECK_ERRNO(setns(pidfd, CLONE_NEWIPC | 1), EINVAL);
  close(file);
  CHECK_ERRNO(msgget(KEY, 0), ENOENT);

  CHECK_EQ(semop(set, &take, 1), 0);
  CHECK_EQ(value_of(set), 1);
  CHECK_EQ(setns(own, CLONE_NEWIPC), 0);
  CHECK_EQ(value_of(set), 0);
  CHECK_EQ(semop(set, &take, 1), 0);
  CHECK_EQ(setns(other, CLONE_NEWIPC), 0);
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_ERRNO(semget(KEY, 0, 0), ENOENT);
  CHECK_EQ(OWN_NAMESPACE(), (long long)NAMESPACE_OF(path));
  CHECK_EQ(setns(own, 0), 0);
  CHECK_EQ(value_of(set), 0);

  CHECK_EQ(setns(pidfd, CLONE_NEWIPC), 0);
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_EQ(setns(own, CLONE_NEWIPC), 0);
  /* Other namespaces come along. */
  CHECK_EQ(setns(pidfd, CLONE_NEWIPC | CLONE_NEWUTS), 0);
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_EQ(setns(own, CLONE_NEWIPC), 0);

  /* By number; and an open one outlives the process. */
  CHECK_EQ(syscall(SYS_setns, other, CLONE_NEWIPC), 0);
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_EQ(syscall(SYS_setns, own, CLONE_NEWIPC), 0);
  announce(stage, 2);
  CHECK_CHILD(child);
  CHECK_ERRNO(setns(pidfd, CLONE_NEWIPC), ESRCH);
  CHECK_EQ(setns(other, CLONE_NEWIPC), 0);
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_EQ(msgctl(0, IPC_RMID, NULL), 0);
  CHECK_EQ(setns(own, CLONE_NEWIPC), 0);
  CHECK_OK(semctl(set, 0, IPC_RMID));
}
