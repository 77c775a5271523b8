/*
 * A process whose first thread has ended is attached as long as another thread lives. exec by a
 * thread detaches once the others are gone; exit_group() and SIGKILL detach with all threads.
 */
#include "shm_check.h"
#include <pthread.h>

static int id;
static int* stage;

static void* outlive(void* address) {
  while (task_state(getpid()) != 'Z') sleep_ms(1);
  CHECK_NATTCH(id, 1);
  strcpy(address, "last thread");
  announce(stage, 1);
  await(stage, 2);
  DETACH(address);
  CHECK_NATTCH(id, 0);
  CHECK_LPID(id, getpid());
  ATTACH(id);
  announce(stage, 3);
  await(stage, 4);
  return NULL;
}

static void* exec_self(void* path) {
  char text[16];
  snprintf(text, sizeof text, "%d", id);
  execl("/proc/self/exe", path, text, (char*)NULL);
  FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
}

static void* sleep_on(void* unused) {
  announce(stage, 1);
  for (;;) pause();
  return unused;
}

int main(int argc, char** argv) {
  if (argc == 2) {
    CHECK_NATTCH(atoi(argv[1]), 0);
    CHECK_LPID(atoi(argv[1]), getpid());
    return 0;
  }
  id = new_segment(100);
  stage = shared_memory(sizeof *stage);
  pthread_t thread;

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(pthread_create(&thread, NULL, outlive, ATTACH(id)), 0);
    pthread_exit(NULL);
  }
  await(stage, 1);
  CHECK_NATTCH(id, 1);
  announce(stage, 2);
  await(stage, 3);
  CHECK_NATTCH(id, 1);
  announce(stage, 4);
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 0);

  announce(stage, 0);
  child = fork_child();
  if (child == 0) {
    ATTACH(id);
    CHECK_EQ(pthread_create(&thread, NULL, exec_self, argv[0]), 0);
    for (;;) pause();
  }
  CHECK_CHILD(child);
  CHECK_LPID(id, child);

  child = fork_child();
  if (child == 0) {
    ATTACH(id);
    CHECK_EQ(pthread_create(&thread, NULL, sleep_on, NULL), 0);
    for (;;) pause();
  }
  await(stage, 1);
  CHECK_NATTCH(id, 1);
  kill_to_zombie(child);
  CHECK_NATTCH(id, 0);
  KILL_CHILD(child);
  REMOVE_SEGMENT(id);
}
