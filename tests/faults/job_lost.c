// A worker takes jobs off a queue; where it dies, another one is started.
// The bug: the job that it had taken is nobody's any more.
#include "seeded.h"

enum { kJobs = 3, kWorkers = 4 };

static void put(int queue, int number) {
  const struct message job = {1, number};
  if (TEMP_FAILURE_RETRY(msgsnd(queue, &job, kMessageSize, 0)) < 0) {
    perror("msgsnd");
    must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
    exit(1);
  }
}

static void work(int queue, int* done) {
  struct message job;
  while (msgrcv(queue, &job, kMessageSize, 0, IPC_NOWAIT) > 0) done[job.number] = 10 * job.number;
  _exit(errno == ENOMSG ? 0 : 1);
}

// True if one of the workers ended by itself.
static int run_workers(int queue, int* done) {
  for (int n = 0; n < kWorkers; ++n) {
    if (fork() == 0) work(queue, done);
    if (children_did_well(1)) return 1;
  }
  return 0;
}

int main(void) {
  int* done = shared_numbers();
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  for (int n = 1; n <= kJobs; ++n) put(queue, n);
  int is_well = run_workers(queue, done);
#ifdef FIXED
  for (int n = 1; n <= kJobs && is_well; ++n) {
    if (done[n] != 0) continue;
    put(queue, n);
    is_well = run_workers(queue, done);
  }
  for (int n = 1; n <= kJobs; ++n) is_well = is_well && done[n] != 0;
#endif
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  if (!is_well) {
    fprintf(stderr, "the workers don't get on\n");
    return 1;
  }
  int sum = 0;
  for (int n = 1; n <= kJobs; ++n) sum += done[n];
  printf("results' sum: %d\n", sum);
  return 0;
}
