/*
 * Trees of processes that fork on and on, each with an attachment, an adjustment and messages, some
 * of which are killed: what they had is given back, each message arrives once.
 */
#include "process_check.h"
#include <sys/sem.h>
#include <sys/shm.h>

enum { TREES = 30, DEPTH = 4, WIDTH = 2, PER_TREE = 31 };

struct text {
  long type;
  pid_t pid;
};

static int queue, set, segment;

static void use_all(void) {
  int* memory = shmat(segment, NULL, 0);
  if (memory == (void*)-1) FAIL("shmat: %s", strerrorname_np(errno));
  __atomic_fetch_add(memory, 1, __ATOMIC_SEQ_CST);
  struct sembuf take = {0, 1, SEM_UNDO};
  CHECK_EQ(semop(set, &take, 1), 0);
  struct text text = {1, getpid()};
  CHECK_EQ(msgsnd(queue, &text, sizeof text.pid, 0), 0);
}

/* Each has two children, and waits for them. */
static _Noreturn void be_tree(int depth) {
  use_all();
  for (int i = 0; depth > 0 && i < WIDTH; i++) {
    pid_t child = fork();
    if (child < 0) FAIL("fork: %s", strerrorname_np(errno));
    if (child > 0) continue;
    depth--;
    i = -1;
    use_all();
  }
  while (wait(NULL) > 0) continue;
  if (depth % 2 == 0) raise(SIGKILL);
  _exit(0);
}

int main(void) {
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
  segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  int* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  struct text text;
  for (int i = 0; i < TREES; i++) {
    pid_t tree = fork_child();
    if (tree == 0) be_tree(DEPTH);
    int status;
    CHECK_EQ(waitpid(tree, &status, 0), tree);
    forget_child(tree);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_EQ(__atomic_load_n(memory, __ATOMIC_SEQ_CST), (i + 1) * PER_TREE);
    CHECK_EQ(semctl(set, 0, GETVAL), 0);
    struct shmid_ds state;
    CHECK_EQ(shmctl(segment, IPC_STAT, &state), 0);
    CHECK_EQ(state.shm_nattch, 1);
    for (int n = 0; n < PER_TREE; n++)
      CHECK_EQ(msgrcv(queue, &text, sizeof text.pid, 0, IPC_NOWAIT), (int)sizeof text.pid);
    CHECK_ERRNO(msgrcv(queue, &text, sizeof text.pid, 0, IPC_NOWAIT), ENOMSG);
  }
}
