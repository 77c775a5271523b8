/*
 * A handler that interrupts a blocked call, or comes in the middle of one, forks: the child makes
 * calls in the handler, and returns from it into the call, which fails with EINTR for it, too.
 */
#include "process_check.h"
#include <sys/sem.h>

enum { ROUNDS = 200 };

struct text {
  long type;
  char text[8];
};

static int queue, set, waiting;
static volatile pid_t child;
static volatile int forks;
static bool ends_in_handler;

static void use_all(void) {
  struct text text = {getpid(), "x"};
  CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
  CHECK_EQ(msgrcv(queue, &text, 1, getpid(), 0), 1);
  struct sembuf operations[] = {{0, 1, SEM_UNDO}, {0, -1, SEM_UNDO}};
  CHECK_EQ(semop(set, operations, 2), 0);
}

static void fork_and_use(int number) {
  (void)number;
  const int saved = errno;
  child = fork();
  if (child < 0) FAIL("fork: %s", strerrorname_np(errno));
  if (child == 0) start_watchdog();
  use_all();
  if (child == 0 && ends_in_handler) _exit(0);
  if (child == 0) memset(check_children, 0, sizeof check_children);
  forks++;
  errno = saved;
}

static void check_blocked(int in_semop) {
  pid_t sleeper = fork_child();
  if (sleeper == 0) {
    struct text text;
    struct sembuf operation = {1, -1, SEM_UNDO};
    if (in_semop)
      CHECK_ERRNO(semop(set, &operation, 1), EINTR);
    else
      CHECK_ERRNO(msgrcv(waiting, &text, 1, 0, 0), EINTR);
    CHECK_EQ(forks, 1);
    use_all();
    if (child != 0) CHECK_CHILD(child);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_EQ(kill(sleeper, SIGUSR1), 0);
  CHECK_CHILD(sleeper);
}

/* Wherever the handler comes. What the call was about is the parent's then. */
static void check_running(void) {
  pid_t worker = fork_child();
  if (worker == 0) {
    while (forks == 0) use_all();
    use_all();
    CHECK_CHILD(child);
    _exit(0);
  }
  struct timespec pause = {0, 50000 + rand() % 300000};
  nanosleep(&pause, NULL);
  CHECK_EQ(kill(worker, SIGUSR1), 0);
  CHECK_CHILD(worker);
}

int main(void) {
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  waiting = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 2, 0600));
  struct sigaction action = {.sa_handler = fork_and_use, .sa_flags = SA_RESTART};
  CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
  check_blocked(0);
  check_blocked(1);
  ends_in_handler = true;
  for (int i = 0; i < ROUNDS; i++) check_running();
  CHECK_EQ(semctl(set, 0, GETVAL), 0);
  struct msqid_ds left;
  CHECK_EQ(msgctl(queue, IPC_STAT, &left), 0);
  CHECK_EQ(left.msg_qnum, 0);
}
