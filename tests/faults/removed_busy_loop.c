// A worker sums up what comes, until it is told to stop.
// The bug: a call that fails is made again, also where the queue is gone.
#include "seeded.h"

enum { kWork = 1, kStop = 2 };

int main(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  for (int n = 1; n <= 3; ++n) {
    const struct message message = {n < 3 ? kWork : kStop, n};
    if (TEMP_FAILURE_RETRY(msgsnd(queue, &message, kMessageSize, 0)) < 0) {
      perror("msgsnd");
      must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
      return 1;
    }
  }
  int sum = 0;
  struct message message = {0, 0};
  while (message.type != kStop) {
    if (msgrcv(queue, &message, kMessageSize, 0, 0) < 0) {
#ifdef FIXED
      if (errno == EINTR) continue;
      perror("msgrcv");
      must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
      return 1;
#else
      continue;
#endif
    }
    if (message.type == kWork) sum += message.number;
  }
  printf("sum %d\n", sum);
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  return 0;
}
