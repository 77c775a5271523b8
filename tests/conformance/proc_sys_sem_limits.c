/*
 * /proc/sys/kernel/sem: semmsl, semmns, semopm and semmni, in effect as soon as written. A write
 * may give fewer numbers. One out of range for semmni is ERANGE and keeps semmni, but the numbers
 * before it have changed.
 */
#include "sem_check.h"

static const char path[] = "/proc/sys/kernel/sem";

static void check_limits(const char* want) {
  char text[128];
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, want);
}

static int put(const char* text) {
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  errno = 0;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)strlen(text) ? 0 : -1;
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  check_limits("32000\t1024000000\t500\t32000\n");
  struct sembuf ops[4] = {{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 1, 0}};
  int large = new_set(20);

  CHECK_EQ(put("10 32\t3 4\n"), 0);
  check_limits("10\t32\t3\t4\n");
  struct seminfo info;
  CHECK_OK(semctl(0, 0, SEM_INFO, (union semun){.__buf = &info}));
  CHECK(info.semmsl == 10 && info.semmns == 32 && info.semopm == 3 && info.semmni == 4);
  CHECK_EQ(info.semmap, 1024000000);
  CHECK_EQ(info.semume, 500);

  /* Semaphores of a set, then of all sets together: a set that is too large now stays. */
  CHECK_ERRNO(semget(IPC_PRIVATE, 11, 0600), EINVAL);
  int small = new_set(10);
  CHECK_ERRNO(semget(IPC_PRIVATE, 3, 0600), ENOSPC);
  CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
  int two = new_set(2);
  CHECK_ERRNO(semget(IPC_PRIVATE, 1, 0600), ENOSPC);
  REMOVE_SET(small);
  CHECK_EQ(SEMOP(large, {19, 1, 0}), 0);

  /* Operations of a call. */
  CHECK_EQ(semop(large, ops, 3), 0);
  CHECK_ERRNO(semop(large, ops, 4), E2BIG);

  /* Sets. */
  int third = new_set(1), fourth = new_set(1);
  CHECK_ERRNO(semget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_EQ(put("10 32 3 5"), 0);
  REMOVE_SET(new_set(1));

  CHECK_ERRNO(put("77 88 99 32769"), ERANGE);
  check_limits("77\t88\t99\t5\n");
  CHECK_ERRNO(put("78 88 99 -1"), ERANGE);
  check_limits("78\t88\t99\t5\n");
  CHECK_ERRNO(put("x"), EINVAL);
  CHECK_EQ(put("66 55"), 0);
  check_limits("66\t55\t99\t5\n");
  CHECK_EQ(put("66 55 99 32768"), 0);
  CHECK_EQ(put("32000 1024000000 500 32000"), 0);
  check_limits("32000\t1024000000\t500\t32000\n");

  const int ids[] = {large, two, third, fourth};
  for (int i = 0; i < 4; i++) REMOVE_SET(ids[i]);
}
