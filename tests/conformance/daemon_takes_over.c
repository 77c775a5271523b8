/*
 * daemon(3), and a double fork with setsid: what was taken with SEM_UNDO is given back when the
 * first parent ends; attachments and queues go on in the daemon, which has an undo of its own.
 */
#include "process_check.h"
#include <sys/sem.h>
#include <sys/shm.h>

struct text {
  long type;
  pid_t pid;
};

static int queue, set, segment;

static void take(int by) {
  struct sembuf operation = {0, by, SEM_UNDO};
  CHECK_EQ(semop(set, &operation, 1), 0);
}

static long attached(void) {
  struct shmid_ds state;
  CHECK_EQ(shmctl(segment, IPC_STAT, &state), 0);
  return state.shm_nattch;
}

static void by_daemon(void) { CHECK_EQ(daemon(1, 1), 0); }

static void by_double_fork(void) {
  if (fork_child() != 0) _exit(0);
  CHECK(setsid() > 0);
  if (fork_child() != 0) _exit(0);
}

static void be_daemon(void (*become_daemon)(void)) {
  int* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  *memory = 42;
  take(-1);
  become_daemon();
  CHECK_EQ(*memory, 42);
  take(-2);
  struct text text = {1, getpid()};
  CHECK_EQ(msgsnd(queue, &text, sizeof text.pid, 0), 0);
  CHECK_EQ(msgrcv(queue, &text, sizeof text.pid, 2, 0), (int)sizeof text.pid);
  _exit(*memory == 43 ? 0 : 1);
}

static void check(void (*become_daemon)(void)) {
  segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  int* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  pid_t first = fork_child();
  if (first == 0) be_daemon(become_daemon);
  CHECK_CHILD(first);
  struct text text;
  CHECK_EQ(msgrcv(queue, &text, sizeof text.pid, 1, 0), (int)sizeof text.pid);
  CHECK(text.pid != first);
  CHECK_EQ(semctl(set, 0, GETVAL), 8);
  CHECK_EQ(semctl(set, 0, GETPID), text.pid);
  /* It has the one that it inherited, too. The process between two forks may be at its end still.
   */
  while (attached() != 3) sleep_ms(1);
  *memory = 43;
  text.type = 2;
  CHECK_EQ(msgsnd(queue, &text, sizeof text.pid, 0), 0);
  while (semctl(set, 0, GETVAL) != 10) sleep_ms(1);
  while (attached() != 1) sleep_ms(1);
  CHECK_EQ(shmdt(memory), 0);
  CHECK_EQ(shmctl(segment, IPC_RMID, NULL), 0);
}

int main(void) {
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
  CHECK_EQ(semctl(set, 0, SETVAL, 10), 0);
  check(by_daemon);
  check(by_double_fork);
}
