/*
 * SIGEV_THREAD: the first message, of any process, starts a thread of the registered one, with the
 * function and the value that were given. A registration that is removed starts none.
 */
#include "mq_check.h"
#include <pthread.h>

static mqd_t mq;
static int calls;
static pthread_t caller;

static void on_message(union sigval value) {
  CHECK(value.sival_ptr == &mq);
  CHECK_RECEIVE(mq, calls, "x");
  caller = pthread_self();
  announce(&calls, calls + 1);
}

static struct sigevent by_thread(void) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = &mq};
  event.sigev_notify_function = on_message;
  return event;
}

int main(void) {
  struct sigevent event = by_thread();
  mq = NEW_QUEUE("/q", 1, 8);
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(mq_notify(mq, &event), 0);
    CHECK_STATUS(mq, 0, SIGEV_THREAD, 0, getpid());
    CHECK_ERRNO(mq_notify(mq, &event), EBUSY);
    CHECK_SEND(mq, i, "x");
    await(&calls, i + 1);
    CHECK(!pthread_equal(caller, pthread_self()));
    CHECK_STATUS(mq, 0, 0, 0, 0);
  }
  CHECK_EQ(mq_notify(mq, &event), 0);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  CHECK_SEND(mq, 9, "x");
  sleep_ms(20);
  CHECK_EQ(calls, 5);
  CHECK_RECEIVE(mq, 9, "x");

  /* A message of another process starts the thread here. */
  CHECK_EQ(mq_notify(mq, &event), 0);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_SEND(mq, 5, "x");
    _exit(0);
  }
  CHECK_CHILD(child);
  await(&calls, 6);
  CHECK_ERRNO(mq_notify(-1, &event), EBADF);
  CHECK_ERRNO(mq_notify(0, &event), EBADF);
  REMOVE_QUEUE("/q");
}
