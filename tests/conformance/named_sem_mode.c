/*
 * A new semaphore has the mode that was asked for, without the umask's bits, and its maker's owner;
 * one that was there keeps its own. The file is a sem_t long.
 */
#include "named_check.h"

static void check_mode(mode_t mask, mode_t mode, mode_t want) {
  umask(mask);
  CHECK_SEM(sem_open("/mode", O_CREAT | O_EXCL, mode, 1));
  struct stat status = status_of_sem("/mode");
  umask(0);
  CHECK_EQ(status.st_mode, S_IFREG | want);
  CHECK_EQ(status.st_uid, geteuid());
  CHECK_EQ(status.st_nlink, 1);
  CHECK_EQ(status.st_size, (long)sizeof(sem_t));
  sem_t* sem = sem_open("/mode", O_CREAT, 0777, 1);
  if (sem != SEM_FAILED) CHECK_EQ(status_of_sem("/mode").st_mode, S_IFREG | want);
  REMOVE_SEM("/mode");
}

int main(void) {
  check_mode(0, 0600, 0600);
  check_mode(0, 0666, 0666);
  check_mode(022, 0666, 0644);
  check_mode(077, 0777, 0700);
  check_mode(0, 0400, 0400);
  check_mode(0, 0, 0);
  check_mode(0777, 0666, 0);
}
