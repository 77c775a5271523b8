/*
 * Which call sets which time: semget(), IPC_SET, SETVAL and SETALL ctime, a semop() that succeeds
 * otime, a wait for zero included. SETVAL and SETALL set otime, too, when they let a sleeper go.
 */
#include "sem_check.h"

enum { OTIME = 1, CTIME = 2 };

static void check_changed(int id, const struct semid_ds* before, int changed) {
  struct semid_ds now = stat_set(id);
  int later = (now.sem_otime > before->sem_otime ? OTIME : 0) |
              (now.sem_ctime > before->sem_ctime ? CTIME : 0);
  CHECK_EQ(later, changed);
  CHECK(now.sem_otime <= time(NULL) && now.sem_ctime <= time(NULL));
}

enum { ALTER, ZERO, LAST, SET, ONE, ALL, WAKE_ONE, WAKE_ALL, IDLE, SLEPT, SETS };

int main(void) {
  int sets[SETS];
  struct semid_ds before[SETS];
  unsigned short values[] = {0, 0, 0}, more[] = {0, 1, 0}, too_large[] = {0, 0, 40000};
  for (int i = 0; i < SETS; i++) {
    sets[i] = new_set(3);
    CHECK_EQ(stat_set(sets[i]).sem_otime, 0);
    if (i != WAKE_ONE) CHECK_EQ(SEMOP(sets[i], {0, 1, 0}, {0, -1, 0}), 0);
    before[i] = stat_set(sets[i]);
  }
  pid_t waits_one = FORK_SEMOP(sets[WAKE_ONE], 0, {1, -1, 0});
  pid_t waits_all = FORK_SEMOP(sets[WAKE_ALL], 0, {1, -1, 0});
  pid_t erange = FORK_SEMOP(sets[IDLE], ERANGE, {0, -1, 0}, {1, 32767, 0}, {1, 1, 0});
  pid_t eintr = FORK_SEMOP(sets[SLEPT], 0, {1, -1, 0});
  CHECK_EQ(stat_set(sets[WAKE_ONE]).sem_otime, 0);
  next_second();

  CHECK_EQ(SEMOP(sets[ALTER], {1, 5, 0}), 0);
  check_changed(sets[ALTER], &before[ALTER], OTIME);
  CHECK_EQ(SEMOP(sets[ZERO], {1, 0, 0}), 0);
  check_changed(sets[ZERO], &before[ZERO], OTIME);
  CHECK_EQ(SEMOP(sets[LAST], {2, 1, 0}, {1, 1, 0}), 0);
  check_changed(sets[LAST], &before[LAST], OTIME);

  CHECK_EQ(change_set(sets[SET], &before[SET]), 0);
  check_changed(sets[SET], &before[SET], CTIME);
  SET_VALUE(sets[ONE], 2, 0);
  check_changed(sets[ONE], &before[ONE], CTIME);
  CHECK_EQ(semctl(sets[ALL], 0, SETALL, (union semun){.array = values}), 0);
  check_changed(sets[ALL], &before[ALL], CTIME);
  SET_VALUE(sets[WAKE_ONE], 1, 1);
  CHECK_CHILD(waits_one);
  check_changed(sets[WAKE_ONE], &before[WAKE_ONE], CTIME | OTIME);
  CHECK_EQ(semctl(sets[WAKE_ALL], 0, SETALL, (union semun){.array = more}), 0);
  CHECK_CHILD(waits_all);
  check_changed(sets[WAKE_ALL], &before[WAKE_ALL], CTIME | OTIME);

  /* Calls that fail or only ask; a sleeper that is killed. */
  CHECK_ERRNO(SEMOP(sets[IDLE], {1, -1, IPC_NOWAIT}), EAGAIN);
  CHECK_ERRNO(SEMOP(sets[IDLE], {1, 32767, 0}, {1, 1, 0}), ERANGE);
  CHECK_ERRNO(semctl(sets[IDLE], 0, SETALL, (union semun){.array = too_large}), ERANGE);
  CHECK_VALUE(sets[IDLE], 0, 0);
  CHECK_PID(sets[IDLE], 0, getpid());
  CHECK_COUNTS(sets[IDLE], 0, 1, 0);
  check_changed(sets[IDLE], &before[IDLE], 0);
  KILL_CHILD(eintr);
  check_changed(sets[SLEPT], &before[SLEPT], 0);

  /* A sleeper let go with ERANGE is none that was served. */
  SET_VALUE(sets[IDLE], 0, 1);
  CHECK_CHILD(erange);
  check_changed(sets[IDLE], &before[IDLE], CTIME);
  for (int i = 0; i < SETS; i++) REMOVE_SET(sets[i]);
}
