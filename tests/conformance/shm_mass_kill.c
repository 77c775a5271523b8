/*
 * Many processes that attach, detach, fork and are killed at any moment: in the end nattch is what
 * the living have, and a marked segment goes with the last.
 */
#include "shm_check.h"

enum { CHILDREN = 12, ROUNDS = 5 };

static void churn(int id) {
  char* kept = ATTACH(id);
  for (unsigned n = 0;; n++) {
    char* p = ATTACH(id);
    if (n % 3 == 0) CHECK_EQ(munmap(p + pages(1), pages(1)), 0);
    if (n % 7 == 0 && fork() == 0) {
      DETACH(p);
      _exit(0);
    }
    DETACH(p);
    kept[n % pages(3)] = (char)n;
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  }
}

int main(void) {
  int id = new_segment(pages(3));
  char* p = ATTACH(id);
  for (int round = 0; round < ROUNDS; round++) {
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
      children[i] = fork_child();
      if (children[i] == 0) churn(id);
    }
    sleep_ms(20);
    for (int i = 0; i < CHILDREN; i++) kill(children[i], SIGKILL);
    if (round == ROUNDS - 1) REMOVE_SEGMENT(id);
    for (int i = 0; i < CHILDREN; i++) KILL_CHILD(children[i]);
    /* Their own children have nothing to do but to end. */
    while (stat_segment(id).shm_nattch != 1) sleep_ms(1);
  }
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_DEST | 0600);
  DETACH(p);
  CHECK_DESTROYED(id);
}
