// A child sends five numbers and an end mark; the parent adds them up.
// The bug: any failure of msgrcv() is the end of the numbers, EINTR too.
#include "seeded.h"

enum { kNumber = 1, kEnd = 2 };

static void send_all(int queue) {
  for (int n = 1; n <= 6; ++n) {
    const struct message message = {n <= 5 ? kNumber : kEnd, n};
    if (TEMP_FAILURE_RETRY(msgsnd(queue, &message, kMessageSize, 0)) < 0) _exit(1);
    usleep(2000);
  }
  _exit(0);
}

int main(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  const pid_t child = fork();
  if (child == 0) send_all(queue);
  int sum = 0;
  struct message message;
  for (;;) {
#ifdef FIXED
    const ssize_t size = TEMP_FAILURE_RETRY(msgrcv(queue, &message, kMessageSize, 0, 0));
#else
    const ssize_t size = msgrcv(queue, &message, kMessageSize, 0, 0);
#endif
    if (size < 0 || message.type == kEnd) break;
    sum += message.number;
  }
  printf("sum %d\n", sum);
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  waitpid(child, NULL, 0);
  return 0;
}
