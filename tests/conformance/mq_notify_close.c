/*
 * The registration is gone when its process closes any of its descriptors of the queue, a copy or
 * another mq_open()'s too; not when another process closes one, a thread ends, or dup2(2) is
 * refused.
 */
#include "mq_check.h"
#include <pthread.h>

#define CHECK_REGISTERED(mq) CHECK_STATUS((mq), 0, SIGEV_SIGNAL, SIGUSR1, getpid())
#define CHECK_FREE(mq) CHECK_STATUS((mq), 0, 0, 0, 0)

static void* register_it(void* mq) {
  CHECK_EQ(notify_by_signal(*(mqd_t*)mq, SIGUSR1), 0);
  return NULL;
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  mqd_t other = CHECK_OK(mq_open("/q", O_WRONLY));
  int copy = CHECK_OK(dup(mq)), over = CHECK_OK(dup(mq)), ranged = CHECK_OK(dup(mq));
  block_signal(SIGUSR1);

  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t child = fork_child();
  if (child == 0) {
    CLOSE_QUEUE(mq);
    CLOSE_QUEUE(copy);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_REGISTERED(mq);
  CLOSE_QUEUE(other);
  CHECK_FREE(mq);
  CHECK_SEND(mq, 0, "x");
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_RECEIVE(mq, 0, "x");

  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_EQ(close(copy), 0);
  CHECK_FREE(mq);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_ERRNO(dup2(-1, over), EBADF);
  CHECK_ERRNO(dup3(STDERR_FILENO, over, O_NONBLOCK), EINVAL);
  CHECK_REGISTERED(mq);
  CHECK_EQ(dup2(STDERR_FILENO, over), over);
  CHECK_FREE(mq);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_EQ(close_range(ranged, ranged, 0), 0);
  CHECK_FREE(mq);

  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, register_it, &mq), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_REGISTERED(mq);
  REMOVE_QUEUE("/q");
  CHECK_REGISTERED(mq);
  CHECK_SEND(mq, 0, "x");
  CHECK_SIGNAL(SIGUSR1);
}
