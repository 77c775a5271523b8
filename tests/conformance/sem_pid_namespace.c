/*
 * GETPID is told in the reader's PID namespace, 0 when the process is not visible there; of a
 * process that has died and been reaped it stays.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(2);
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {1, 1, 0}), 0);
  pid_t dead = fork_child();
  if (dead == 0) {
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    _exit(0);
  }
  CHECK_CHILD(dead);
  CHECK_PID(id, 0, dead);
  if (unshare(CLONE_NEWPID) != 0) SKIP("needs the right to make a PID namespace");

  pid_t inside = fork_child();
  if (inside == 0) {
    CHECK_EQ(getpid(), 1);
    CHECK_PID(id, 0, 0);
    CHECK_PID(id, 1, 0);
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_PID(id, 0, 1);
    pid_t child = fork_child();
    if (child == 0) {
      CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
      _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_PID(id, 0, child);
    CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
    _exit(0);
  }
  CHECK_CHILD(inside);
  CHECK_PID(id, 1, inside);
  int grandchild = CHECK_OK(semctl(id, 0, GETPID));
  CHECK(grandchild != 0 && grandchild != inside);
  CHECK_VALUE(id, 0, 3);
  REMOVE_SET(id);
}
