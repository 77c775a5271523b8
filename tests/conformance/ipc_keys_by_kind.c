/* Queues, semaphore sets and segments do not share keys, ids or sequence numbers. */
#include "msg_check.h"
#include <sys/sem.h>
#include <sys/shm.h>

enum { KEY = 0x10ce };

int main(void) {
  CHECK_EQ(new_queue(), 0);
  CHECK_EQ(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), 1);
  CHECK_ERRNO(semget(KEY, 1, 0600), ENOENT);
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600), 0);
  CHECK_ERRNO(shmget(KEY, 1, 0600), ENOENT);
  CHECK_EQ(shmget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600), 0);
  CHECK_EQ(shmget(IPC_PRIVATE, 1, 0600), 1);

  REMOVE_QUEUE(0);
  CHECK_OK(semctl(0, 0, GETVAL));
  REMOVE_QUEUE(1);
  CHECK_ERRNO(msgget(KEY, 0), ENOENT);
  CHECK_EQ(semget(KEY, 1, 0), 0);
  CHECK_EQ(shmget(KEY, 1, 0), 0);
  CHECK_OK(semctl(0, 0, IPC_RMID));
  CHECK_OK(shmctl(0, IPC_RMID, NULL));
  CHECK_OK(shmctl(1, IPC_RMID, NULL));
}
