/*
 * Threads that may be cancelled at any point (PTHREAD_CANCEL_ASYNCHRONOUS), in the midst of IPC
 * calls and blocked in them, semop() too: their cleanup handlers make IPC calls, and the objects
 * stay usable.
 */
#include "sig_check.h"

enum { ROUNDS = 150, THREADS = 3 };

static struct sig_objects all;
static volatile int started, cleaned;

static void clean(void* unused) {
  (void)unused;
  struct sig_message message = {7, "clean"};
  struct sembuf up = {1, 1, 0}, down = {1, -1, 0};
  CHECK_EQ(msgsnd(all.queue, &message, 6, 0), 0);
  CHECK_EQ(msgrcv(all.queue, &message, 6, 7, 0), 6);
  CHECK_EQ(semop(all.set, &up, 1), 0);
  CHECK_EQ(semop(all.set, &down, 1), 0);
  void* address = shmat(all.segment, NULL, 0);
  CHECK(address != (void*)-1);
  CHECK_EQ(shmdt(address), 0);
  CHECK_ERRNO(msgsnd(all.queue, (void*)8, 8, 0), EFAULT);
  __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void make_calls(void) {
  struct sig_message message = {1, "text"};
  struct sembuf up = {0, 1, 0}, down = {0, -1, 0};
  struct msqid_ds ds;
  msgsnd(all.queue, &message, 5, IPC_NOWAIT);
  msgrcv(all.queue, &message, 5, 1, IPC_NOWAIT);
  semop(all.set, &up, 1);
  down.sem_flg = IPC_NOWAIT;
  semop(all.set, &down, 1);
  msgctl(all.queue, IPC_STAT, &ds);
  mq_send(all.mq, "mq", 3, 1);
  mq_receive(all.mq, message.text, 64, NULL);
}

static void* work(void* how) {
  int before;
  struct sembuf down = {2, -1, 0};
  struct sig_message message;
  pthread_cleanup_push(clean, NULL);
  CHECK_EQ(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before), 0);
  CHECK_EQ(before, PTHREAD_CANCEL_DEFERRED);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  if (how == NULL) {
    for (;;) make_calls();
  } else if (*(const char*)how == 's') {
    for (;;) semop(all.set, &down, 1);
  } else {
    for (;;) msgrcv(all.queue, &message, 64, 3, 0);
  }
  pthread_cleanup_pop(0);
  return NULL;
}

static void cancel_all(const char* how, bool sleeps) {
  pthread_t threads[THREADS];
  void* result;
  started = cleaned = 0;
  for (int n = 0; n < THREADS; n++)
    CHECK_EQ(pthread_create(threads + n, NULL, work, (void*)how), 0);
  while (started < THREADS) sched_yield();
  if (sleeps) sleep_ms(2);
  for (int n = 0; n < THREADS; n++) CHECK_EQ(pthread_cancel(threads[n]), 0);
  for (int n = 0; n < THREADS; n++) {
    CHECK_EQ(pthread_join(threads[n], &result), 0);
    CHECK(result == PTHREAD_CANCELED);
  }
  CHECK_EQ(cleaned, THREADS);
}

int main(void) {
  struct sig_message message;
  sig_open(&all);
  for (int round = 0; round < ROUNDS; round++) {
    cancel_all(NULL, round % 8 == 0);
    while (msgrcv(all.queue, &message, 64, 1, IPC_NOWAIT) >= 0) continue;
    while (mq_receive(all.mq, message.text, 64, NULL) >= 0) continue;
    CHECK_OK(semctl(all.set, 0, SETVAL, 0));
  }
  cancel_all("semop", true);
  cancel_all("msgrcv", true);
  CHECK_EQ(semctl(all.set, 2, GETNCNT), 0);
  /* Nobody is left in the line. */
  struct sembuf up = {2, 1, 0};
  CHECK_EQ(semop(all.set, &up, 1), 0);
  CHECK_EQ(semctl(all.set, 2, GETVAL), 1);
  message = (struct sig_message){3, "kept"};
  CHECK_EQ(msgsnd(all.queue, &message, 5, 0), 0);
  CHECK_EQ(msgrcv(all.queue, &message, 5, 3, IPC_NOWAIT), 5);
  clean(NULL);
  sig_remove(&all);
}
