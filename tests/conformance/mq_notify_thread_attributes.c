/*
 * SIGEV_THREAD's thread has the attributes that were given: here its stack's size. It may register
 * again itself, and end by pthread_exit().
 */
#include "mq_check.h"
#include <pthread.h>

enum { STACK = 1 << 20 };

static mqd_t mq;
static int calls;
static struct sigevent event;

static void on_message(union sigval value) {
  pthread_attr_t attributes;
  size_t size;
  CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  CHECK_EQ(pthread_attr_getstacksize(&attributes, &size), 0);
  pthread_attr_destroy(&attributes);
  CHECK_EQ(size, STACK);
  CHECK_EQ(value.sival_int, 5);
  CHECK_EQ(mq_notify(mq, &event), 0);
  CHECK_RECEIVE(mq, 0, "x");
  announce(&calls, calls + 1);
  pthread_exit(NULL);
}

int main(void) {
  pthread_attr_t attributes;
  CHECK_EQ(pthread_attr_init(&attributes), 0);
  CHECK_EQ(pthread_attr_setstacksize(&attributes, STACK), 0);
  CHECK_EQ(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED), 0);
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_value.sival_int = 5;
  event.sigev_notify_function = on_message;
  event.sigev_notify_attributes = &attributes;
  mq = NEW_QUEUE("/q", 1, 8);
  CHECK_EQ(mq_notify(mq, &event), 0);
  for (int i = 0; i < 5; i++) {
    CHECK_SEND(mq, 0, "x");
    await(&calls, i + 1);
  }
  CHECK_STATUS(mq, 0, SIGEV_THREAD, 0, getpid());
  REMOVE_QUEUE("/q");
}
