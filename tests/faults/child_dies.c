// A child is asked a question, and answers.
// The bug: the parent waits for the answer also where the child can't give one any more.
#include "seeded.h"

enum { kAnswer = 2 };

static void answer(int queue) {
  const struct message message = {kAnswer, 42};
  if (TEMP_FAILURE_RETRY(msgsnd(queue, &message, kMessageSize, 0)) < 0) {
    perror("child: msgsnd");
    _exit(1);
  }
  _exit(0);
}

int main(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  const pid_t child = fork();
  if (child == 0) answer(queue);
  struct message message;
#ifdef FIXED
  // Its end tells that there will be no other answer than what is there.
  waitpid(child, NULL, 0);
  const ssize_t size = msgrcv(queue, &message, kMessageSize, kAnswer, IPC_NOWAIT);
#else
  const ssize_t size = TEMP_FAILURE_RETRY(msgrcv(queue, &message, kMessageSize, kAnswer, 0));
  waitpid(child, NULL, 0);
#endif
  if (size < 0) perror("no answer");
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  if (size < 0) return 1;
  printf("the answer is %d\n", message.number);
  return 0;
}
