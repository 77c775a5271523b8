/*
 * semop() and semtimedop() are no cancellation points: glibc makes them plain system calls. A
 * cancelled thread sleeps on (or is interrupted: newer versions of glibc signal it) and is served.
 * One that may be cancelled at any time leaves the line.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;
static int tid;

static void* blocked(void* timed) {
  struct timespec timeout = {15, 0};
  announce(&tid, gettid());
  while (semtimedop(id, OPS({0, -1, 0}), timed ? &timeout : NULL) != 0) CHECK_EQ(errno, EINTR);
  CHECK_VALUE(id, 0, 0);
  announce(&tid, -1);
  pthread_testcancel();
  FAIL("pthread_testcancel: expected the pending cancel to act");
}

static void* asynchronous(void* unused) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  announce(&tid, gettid());
  SEMOP(id, {0, -1, SEM_UNDO});
  FAIL("semop: expected the thread to be cancelled, it returned");
  return unused;
}

static void* pending(void* unused) {
  (void)unused;
  pthread_cancel(pthread_self());
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  REMOVE_SET(new_set(1));
  announce(&tid, -1);
  pthread_testcancel();
  FAIL("pthread_testcancel: expected the pending cancel to act");
}

int main(void) {
  pthread_t thread;
  void* result;
  id = new_set(1);
  for (long timed = 0; timed < 2; timed++) {
    tid = 0;
    CHECK_EQ(pthread_create(&thread, NULL, blocked, (void*)timed), 0);
    while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
    PAUSE_UNTIL_BLOCKED(tid);
    CHECK_EQ(pthread_cancel(thread), 0);
    PAUSE_UNTIL_BLOCKED(tid);
    CHECK_COUNTS(id, 0, 1, 0);
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQ(tid, -1);
  }
  CHECK_EQ(pthread_create(&thread, NULL, pending, NULL), 0);
  CHECK_EQ(pthread_join(thread, &result), 0);
  CHECK(result == PTHREAD_CANCELED);
  CHECK_EQ(tid, -1);

  tid = 0;
  CHECK_EQ(pthread_create(&thread, NULL, asynchronous, NULL), 0);
  while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_EQ(pthread_cancel(thread), 0);
  CHECK_EQ(pthread_join(thread, &result), 0);
  CHECK(result == PTHREAD_CANCELED);
  CHECK_COUNTS(id, 0, 0, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  REMOVE_SET(id);
}
