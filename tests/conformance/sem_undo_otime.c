/*
 * The end of a process sets otime, and never ctime, of every set that it ever named in a call with
 * SEM_UNDO: also where nothing is left to adjust, and where the call failed, was refused or only
 * waited for zero. A bad id or IPC_RMID leaves nothing behind.
 */
#include "sem_check.h"

enum { PLAIN, USED, BALANCED, FAILED, TOO_BIG, REFUSED, ZERO, CLEARED, SETS };

int main(void) {
  int sets[SETS];
  struct semid_ds before[SETS];
  bool root = can_become_others();
  int* stage = shared_memory(sizeof *stage);
  for (int i = 0; i < SETS; i++) {
    sets[i] = CHECK_OK(semget(IPC_PRIVATE, 1, i == REFUSED ? 0 : 0666));
    if (i != REFUSED || root) CHECK_EQ(SEMOP(sets[i], {0, 0, 0}), 0);
  }
  pid_t child = fork_child();
  if (child == 0) {
    if (root) become(10001, 10001, 0);
    CHECK_EQ(SEMOP(sets[PLAIN], {0, 1, 0}), 0);
    CHECK_EQ(SEMOP(sets[USED], {0, 1, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(sets[BALANCED], {0, 1, SEM_UNDO}, {0, -1, SEM_UNDO}), 0);
    CHECK_ERRNO(SEMOP(sets[FAILED], {0, -1, SEM_UNDO | IPC_NOWAIT}), EAGAIN);
    CHECK_ERRNO(SEMOP(sets[TOO_BIG], {1, -1, SEM_UNDO}), EFBIG);
    if (root) CHECK_ERRNO(SEMOP(sets[REFUSED], {0, 1, SEM_UNDO}), EACCES);
    CHECK_EQ(SEMOP(sets[ZERO], {0, 0, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(sets[CLEARED], {0, 1, SEM_UNDO}), 0);
    SET_VALUE(sets[CLEARED], 0, 0);
    announce(stage, 1);
    await(stage, 2);
    _exit(0);
  }
  while (__atomic_load_n(stage, __ATOMIC_SEQ_CST) != 1) sleep_ms(1);
  for (int i = 0; i < SETS; i++)
    if (i != REFUSED || root) before[i] = stat_set(sets[i]);
  next_second();
  announce(stage, 2);
  await_zombie(child);

  for (int i = 0; i < SETS; i++) {
    if (i == REFUSED && !root) continue;
    struct semid_ds after = stat_set(sets[i]);
    bool later = after.sem_otime > before[i].sem_otime;
    if (later != (i != PLAIN))
      FAIL("set %d: expected otime %s, it was %s", i, i == PLAIN ? "kept" : "set",
           later ? "set" : "kept");
    CHECK_EQ(after.sem_ctime, before[i].sem_ctime);
    CHECK_PID(sets[i], 0,
              i == USED || i == PLAIN || i == BALANCED || i == ZERO || i == CLEARED ? child
                                                                                    : getpid());
    CHECK_VALUE(sets[i], 0, i == PLAIN);
  }
  CHECK_CHILD(child);
  for (int i = 0; i < SETS; i++) REMOVE_SET(sets[i]);
}
