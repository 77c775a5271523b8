/*
 * The adjustment of a process for a semaphore stays within -32768..32767: an operation with
 * SEM_UNDO that would pass it is ERANGE and changes nothing; one without the flag is free.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(2);
  pid_t child = fork_child();
  if (child == 0) {
    /* Down: 32767 and no more. */
    SET_VALUE(id, 0, SEM_VALUE_MAXIMUM);
    CHECK_EQ(SEMOP(id, {0, -SEM_VALUE_MAXIMUM, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(id, {0, 5, 0}), 0);
    CHECK_ERRNO(SEMOP(id, {0, -1, SEM_UNDO}), ERANGE);
    CHECK_ERRNO(SEMOP(id, {0, -1, SEM_UNDO | IPC_NOWAIT}), ERANGE);
    CHECK_ERRNO(SEMOP(id, {1, 1, 0}, {0, -1, SEM_UNDO}), ERANGE);
    CHECK_VALUE(id, 1, 0);
    CHECK_VALUE(id, 0, 5);
    CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
    CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);

    /* Inside an array each step counts. */
    CHECK_ERRNO(SEMOP(id, {0, -1, SEM_UNDO}, {0, 1, SEM_UNDO}), ERANGE);
    CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}, {0, -1, SEM_UNDO}), 0);

    /* What blocks is looked at first: too little there is EAGAIN. */
    CHECK_ERRNO(SEMOP(id, {0, -5, SEM_UNDO | IPC_NOWAIT}), EAGAIN);

    /* Up: one more, -32768. */
    SET_VALUE(id, 0, 0);
    CHECK_EQ(SEMOP(id, {0, SEM_VALUE_MAXIMUM, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(id, {0, -10, 0}), 0);
    CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
    CHECK_ERRNO(SEMOP(id, {0, 1, SEM_UNDO}), ERANGE);
    CHECK_EQ(SEMOP(id, {0, 0, SEM_UNDO | IPC_NOWAIT}) == -1 ? errno : 0, EAGAIN);
    CHECK_VALUE(id, 0, SEM_VALUE_MAXIMUM - 9);

    /* The largest decrement there is can never go through. */
    SET_VALUE(id, 1, SEM_VALUE_MAXIMUM);
    CHECK_ERRNO(SEMOP(id, {1, -32768, SEM_UNDO | IPC_NOWAIT}), EAGAIN);
    CHECK_ERRNO(SEMOP(id, {1, -32768, IPC_NOWAIT}), EAGAIN);
    SET_VALUE(id, 1, 4);

    /* Another process, another adjustment. */
    pid_t other = fork_child();
    if (other == 0) {
      CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
      _exit(0);
    }
    CHECK_CHILD(other);
    CHECK_VALUE(id, 0, SEM_VALUE_MAXIMUM - 9);
    CHECK_EQ(SEMOP(id, {0, 9, 0}), 0);
    _exit(0);
  }
  CHECK_CHILD(child);

  /* 32767 - 32768. */
  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, 4);
  REMOVE_SET(id);
}
