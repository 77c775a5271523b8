/*
 * Many holders killed at once: nothing that they held is lost and nothing is given twice, whether
 * they held it, slept for it, or were in the middle of a call. Who waits for all of it gets it.
 */
#include "sem_check.h"

enum { HOLDERS = 12, WORKERS = 6, ROUNDS = 30 };

/* Takes and gives back, and moves between two semaphores, until it is killed. */
static void work(int id, int* inside) {
  for (;;) {
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
    announce(inside, getpid());
    CHECK_EQ(SEMOP(id, {1, -2, SEM_UNDO}, {2, 2, SEM_UNDO}), 0);
    if (__atomic_load_n(inside, __ATOMIC_SEQ_CST) != getpid())
      FAIL("expected to be alone, process %d is here too", *inside);
    CHECK_EQ(SEMOP(id, {2, -2, SEM_UNDO}, {1, 2, SEM_UNDO}, {0, 1, SEM_UNDO}), 0);
  }
}

int main(void) {
  int id = new_set(3);
  pid_t children[HOLDERS];
  SET_VALUE(id, 0, HOLDERS);
  for (int i = 0; i < HOLDERS; i++)
    children[i] = FORK_HOLDER(id, {0, -1, SEM_UNDO}, {1, 1, SEM_UNDO});
  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, HOLDERS);
  pid_t all = FORK_SEMOP(id, 0, {0, -HOLDERS, 0});
  for (int i = 0; i < HOLDERS; i++) kill(children[i], SIGKILL);
  CHECK_CHILD(all);
  CHECK_PID(id, 0, all);
  for (int i = 0; i < HOLDERS; i++) KILL_CHILD(children[i]);
  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, 0);

  int* inside = shared_memory(sizeof *inside);
  unsigned short values[] = {1, 10, 0}, got[3];
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < WORKERS; i++)
      if ((children[i] = fork_child()) == 0) work(id, inside);
    sleep_ms(round % 4);
    for (int i = 0; i < WORKERS; i++) kill(children[(i + round) % WORKERS], SIGKILL);
    for (int i = 0; i < WORKERS; i++) KILL_CHILD(children[i]);
    CHECK_EQ(semctl(id, 0, GETALL, (union semun){.array = got}), 0);
    CHECK(memcmp(got, values, sizeof got) == 0);
    for (int i = 0; i < 3; i++) CHECK_COUNTS(id, i, 0, 0);
  }
  REMOVE_SET(id);
}
