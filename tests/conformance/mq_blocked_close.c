/*
 * A descriptor that is closed while a thread sleeps on it does not wake it: it is served as if the
 * descriptor were still open, even when the queue is unlinked and its number is in use again.
 */
#include "mq_check.h"
#include <pthread.h>

static mqd_t mq;
static int tid;

static void* receive(void* unused) {
  announce(&tid, gettid());
  check_receive(__FILE__, __LINE__, mq, 3, "still", NULL);
  return unused;
}

int main(void) {
  pthread_t thread;
  mq = NEW_QUEUE("/q", 1, 8);
  mqd_t sender = CHECK_OK(mq_open("/q", O_WRONLY));
  CHECK_EQ(pthread_create(&thread, NULL, receive, NULL), 0);
  while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
  PAUSE_UNTIL_BLOCKED(tid);
  CLOSE_QUEUE(mq);
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_ERRNO(mq_getattr(mq, &(struct mq_attr){0}), EBADF);
  REMOVE_QUEUE("/q");
  mqd_t other = NEW_QUEUE("/other", 1, 8);
  CHECK_EQ(other, mq);
  CHECK_SEND(other, 3, "other");
  PAUSE_UNTIL_BLOCKED(tid);
  CHECK_SEND(sender, 3, "still");
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_RECEIVE(other, 3, "other");
  REMOVE_QUEUE("/other");
}
