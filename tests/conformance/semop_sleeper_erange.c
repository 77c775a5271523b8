/*
 * A sleeping call whose turn comes when it would pass the maximum, of a value or of the adjustment
 * kept for SEM_UNDO, ends with ERANGE. Not before: what blocks first in the array counts.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;
static int tid;

static void* undoing_sleeper(void* unused) {
  announce(&tid, gettid());
  CHECK_ERRNO(SEMOP(id, {0, -1, SEM_UNDO}), ERANGE);
  return unused;
}

int main(void) {
  id = new_set(3);

  /* The overflow is there at the call and stands first: no sleep. Behind what blocks: a sleep. */
  SET_VALUE(id, 1, SEM_VALUE_MAXIMUM);
  CHECK_ERRNO(SEMOP(id, {1, 1, 0}, {0, -1, 0}), ERANGE);
  pid_t sleeper = FORK_SEMOP(id, ERANGE, {0, -1, 0}, {1, 1, 0});
  pid_t behind = FORK_SEMOP(id, 0, {0, -1, 0});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(sleeper);
  CHECK_CHILD(behind);
  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, SEM_VALUE_MAXIMUM);
  CHECK_PID(id, 0, behind);

  /* It comes while the call sleeps, and goes again unseen: the call is done. */
  SET_VALUE(id, 1, 0);
  sleeper = FORK_SEMOP(id, 0, {0, -1, 0}, {1, 1, 0});
  CHECK_EQ(SEMOP(id, {1, SEM_VALUE_MAXIMUM, 0}), 0);
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(sleeper);
  CHECK_VALUE(id, 1, SEM_VALUE_MAXIMUM);

  /* By SETVAL, and by one call that both frees and overflows. */
  sleeper = FORK_SEMOP(id, ERANGE, {0, -1, 0}, {1, 1, 0});
  SET_VALUE(id, 0, 1);
  CHECK_CHILD(sleeper);
  CHECK_VALUE(id, 0, 1);
  SET_VALUE(id, 0, 0);
  SET_VALUE(id, 2, 1);
  SET_VALUE(id, 1, 0);
  sleeper = FORK_SEMOP(id, ERANGE, {2, 0, 0}, {1, 1, 0});
  CHECK_EQ(SEMOP(id, {2, -1, 0}, {1, SEM_VALUE_MAXIMUM, 0}), 0);
  CHECK_CHILD(sleeper);

  /* The adjustment of the process, driven up by another thread. */
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, undoing_sleeper, NULL), 0);
  while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {0, -1, SEM_UNDO}), 0);
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_EQ(SEMOP(id, {0, SEM_VALUE_MAXIMUM - 1, 0}, {0, -SEM_VALUE_MAXIMUM + 1, SEM_UNDO}), 0);
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_VALUE(id, 0, 1);
  REMOVE_SET(id);
}
