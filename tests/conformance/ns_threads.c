/*
 * A namespace is a thread's: the others of its process stay, those that it starts come along.
 */
#include "ns_check.h"
#include <pthread.h>

enum { KEY = 0x6e54 };

static int* stage;
static bool is_denied;

static void* inherit(void* context) {
  (void)context;
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | 0600), 0);
  return NULL;
}

static void* move_away(void* context) {
  (void)context;
  if (unshare(CLONE_NEWIPC) != 0) {
    is_denied = true;
    return NULL;
  }
  CHECK_ERRNO(msgget(KEY, 0), ENOENT);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
  CHECK(NAMESPACE_OF("/proc/thread-self/ns/ipc") != NAMESPACE_OF("/proc/self/ns/ipc"));
  pthread_t child;
  CHECK_EQ(pthread_create(&child, NULL, inherit, NULL), 0);
  CHECK_EQ(pthread_join(child, NULL), 0);

  /* So does a process. */
  pid_t forked = fork_child();
  if (forked == 0) {
    CHECK_EQ(semget(KEY, 0, 0), 0);
    CHECK_EQ(NAMESPACE_OF("/proc/thread-self/ns/ipc"),
             (long long)NAMESPACE_OF("/proc/self/ns/ipc"));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/ipc", getppid());
    CHECK(NAMESPACE_OF(path) != OWN_NAMESPACE());
    _exit(0);
  }
  CHECK_CHILD(forked);
  announce(stage, 1);
  await(stage, 2);
  CHECK_EQ(msgget(KEY, 0), 0);
  return NULL;
}

static void* stay(void* context) {
  (void)context;
  CHECK_EQ(msgget(KEY, 0), 1);
  return NULL;
}

int main(void) {
  stage = shared_memory(sizeof *stage);
  CHECK_EQ(msgget(IPC_PRIVATE, 0600), 0);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 1);
  pthread_t mover, other;
  CHECK_EQ(pthread_create(&mover, NULL, move_away, NULL), 0);
  while (*(volatile int*)stage != 1) {
    if (is_denied) SKIP("needs the right to unshare the IPC namespace");
    sleep_ms(1);
  }
  CHECK_EQ(msgget(KEY, 0), 1);
  CHECK_ERRNO(semget(KEY, 0, 0), ENOENT);
  CHECK_EQ(pthread_create(&other, NULL, stay, NULL), 0);
  CHECK_EQ(pthread_join(other, NULL), 0);
  announce(stage, 2);
  CHECK_EQ(pthread_join(mover, NULL), 0);
  CHECK_EQ(msgget(KEY, 0), 1);
}
