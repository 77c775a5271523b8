/*
 * Threads end, the first one too, while others of the same process wait in msgrcv, msgsnd and
 * semop: those wait on, and are served. What the ended took with SEM_UNDO stays taken until the
 * last one has ended.
 */
#include "process_check.h"
#include <pthread.h>
#include <sys/sem.h>

struct text {
  long type;
  char text[8];
};

enum { SLEEPERS = 3, TAKERS = 20 };

static int queue, full, set;
static int* tids;

static void take(int by) {
  struct sembuf operation = {0, by, SEM_UNDO};
  CHECK_EQ(semop(set, &operation, 1), 0);
}

static void* take_and_end(void* unused) {
  take(-1);
  return unused;
}

static void* receive(void* unused) {
  struct text text;
  announce(&tids[0], gettid());
  CHECK_EQ(msgrcv(queue, &text, sizeof text.text, 7, 0), 1);
  return unused;
}

static void* send(void* unused) {
  struct text text = {1, "s"};
  announce(&tids[1], gettid());
  CHECK_EQ(msgsnd(full, &text, 1, 0), 0);
  return unused;
}

/* The last of them, when the first thread has long ended. */
static void* wait_for_semaphore(void* unused) {
  struct sembuf operation = {1, -1, SEM_UNDO};
  announce(&tids[2], gettid());
  CHECK_EQ(semop(set, &operation, 1), 0);
  announce(&tids[3], 1);
  await(&tids[3], 2);
  return unused;
}

static void in_child(void) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, receive, NULL), 0);
  CHECK_EQ(pthread_create(&thread, NULL, send, NULL), 0);
  CHECK_EQ(pthread_create(&thread, NULL, wait_for_semaphore, NULL), 0);
  for (int i = 0; i < SLEEPERS; i++) {
    while (__atomic_load_n(&tids[i], __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
  }
  for (int i = 0; i < TAKERS; i++) {
    CHECK_EQ(pthread_create(&thread, NULL, take_and_end, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
  }
  announce(&tids[3], 3);
  pthread_exit(NULL);
}

int main(void) {
  tids = shared_memory(16 * sizeof *tids);
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  full = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  struct msqid_ds limits;
  CHECK_EQ(msgctl(full, IPC_STAT, &limits), 0);
  limits.msg_qbytes = 1;
  CHECK_EQ(msgctl(full, IPC_SET, &limits), 0);
  struct text text = {1, "f"};
  CHECK_EQ(msgsnd(full, &text, 1, 0), 0);
  set = CHECK_OK(semget(IPC_PRIVATE, 2, 0600));
  CHECK_EQ(semctl(set, 0, SETVAL, 100), 0);

  pid_t child = fork_child();
  if (child == 0) in_child();
  await(&tids[3], 3);
  while (task_state(child) != 'Z') sleep_ms(1); /* its first thread has ended */
  for (int i = 0; i < SLEEPERS; i++) PAUSE_UNTIL_BLOCKED(tids[i]);
  CHECK_EQ(semctl(set, 0, GETVAL), 100 - TAKERS);
  CHECK_EQ(semctl(set, 1, GETNCNT), 1);

  text.type = 7;
  CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
  CHECK_EQ(msgrcv(full, &text, 1, 0, 0), 1);
  CHECK_EQ(msgrcv(full, &text, 1, 0, 0), 1); /* of the sender that waited */
  CHECK_EQ(text.text[0], 's');
  CHECK_EQ(semctl(set, 1, SETVAL, 1), 0);
  await(&tids[3], 1);
  CHECK_EQ(semctl(set, 0, GETVAL), 100 - TAKERS);
  CHECK_EQ(semctl(set, 1, GETVAL), 0);
  announce(&tids[3], 2);
  CHECK_CHILD(child);
  CHECK_EQ(semctl(set, 0, GETVAL), 100);
  CHECK_EQ(semctl(set, 1, GETVAL), 1);
}
