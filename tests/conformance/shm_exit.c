/*
 * However a process ends, its attachments are gone before its parent can learn of it: exit(),
 * _exit(), a signal, SIGKILL. It is lpid, and the time is dtime.
 */
#include "shm_check.h"
#include <sys/resource.h>

enum { ROUNDS = 10 };

static void end_by(int way, char* attached) {
  switch (way) {
    case 0: _exit(0);
    case 1: exit(0);
    case 2: raise(SIGTERM); break;
    case 3: raise(SIGKILL); break;
    case 4: abort();
    case 5: *(volatile char*)attached = 1; break;
  }
}

int main(void) {
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  int id = new_segment(pages(4));
  char* mine = SHMAT(id, NULL, SHM_RDONLY);
  for (int i = 0; i < 6 * ROUNDS; i++) {
    pid_t child = fork_child();
    if (child == 0) {
      ATTACH(id);
      char* p = ATTACH(id);
      CHECK_EQ(munmap(p + pages(1), pages(1)), 0);
      CHECK_NATTCH(id, 5);
      end_by(i % 6, mine);
      FAIL("expected an end");
    }
    await_zombie(child);
    struct shmid_ds ds = stat_segment(id);
    CHECK_EQ(ds.shm_nattch, 1);
    CHECK_EQ(ds.shm_lpid, child);
    CHECK(ds.shm_dtime != 0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    forget_child(child);
    if (WIFEXITED(status)) CHECK_EQ(WEXITSTATUS(status), 0);
    CHECK_NATTCH(id, 1);
  }
  DETACH(mine);
  REMOVE_SEGMENT(id);
}
