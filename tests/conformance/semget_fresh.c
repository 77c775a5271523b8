/*
 * A new set: all values 0, no pid, nobody waiting, never operated on, also where an old set had
 * values, and it lives on when its maker dies. Its mode is the low nine flag bits: umask plays no
 * part, later semget() calls do not change it.
 */
#include "sem_check.h"
#include <sys/stat.h>

enum { KEY = 0x10d3 };

int main(void) {
  umask(0777);
  for (int round = 0; round < 70; round++) {
    time_t before = time(NULL);
    int id = CHECK_OK(semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0642));
    struct semid_ds ds = stat_set(id), want;
    memset(&want, 0, sizeof want);
    want.sem_perm.__key = KEY;
    want.sem_perm.uid = want.sem_perm.cuid = geteuid();
    want.sem_perm.gid = want.sem_perm.cgid = getegid();
    want.sem_perm.mode = 0642;
    want.sem_perm.__seq = id / SEQUENCE;
    want.sem_ctime = ds.sem_ctime;
    want.sem_nsems = 3;
    CHECK(memcmp(&ds, &want, sizeof ds) == 0);
    CHECK(ds.sem_ctime >= before - 1 && ds.sem_ctime <= time(NULL));
    for (int i = 0; i < 3; i++) {
      CHECK_VALUE(id, i, 0);
      CHECK_PID(id, i, 0);
      CHECK_COUNTS(id, i, 0, 0);
    }
    CHECK_EQ(semget(KEY, 3, IPC_CREAT | 0600), id);
    CHECK_EQ(stat_set(id).sem_perm.mode, 0642);

    pid_t killed = 0;
    if (round % 16 == 0) kill_to_zombie(killed = FORK_SEMOP(id, 0, {0, 5, 0}, {1, -1, 0}));
    CHECK_EQ(SEMOP(id, {0, 1, 0}, {1, 0, 0}, {2, 32767, SEM_UNDO}), 0);
    REMOVE_SET(id);
    if (killed) KILL_CHILD(killed);
  }

  /* Execute bits are kept. Bits that no IPC call defines are neither refused nor kept. */
  int id = CHECK_OK(semget(KEY, 1, (int)0xfffff000 | IPC_CREAT | IPC_EXCL | 0711));
  CHECK_EQ(stat_set(id).sem_perm.mode, 0711);
  REMOVE_SET(id);

  int* made = shared_memory(sizeof *made);
  pid_t maker = fork_child();
  if (maker == 0) {
    *made = new_set(1);
    CHECK_EQ(SEMOP(*made, {0, 3, 0}), 0);
    _exit(0);
  }
  CHECK_CHILD(maker);
  CHECK_VALUE(*made, 0, 3);
  CHECK_PID(*made, 0, maker);
  REMOVE_SET(*made);
}
