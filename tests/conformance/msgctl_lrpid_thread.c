/*
 * A quirk: a message handed to a sleeping thread records that thread's id as lrpid, while one that
 * is taken from the queue records the process, as lspid always does.
 */
#include "msg_check.h"
#include <pthread.h>

static int id;
static int tid;

static void* sleeper(void* unused) {
  announce(&tid, gettid());
  CHECK_RECV(id, 1, 0, 1, "handed over");
  CHECK_EQ(stat_queue(id).msg_lrpid, gettid());
  CHECK_SEND(id, 2, "queued");
  CHECK_EQ(stat_queue(id).msg_lspid, getpid());
  CHECK_RECV(id, 2, 0, 2, "queued");
  CHECK_EQ(stat_queue(id).msg_lrpid, getpid());
  return unused;
}

int main(void) {
  pthread_t thread;
  id = new_queue();
  CHECK_EQ(pthread_create(&thread, NULL, sleeper, NULL), 0);
  while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
  CHECK(tid != getpid());
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_SEND(id, 1, "handed over");
  CHECK_EQ(pthread_join(thread, NULL), 0);
  REMOVE_QUEUE(id);
}
