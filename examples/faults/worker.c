// Has another process square some numbers, adds them up, and prints the sum: what the tests beside
// it inject faults into. Whatever happens it ends, says what, and leaves no queue behind.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kNumbers = 5 };

struct answer {
  long type;
  int square;
};

static int work(int queue) {
  for (int n = 1; n <= kNumbers; ++n) {
    const struct answer answer = {1, n * n};
    while (msgsnd(queue, &answer, sizeof answer.square, 0) != 0) {
      if (errno == EINTR) continue;
      perror("worker: msgsnd");
      return 1;
    }
  }
  return 0;
}

static int has_worked(pid_t worker) {
  int status;
  while (waitpid(worker, &status, 0) < 0) {
    if (errno != EINTR) return 0;
  }
  if (WIFSIGNALED(status)) fprintf(stderr, "worker: killed by signal %d\n", WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// All answers are there: none has to be waited for.
static int add_up(int queue, int *sum) {
  *sum = 0;
  for (int n = 0; n < kNumbers; ++n) {
    struct answer answer;
    if (msgrcv(queue, &answer, sizeof answer.square, 0, IPC_NOWAIT) < 0) {
      perror("worker: msgrcv");
      return 0;
    }
    *sum += answer.square;
  }
  return 1;
}

int main(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) {
    perror("worker: msgget");
    return 1;
  }
  const pid_t worker = fork();
  if (worker == 0) _exit(work(queue));
  int sum = 0;
  int is_good = worker > 0 && has_worked(worker) && add_up(queue, &sum);
  if (msgctl(queue, IPC_RMID, NULL) != 0) {
    perror("worker: msgctl");
    is_good = 0;
  }
  if (!is_good) return 1;
  printf("sum: %d\n", sum);
  return 0;
}
