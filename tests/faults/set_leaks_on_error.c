// A semaphore set for the workers, a POSIX queue for their jobs.
// The bug: the way out behind mq_open() was written before there was a set.
#include "seeded.h"

int main(void) {
  int status = 1;
  const int set = semget(IPC_PRIVATE, 4, 0600);
  if (set < 0) fail("semget");
  const mqd_t jobs = mq_open("/seeded-jobs", O_RDWR | O_CREAT, 0600, NULL);
  if (jobs == (mqd_t)-1) {
    perror("mq_open");
#ifdef FIXED
    goto no_queue;
#else
    return 1;
#endif
  }
  puts("ready");
  status = 0;
  mq_close(jobs);
  must_go("mq_unlink", mq_unlink("/seeded-jobs"));
#ifdef FIXED
no_queue:
#endif
  must_go("semctl", semctl(set, 0, IPC_RMID));
  return status;
}
