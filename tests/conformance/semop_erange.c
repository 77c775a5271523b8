/*
 * A value stays within 0..32767: an operation that would pass it is ERANGE, at once and whatever
 * its flags, and changes nothing. Flags that mean nothing are ignored.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(2);
  CHECK_EQ(SEMOP(id, {0, 32767, 0}), 0);
  CHECK_VALUE(id, 0, SEM_VALUE_MAXIMUM);
  CHECK_ERRNO(SEMOP(id, {0, 1, 0}), ERANGE);
  CHECK_ERRNO(SEMOP(id, {0, 1, IPC_NOWAIT}), ERANGE);
  CHECK_ERRNO(SEMOP(id, {0, 1, SEM_UNDO}), ERANGE);
  CHECK_ERRNO(SEMOP(id, {0, 32767, 0}), ERANGE);
  CHECK_EQ(SEMOP(id, {0, -1, 0}, {0, 1, 0}), 0);

  /* In between it counts, too. */
  CHECK_ERRNO(SEMOP(id, {0, 1, 0}, {0, -1, 0}), ERANGE);
  CHECK_ERRNO(SEMOP(id, {1, 1, 0}, {0, 1, 0}), ERANGE);
  CHECK_VALUE(id, 0, SEM_VALUE_MAXIMUM);
  CHECK_VALUE(id, 1, 0);
  CHECK_PID(id, 1, 0);

  /* The largest steps. */
  CHECK_EQ(SEMOP(id, {0, -32767, 0}), 0);
  CHECK_VALUE(id, 0, 0);
  CHECK_ERRNO(SEMOP(id, {0, -32768, IPC_NOWAIT}), EAGAIN);
  CHECK_EQ(SEMOP(id, {0, 32767, 0}), 0);
  CHECK_ERRNO(SEMOP(id, {0, -32768, IPC_NOWAIT}), EAGAIN);
  CHECK_EQ(SEMOP(id, {0, -32767, 0}), 0);

  /* Unknown flags, those of other calls included. */
  CHECK_EQ(SEMOP(id, {0, 1, (short)~(IPC_NOWAIT | SEM_UNDO)}), 0);
  CHECK_EQ(SEMOP(id, {0, -1, 010000 | 020000}), 0);
  CHECK_ERRNO(SEMOP(id, {0, -1, (short)~SEM_UNDO}), EAGAIN);
  CHECK_VALUE(id, 0, 0);

  /* SETVAL is within the same bounds. */
  CHECK_ERRNO(setval(id, 0, 32768), ERANGE);
  CHECK_ERRNO(setval(id, 0, -1), ERANGE);
  CHECK_ERRNO(setval(id, 0, INT_MIN), ERANGE);
  SET_VALUE(id, 0, 32767);
  SET_VALUE(id, 0, 0);
  REMOVE_SET(id);
}
