/*
 * kernel.shm_rmid_forced and threads that leave their namespace: by unshare(2) what they made there
 * is nobody's from then on, also when they come back; by setns(2) it is still theirs.
 */
#include "ns_check.h"

static void force(const char* text) {
  int fd = CHECK_OK(open("/proc/sys/kernel/shm_rmid_forced", O_WRONLY));
  CHECK_EQ(write(fd, text, strlen(text)), (long long)strlen(text));
  close(fd);
}

static int segments(void) {
  struct shm_info info;
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  return info.used_ids;
}

int main(void) {
  if (access("/proc/sys/kernel/shm_rmid_forced", W_OK) != 0) SKIP("needs to write to the limits");
  int first = open_namespace();
  CHECK_EQ(shmget(IPC_PRIVATE, 100, 0600), 0);
  CHECK_EQ(shmget(IPC_PRIVATE, 100, 0600), 1);
  char* attached = shmat(1, NULL, 0);
  CHECK(attached != (void*)-1);
  force("1");
  CHECK_EQ(segments(), 2);
  MOVE_TO_NEW();
  CHECK_EQ(shmget(IPC_PRIVATE, 100, 0600), 0);
  int second = open_namespace();
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  CHECK_EQ(segments(), 1);
  CHECK_EQ(shmdt(attached), 0);
  CHECK_EQ(segments(), 0);

  /* There it is not forced, until now. */
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  CHECK_EQ(segments(), 1);
  int mine = CHECK_OK(shmget(IPC_PRIVATE, 100, 0600));
  force("1");
  CHECK_EQ(segments(), 2);
  MOVE_TO_NEW();
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  CHECK_EQ(segments(), 0);
  CHECK_ERRNO(shmctl(mine, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
}
