/* A child of vfork is killed in the middle of IPC calls, wherever that is. Its parent goes on. */
#include "process_check.h"
#include <sys/sem.h>

enum { ROUNDS = 300 };

struct text {
  long type;
  char text[8];
};

static int queue, set;
static int* pid;

static void use_all(void) {
  struct text text = {1, "x"};
  struct sembuf operations[] = {{0, 1, 0}, {0, -1, 0}};
  CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
  CHECK_EQ(msgrcv(queue, &text, sizeof text.text, 1, IPC_NOWAIT), 1);
  CHECK_EQ(semop(set, operations, 2), 0);
}

static void kill_often(void) {
  for (int i = 0; i < ROUNDS; i++) {
    while (__atomic_load_n(pid, __ATOMIC_SEQ_CST) == 0) continue;
    struct timespec pause = {0, rand() % 50000};
    nanosleep(&pause, NULL);
    pid_t victim = *pid;
    announce(pid, 0);
    CHECK_EQ(kill(victim, SIGKILL), 0);
  }
  _exit(0);
}

int main(void) {
  pid = shared_memory(sizeof *pid);
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
  pid_t killer = fork_child();
  if (killer == 0) kill_often();
  for (int i = 0; i < ROUNDS; i++) {
    pid_t child = vfork();
    if (child == 0) {
      announce(pid, getpid());
      for (;;) use_all();
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct text text;
    while (msgrcv(queue, &text, sizeof text.text, 0, IPC_NOWAIT) == 1) continue;
    CHECK_EQ(semctl(set, 0, GETVAL), 0);
    use_all();
  }
  CHECK_CHILD(killer);
}
