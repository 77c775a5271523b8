/*
 * mq_send(), mq_timedsend(), mq_receive() and mq_timedreceive() are cancellation points: a pending
 * cancel acts before they do anything, one that comes later ends their sleep, and nothing is sent
 * or taken. mq_open(), mq_close(), mq_unlink(), mq_getattr() and mq_setattr() are none.
 */
#include "mq_check.h"
#include <pthread.h>

static mqd_t mq;
static int tid;

static void call(long which) {
  char room[8];
  struct timespec deadline = after_ms(15000);
  switch (which) {
    case 0: mq_send(mq, "x", 1, 0); break;
    case 1: mq_timedsend(mq, "x", 1, 0, &deadline); break;
    case 2: mq_receive(mq, room, sizeof room, NULL); break;
    case 3: mq_timedreceive(mq, room, sizeof room, NULL, &deadline); break;
  }
  FAIL("call %ld: expected the thread to be cancelled, it returned", which);
}

static void* pending(void* which) {
  pthread_cancel(pthread_self());
  call((long)which);
  return NULL;
}

static void* sleeping(void* which) {
  announce(&tid, gettid());
  call((long)which);
  return NULL;
}

static void* harmless(void* unused) {
  (void)unused;
  pthread_cancel(pthread_self());
  mqd_t own = NEW_QUEUE("/own", 1, 1);
  CHECK_CURMSGS(own, 0);
  CHECK_EQ(mq_setattr(own, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL), 0);
  REMOVE_QUEUE("/own");
  announce(&tid, -1);
  pthread_testcancel();
  FAIL("pthread_testcancel: expected the pending cancel to act");
}

static void join_cancelled(pthread_t thread) {
  void* result;
  CHECK_EQ(pthread_join(thread, &result), 0);
  CHECK(result == PTHREAD_CANCELED);
}

int main(void) {
  pthread_t thread;
  mq = NEW_QUEUE("/q", 1, 8);
  for (long which = 0; which < 4; which++) {
    bool sends = which < 2;
    if (!sends) CHECK_SEND(mq, 0, "kept");
    CHECK_EQ(pthread_create(&thread, NULL, pending, (void*)which), 0);
    join_cancelled(thread);
    CHECK_CURMSGS(mq, sends ? 0 : 1);
    if (!sends) CHECK_RECEIVE(mq, 0, "kept");
    if (sends) CHECK_SEND(mq, 0, "full");

    tid = 0;
    CHECK_EQ(pthread_create(&thread, NULL, sleeping, (void*)which), 0);
    while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
    PAUSE_UNTIL_BLOCKED(tid);
    CHECK_EQ(pthread_cancel(thread), 0);
    join_cancelled(thread);
    if (!sends) CHECK_SEND(mq, 0, "kept");
    CHECK_RECEIVE(mq, 0, sends ? "full" : "kept");
    CHECK_CURMSGS(mq, 0);
  }
  CHECK_EQ(pthread_create(&thread, NULL, harmless, NULL), 0);
  join_cancelled(thread);
  CHECK_EQ(tid, -1);
  REMOVE_QUEUE("/q");
}
