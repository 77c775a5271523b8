// A child sends its result by a queue.
// The bug: where the child has failed the parent leaves at once, and forgets the queue.
#include "seeded.h"

int main(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  const pid_t child = fork();
  if (child == 0) {
    const struct message result = {1, 42};
    if (TEMP_FAILURE_RETRY(msgsnd(queue, &result, kMessageSize, 0)) < 0) {
      perror("child: msgsnd");
      _exit(1);
    }
    _exit(0);
  }
  const int is_well = children_did_well(1);
  if (!is_well) {
    fprintf(stderr, "the child has failed\n");
#ifdef FIXED
    must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
#endif
    return 1;
  }
  struct message result = {0, 0};
  const ssize_t size = msgrcv(queue, &result, kMessageSize, 0, IPC_NOWAIT);
  if (size < 0) perror("msgrcv");
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  if (size < 0) return 1;
  printf("result %d\n", result.number);
  return 0;
}
