/*
 * GETALL and SETALL move all values at once, as unsigned shorts. SETALL is refused as a whole when
 * one value is above 32767; it sets the pid of all semaphores, changed or not.
 */
#include "sem_check.h"

enum { MANY = 1000 };

int main(void) {
  int id = new_set(4);
  unsigned short values[] = {1, 0, 32767, 5}, got[5] = {9, 9, 9, 9, 9};
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0);
  CHECK_EQ(semctl(id, 0, GETALL, (union semun){.array = got}), 0);
  CHECK(memcmp(got, values, sizeof values) == 0);
  CHECK_EQ(got[4], 9);
  for (int i = 0; i < 4; i++) CHECK_PID(id, i, getpid());

  pid_t child = fork_child();
  if (child == 0) {
    unsigned short refused[][4] = {{2, 2, 2, 32768}, {65535, 2, 2, 2}, {2, 40000, 2, 2}};
    for (int i = 0; i < 3; i++)
      CHECK_ERRNO(semctl(id, 0, SETALL, (union semun){.array = refused[i]}), ERANGE);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_EQ(semctl(id, 0, GETALL, (union semun){.array = got}), 0);
  CHECK(memcmp(got, values, sizeof values) == 0);
  for (int i = 0; i < 4; i++) CHECK_PID(id, i, getpid());

  child = fork_child();
  if (child == 0) {
    CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  for (int i = 0; i < 4; i++) CHECK_PID(id, i, child);

  /* A large set, to the byte. */
  int large = new_set(MANY);
  unsigned short *end = (unsigned short*)end_of_memory(), *all = end - MANY;
  for (int i = 0; i < MANY; i++) all[i] = i;
  CHECK_EQ(semctl(large, 0, SETALL, (union semun){.array = all}), 0);
  memset(all, 0xa5, MANY * sizeof *all);
  CHECK_EQ(semctl(large, 0, GETALL, (union semun){.array = all}), 0);
  for (int i = 0; i < MANY; i++) {
    CHECK_EQ(all[i], i);
    CHECK_VALUE(large, i, i);
  }
  CHECK_ERRNO(semctl(large, 0, GETALL, (union semun){.array = all + 1}), EFAULT);
  CHECK_ERRNO(semctl(large, 0, SETALL, (union semun){.array = all + 1}), EFAULT);
  CHECK_VALUE(large, 0, 0);
  REMOVE_SET(large);
  REMOVE_SET(id);
}
