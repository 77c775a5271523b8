/*
 * IPC_INFO: the limits. SEM_INFO: the same with the number of sets in semusz and of semaphores in
 * semaem. Both return the highest index in use, 0 when there is none.
 */
#include "sem_check.h"

static void check_info(int highest, int sets, int semaphores) {
  struct seminfo info;
  const struct seminfo want = {.semmap = 1024000000,
                               .semmni = DEFAULT_SEMMNI,
                               .semmns = 1024000000,
                               .semmnu = 1024000000,
                               .semmsl = DEFAULT_SEMMSL,
                               .semopm = DEFAULT_SEMOPM,
                               .semume = 500,
                               .semusz = 20,
                               .semvmx = 32767,
                               .semaem = 32767};
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(semctl(0, 0, IPC_INFO, (union semun){.__buf = &info}), highest);
  CHECK(memcmp(&info, &want, sizeof info) == 0);

  struct seminfo used = want;
  used.semusz = sets;
  used.semaem = semaphores;
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(semctl(INT_MAX, -1, SEM_INFO, (union semun){.__buf = &info}), highest);
  CHECK(memcmp(&info, &used, sizeof info) == 0);
}

int main(void) {
  check_info(0, 0, 0);
  CHECK_EQ(new_set(3), 0);
  check_info(0, 1, 3);
  for (int i = 1; i < 5; i++) CHECK_EQ(new_set(10 * i), i);
  check_info(4, 5, 103);

  /* Neither values nor undo structures count. */
  pid_t holder = FORK_HOLDER(1, {0, 5, SEM_UNDO});
  check_info(4, 5, 103);
  KILL_CHILD(holder);

  REMOVE_SET(2);
  check_info(4, 4, 83);
  REMOVE_SET(4);
  check_info(3, 3, 43);
  REMOVE_SET(3);
  check_info(1, 2, 13);
  REMOVE_SET(0);
  check_info(1, 1, 10);
  CHECK_EQ(new_set(1), 5);
  check_info(5, 2, 11);
  REMOVE_SET(5);
  REMOVE_SET(1);
  check_info(0, 0, 0);
  CHECK_ERRNO(semctl(-1, 0, SEM_INFO, (union semun){0}), EINVAL);
  CHECK_ERRNO(semctl(-1, 0, IPC_INFO, (union semun){0}), EINVAL);
  CHECK_ERRNO(semctl(0, 0, SEM_INFO, (union semun){.__buf = NULL}), EFAULT);
}
