/*
 * However a process ends, its SEM_UNDO operations are taken back: exit, _exit, abort, SIGKILL,
 * SIGSEGV, SIGTERM, an end by the last thread. What was done without the flag stays.
 */
#include "sem_check.h"
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void* ends_last(void* main_thread) {
  CHECK_EQ(pthread_join(*(pthread_t*)main_thread, NULL), 0);
  syscall(SYS_exit, 0);
  return NULL;
}

static void end(int how) {
  static pthread_t main_thread;
  pthread_t thread;
  switch (how) {
    case 0: exit(0);
    case 1: _exit(0);
    case 2: abort();
    case 3: raise(SIGKILL); break;
    case 4: *end_of_memory() = 1; break;
    case 5: raise(SIGTERM); break;
    case 6: syscall(SYS_exit_group, 0); break;
    case 7: syscall(SYS_exit, 0); break;
    case 8: alarm(0), signal(SIGALRM, SIG_DFL), raise(SIGALRM); break;
    case 9:
      main_thread = pthread_self();
      pthread_create(&thread, NULL, ends_last, &main_thread);
      pthread_exit(NULL);
  }
}

int main(void) {
  int id = new_set(3);
  SET_VALUE(id, 0, 5);
  SET_VALUE(id, 2, 20);
  for (int how = 0; how < 10; how++) {
    pid_t child = fork_child();
    if (child == 0) {
      prctl(PR_SET_DUMPABLE, 0);
      CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}, {1, 4, SEM_UNDO}, {2, -1, 0}), 0);
      CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
      CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
      CHECK_VALUE(id, 0, 2);
      CHECK_VALUE(id, 1, 4);
      end(how);
      FAIL("end %d: expected the process to be gone", how);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    forget_child(child);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
    CHECK_EQ(WIFSIGNALED(status), how >= 2 && how != 6 && how != 7 && how != 9);
    CHECK_VALUE(id, 0, 5);
    CHECK_VALUE(id, 1, 0);
    CHECK_VALUE(id, 2, 19 - how);
    CHECK_PID(id, 0, child);
    CHECK_PID(id, 1, child);
  }
  REMOVE_SET(id);
}
