/*
 * A name that is opened again gives the same address, and is to be closed as often: then it is
 * unmapped. A name with another number of slashes gives another address of the same semaphore. What
 * is no open named semaphore can't be closed: EINVAL.
 */
#include "named_check.h"

enum { MANY = 300 };

static sem_t unnamed;

int main(void) {
  sem_t* sem = NEW_SEM("/s", 1);
  CHECK(CHECK_SEM(sem_open("/s", 0)) == sem);
  CHECK(CHECK_SEM(sem_open("/s", O_CREAT, 0600, 3)) == sem);
  sem_t* alias = CHECK_SEM(sem_open("s", 0));
  CHECK(alias != sem);
  CHECK_EQ(sem_post(alias), 0);
  CHECK_VALUE(sem, 2);
  CLOSE_SEM(alias);
  CHECK(!is_mapped(alias));
  CHECK_ERRNO(sem_close(alias), EINVAL);

  CLOSE_SEM(sem);
  CLOSE_SEM(sem);
  CHECK_VALUE(sem, 2);
  CLOSE_SEM(sem);
  CHECK(!is_mapped(sem));
  CHECK_ERRNO(sem_close(sem), EINVAL);

  CHECK_EQ(sem_init(&unnamed, 0, 1), 0);
  CHECK_ERRNO(sem_close(&unnamed), EINVAL);
  CHECK_VALUE(&unnamed, 1);
  CHECK_EQ(sem_destroy(&unnamed), 0);
  CHECK_ERRNO(sem_close((sem_t*)main), EINVAL);

  /* Each has a place of its own. */
  sem_t* sems[MANY];
  char name[32];
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "/many-%d", i);
    sems[i] = NEW_SEM(name, i);
  }
  for (int i = MANY - 1; i >= 0; i--) {
    snprintf(name, sizeof name, "/many-%d", i);
    CHECK(CHECK_SEM(sem_open(name, 0)) == sems[i]);
    CHECK_VALUE(sems[i], i);
    CLOSE_SEM(sems[i]);
    REMOVE_SEM(name);
    CLOSE_SEM(sems[i]);
    CHECK(!is_mapped(sems[i]));
  }
  REMOVE_SEM("/s");
}
