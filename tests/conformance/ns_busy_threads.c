/*
 * Threads use queues and segments while another one makes namespaces that the process does not
 * enter: for children of clone(2), and in an unshare(2) that is refused.
 */
#include "ns_check.h"
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>

enum { CLONES = 150, REFUSALS = 1000, STACK = 65536 };

static volatile bool is_over;

static void* be_busy(void* name) {
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  int segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  while (!is_over) {
    mqd_t queue = CHECK_OK(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes));
    CHECK_OK(mq_unlink(name));
    CHECK_OK(mq_close(queue));
    void* memory = shmat(segment, NULL, 0);
    CHECK(memory != (void*)-1);
    CHECK_OK(shmdt(memory));
  }
  CHECK_OK(shmctl(segment, IPC_RMID, NULL));
  return NULL;
}

static int run_child(void* unused) {
  (void)unused;
  return msgget(1, IPC_CREAT | 0600);
}

int main(void) {
  static char stack[STACK];
  pthread_t threads[2];
  CHECK_OK(msgget(IPC_PRIVATE, 0600));
  pid_t first = clone(run_child, stack + STACK, CLONE_NEWIPC | SIGCHLD, NULL);
  if (first < 0 && errno == EPERM) SKIP("needs the right to make a namespace");
  CHECK_CHILD(first);
  CHECK_EQ(pthread_create(&threads[0], NULL, be_busy, "/ns_busy_1"), 0);
  CHECK_EQ(pthread_create(&threads[1], NULL, be_busy, "/ns_busy_2"), 0);
  /* A process with threads can't have a new user namespace. */
  for (int n = 0; n < REFUSALS; n++) CHECK_ERRNO(unshare(CLONE_NEWIPC | CLONE_NEWUSER), EINVAL);
  for (int n = 0; n < CLONES; n++)
    CHECK_CHILD(CHECK_OK(clone(run_child, stack + STACK, CLONE_NEWIPC | SIGCHLD, NULL)));
  is_over = true;
  for (int n = 0; n < 2; n++) CHECK_EQ(pthread_join(threads[n], NULL), 0);
}
