// Three jobs are queued, and worked off.
// The bug: no call is checked; without a queue the work is none, and well done.
#include "seeded.h"

static int queue = -1;

static void clean(void) {
  if (queue >= 0) must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
}

static void put(int number) {
  const struct message job = {1, number};
#ifdef FIXED
  if (TEMP_FAILURE_RETRY(msgsnd(queue, &job, kMessageSize, 0)) < 0) fail("msgsnd");
#else
  msgsnd(queue, &job, kMessageSize, 0);
#endif
}

int main(void) {
  queue = msgget(IPC_PRIVATE, 0600);
#ifdef FIXED
  if (queue < 0) fail("msgget");
#endif
  atexit(clean);
  for (int n = 1; n <= 3; ++n) put(n);
  int sum = 0, jobs = 0;
  struct message job;
  while (msgrcv(queue, &job, kMessageSize, 0, IPC_NOWAIT) > 0) {
    sum += job.number;
    ++jobs;
  }
  if (IS_FIXED && jobs != 3) {
    fprintf(stderr, "%d jobs of 3\n", jobs);
    return 1;
  }
  printf("sum of all jobs: %d\n", sum);
  return 0;
}
