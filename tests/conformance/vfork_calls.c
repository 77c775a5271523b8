/*
 * A child of vfork makes IPC calls before it calls exec: it waits, is killed while it waits, is
 * interrupted by a handler. Its parent goes on unharmed, and so does the namespace.
 */
#include "process_check.h"
#include <sys/sem.h>

struct text {
  long type;
  char text[8];
};

static int queue, set;
static int* stage;
static int status;

/* Kills, or serves, whoever says that it is about to wait. */
static pid_t start_helper(bool kills) {
  announce(stage, 0);
  pid_t helper = fork_child();
  if (helper != 0) return helper;
  while (__atomic_load_n(stage, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
  pid_t waiter = *stage;
  PAUSE_UNTIL_BLOCKED(waiter);
  struct text text = {1, "h"};
  if (kills)
    CHECK_EQ(kill(waiter, SIGKILL), 0);
  else
    CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
  _exit(0);
}

static void wait_in_child(bool in_semop) {
  struct text text;
  struct sembuf take = {0, -1, 0};
  pid_t child = vfork();
  if (child == 0) {
    announce(stage, getpid());
    if (in_semop)
      semop(set, &take, 1);
    else
      _exit(msgrcv(queue, &text, sizeof text.text, 1, 0) == 1 ? 7 : 8);
    _exit(9);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
}

static void parent_goes_on(void) {
  struct text text = {1, "p"};
  struct sembuf operations[] = {{0, 1, 0}, {0, -1, 0}};
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
    CHECK_EQ(msgrcv(queue, &text, sizeof text.text, 1, IPC_NOWAIT), 1);
    CHECK_EQ(semop(set, operations, 2), 0);
  }
  CHECK_EQ(semctl(set, 0, GETNCNT), 0);
  struct msqid_ds state;
  CHECK_EQ(msgctl(queue, IPC_STAT, &state), 0);
  CHECK_EQ(state.msg_qnum, 0);
  CHECK_EQ(state.msg_lspid, getpid());
}

int main(void) {
  stage = shared_memory(sizeof *stage);
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
  for (int i = 0; i < 6; i++) {
    pid_t helper = start_helper(i % 3 != 0);
    wait_in_child(i % 3 == 2);
    CHECK_CHILD(helper);
    if (i % 3 == 0)
      CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    else
      CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    parent_goes_on();
  }
}
