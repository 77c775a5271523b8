/*
 * Sleepers that one call lets go run in this order: who waits for zero, by semaphore and then those
 * of several operations, then who alters. The first call of several to sleep puts those of one
 * operation before itself, the highest semaphore first.
 */
#include "sem_check.h"

enum { SLEEPERS = 10 };

static int id, *turns;

static pid_t fork_turn(int number, struct sembuf* ops, size_t count) {
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(semop(id, ops, count), 0);
    turns[__atomic_fetch_add(&turns[SLEEPERS], 1, __ATOMIC_SEQ_CST)] = number;
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

/* Did the sleepers run in this order? */
static int check_turns(const pid_t* children, const int* want, int count) {
  for (int i = 0; i < count; i++) CHECK_CHILD(children[i]);
  turns[SLEEPERS] = 0;
  return memcmp(turns, want, count * sizeof *want) == 0;
}

/* Calls of one operation only: by semaphore, and in each by age. */
static int play_single(void) {
  unsigned short ones[] = {0, 0, 1, 1, 1}, wake[] = {9, 9, 0, 0, 0};
  pid_t children[SLEEPERS];
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = ones}), 0);
  children[0] = fork_turn(0, OPS({1, -1, 0}));
  children[1] = fork_turn(1, OPS({0, -1, 0}));
  children[2] = fork_turn(2, OPS({3, 0, 0}));
  children[3] = fork_turn(3, OPS({0, -1, 0}));
  children[4] = fork_turn(4, OPS({2, 0, 0}));
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = wake}), 0);
  return check_turns(children, (int[]){4, 2, 1, 3, 0}, 5);
}

/* One call names the semaphores in its own order. */
static int play_order_of_call(void) {
  pid_t children[SLEEPERS];
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = (unsigned short[5]){0}}), 0);
  for (int i = 0; i < 3; i++) children[i] = fork_turn(i, OPS({i, -1, 0}));
  CHECK_EQ(SEMOP(id, {1, 1, 0}, {2, 1, 0}, {0, 1, 0}), 0);
  return check_turns(children, (int[]){1, 2, 0}, 3);
}

static int play_several(void) {
  unsigned short ones[] = {0, 0, 1, 1, 1}, wake[] = {9, 9, 0, 0, 0};
  pid_t children[SLEEPERS];
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = ones}), 0);
  children[0] = fork_turn(0, OPS({0, -1, 0}));
  children[1] = fork_turn(1, OPS({1, -1, 0}));
  children[2] = fork_turn(2, OPS({0, -1, 0}));
  children[3] = fork_turn(3, OPS({2, 0, 0}, {3, 0, 0}));
  children[4] = fork_turn(4, OPS({0, -1, 0}, {1, -1, 0}));
  children[5] = fork_turn(5, OPS({1, -1, 0}));
  children[6] = fork_turn(6, OPS({4, 0, 0}, {0, -1, 0}));
  children[7] = fork_turn(7, OPS({0, -1, 0}));
  children[8] = fork_turn(8, OPS({3, 0, 0}));
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = wake}), 0);
  return check_turns(children, (int[]){8, 3, 1, 0, 2, 4, 5, 6, 7}, 9);
}

/* A sleeper in a cell looks around by itself now and then: if just now, it runs before its turn. */
static void check_scene(const char* name, int (*play)(void)) {
  for (int attempt = 0; attempt < 3; attempt++)
    if (play()) return;
  FAIL("%s: sleepers did not run in the order of waking, three times", name);
}

int main(void) {
  need_wake_order();
  id = new_set(5);
  turns = shared_memory((SLEEPERS + 1) * sizeof *turns);
  check_scene("calls of one operation", play_single);
  check_scene("order of the call", play_order_of_call);
  check_scene("calls of several operations", play_several);
  REMOVE_SET(id);
}
