/*
 * O_CREAT makes a semaphore with the value, or opens the one that is there and keeps its value;
 * with O_EXCL that is EEXIST. A value above SEM_VALUE_MAX is EINVAL where one is to be made, and is
 * looked at after the name and before EEXIST.
 */
#include "named_check.h"

int main(void) {
  const unsigned too_much = (unsigned)SEM_VALUE_MAX + 1;
  CHECK_NO_SEM(sem_open("/s", 0), ENOENT);
  CHECK_NO_SEM(sem_open("/s", O_EXCL), ENOENT);
  CHECK_NO_SEM(sem_open("/s", O_CREAT, 0600, too_much), EINVAL);
  CHECK_NO_SEM(sem_open("/s", O_CREAT | O_EXCL, 0600, too_much), EINVAL);
  CHECK_NO_SEM(sem_open("a/b", O_CREAT, 0600, too_much), EINVAL);
  CHECK_NO_SEM(sem_open("/s", 0), ENOENT);

  sem_t* sem = NEW_SEM("/s", 5);
  CHECK_VALUE(sem, 5);
  CHECK_NO_SEM(sem_open("/s", O_CREAT | O_EXCL, 0600, 1), EEXIST);
  CHECK_NO_SEM(sem_open("/s", O_CREAT | O_EXCL, 0600, too_much), EINVAL);
  CHECK_VALUE(CHECK_SEM(sem_open("/s", O_CREAT, 0600, 9)), 5);
  CHECK_VALUE(CHECK_SEM(sem_open("/s", O_CREAT, 0600, too_much)), 5);

  const unsigned values[] = {0, 1, 2, SEM_VALUE_MAX};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
    sem_t* other = NEW_SEM("/value", values[i]);
    CHECK_EQ((unsigned)value_of(other), values[i]);
    if (values[i] == SEM_VALUE_MAX) CHECK_ERRNO(sem_post(other), EOVERFLOW);
    if (values[i] == 0) CHECK_ERRNO(sem_trywait(other), EAGAIN);
    CLOSE_SEM(other);
    REMOVE_SEM("/value");
  }

  /* The value stays when nobody has it open. */
  CHECK_EQ(sem_wait(sem), 0);
  for (int i = 0; i < 3; i++) CLOSE_SEM(sem);
  sem = CHECK_SEM(sem_open("/s", 0));
  CHECK_VALUE(sem, 4);

  /* Access modes and other flags are not looked at; a semaphore is for all that it can do. */
  const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_EXCL, O_CLOEXEC, O_NONBLOCK};
  for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
    sem_t* same = CHECK_SEM(sem_open("/s", flags[i]));
    CHECK(same == sem);
    CHECK_EQ(sem_post(same), 0);
    CHECK_EQ(sem_wait(same), 0);
  }
  REMOVE_SEM("/s");
}
