/*
 * An open semaphore keeps no descriptor, so that it works on when all are closed; to open one takes
 * one, EMFILE.
 */
#include "named_check.h"
#include <sys/resource.h>

int main(void) {
  int before = dup(0);
  close(before);
  sem_t* sem = NEW_SEM("/s", 1);
  sem_t* other = CHECK_SEM(sem_open("//s", 0));
  CHECK_EQ(dup(0), before);
  CHECK_OK(close_range(3, ~0u, 0));
  CHECK_EQ(sem_wait(sem), 0);
  CHECK_EQ(sem_post(other), 0);
  CHECK_VALUE(sem, 1);

  struct rlimit limit = {3, 3};
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_NO_SEM(sem_open("/s", 0), EMFILE);
  CHECK_NO_SEM(sem_open("/new", O_CREAT, 0600, 1), EMFILE);
  CHECK_ERRNO(shm_open("/memory", O_CREAT | O_RDWR, 0600), EMFILE);
  CHECK_EQ(sem_wait(sem), 0);
  CLOSE_SEM(sem);
  CLOSE_SEM(other);
  REMOVE_SEM("/s");
  CHECK_ERRNO(sem_unlink("/new"), ENOENT);
  CHECK_ERRNO(shm_unlink("/memory"), ENOENT);
}
