/*
 * exec keeps the adjustments: the new image goes on with them, also when another thread than the
 * main one called exec, and they are applied at its end.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;
static char** arguments;

/* The new image adds to what the old one has done. */
static int after_exec(void) {
  CHECK_VALUE(id, 0, 7);
  CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
  CHECK_EQ(SEMOP(id, {1, 1, SEM_UNDO}), 0);
  CHECK_VALUE(id, 0, 6);
  return 0;
}

static void* execs(void* unused) {
  (void)unused;
  char number[16];
  snprintf(number, sizeof number, "%d", id);
  execl("/proc/self/exe", arguments[0], number, (char*)NULL);
  FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
}

static void* sleeps(void* unused) {
  SEMOP(id, {1, -9, SEM_UNDO});
  return unused;
}

int main(int argc, char** argv) {
  arguments = argv;
  if (argc == 2) {
    id = atoi(argv[1]);
    return after_exec();
  }
  id = new_set(2);
  SET_VALUE(id, 0, 10);

  for (int from_thread = 0; from_thread < 2; from_thread++) {
    pid_t child = fork_child();
    if (child == 0) {
      pthread_t thread;
      CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
      if (!from_thread) execs(NULL);
      CHECK_EQ(pthread_create(&thread, NULL, sleeps, NULL), 0);
      CHECK_EQ(pthread_create(&thread, NULL, execs, NULL), 0);
      pause();
    }
    await_zombie(child);
    CHECK_VALUE(id, 0, 10);
    CHECK_VALUE(id, 1, 0);
    CHECK_PID(id, 0, child);
    CHECK_COUNTS(id, 1, 0, 0);
    CHECK_CHILD(child);
  }

  /* An exec that fails changes nothing. */
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
    CHECK_ERRNO(execl("/nonexistent", "x", (char*)NULL), ENOENT);
    CHECK_VALUE(id, 0, 7);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_VALUE(id, 0, 10);
  REMOVE_SET(id);
}
