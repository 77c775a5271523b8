/* SIGSYS is a signal like others: sent among them in numbers, it spoils no call, and stays
 * unblocked. */
#include "msg_check.h"

enum { ROUNDS = 3000 };

static volatile sig_atomic_t came;

static void counts(int signal) {
  if (signal == SIGSYS) came = 1;
}

static void handle(int signal) {
  struct sigaction action = {.sa_handler = counts};
  CHECK_EQ(sigaction(signal, &action, NULL), 0);
}

static void sends_signals(pid_t to) {
  const int signals[] = {SIGUSR1, SIGUSR2, SIGRTMIN + 3, SIGSYS};
  for (;;) {
    for (int n = 0; n < 4; n++) kill(to, signals[n]);
    usleep(150);
  }
}

static void answers(int calls, int results) {
  struct message message;
  for (;;) {
    CHECK_OK(msgrcv(calls, &message, sizeof(int), 0, 0));
    CHECK_OK(msgsnd(results, &message, sizeof(int), 0));
  }
}

int main(void) {
  int calls = new_queue(), results = new_queue();
  pid_t self = getpid();
  pid_t other = fork_child();
  if (other == 0) answers(calls, results);
  handle(SIGUSR1);
  handle(SIGUSR2);
  handle(SIGRTMIN + 3);
  handle(SIGSYS);
  pid_t storm = fork_child();
  if (storm == 0) sends_signals(self);
  for (int n = 0; n < ROUNDS || !came; n++) {
    struct message message = {.type = 1};
    long result;
    memcpy(message.text, &n, sizeof n);
    while ((result = msgsnd(calls, &message, sizeof n, 0)) < 0 && errno == EINTR) {
    }
    CHECK_EQ(result, 0);
    memset(&message, 0, sizeof message);
    while ((result = msgrcv(results, &message, sizeof n, 0, 0)) < 0 && errno == EINTR) {
    }
    CHECK_EQ(result, (long)sizeof n);
    CHECK_EQ(memcmp(message.text, &n, sizeof n), 0);
  }
  KILL_CHILD(storm);
  KILL_CHILD(other);
  sigset_t mask;
  CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
  CHECK_EQ(sigisemptyset(&mask), 1);
  REMOVE_QUEUE(calls);
  REMOVE_QUEUE(results);
  return 0;
}
