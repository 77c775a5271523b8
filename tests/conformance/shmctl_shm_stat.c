/*
 * SHM_STAT and SHM_STAT_ANY take an index and return the full id. Of a number that is larger than
 * an index only the index part counts, so a stale id finds the segment that has its index now. The
 * first needs the right to read, the second none.
 */
#include "shm_check.h"

int main(void) {
  const int commands[] = {SHM_STAT, SHM_STAT_ANY};
  for (int i = 0; i < 64; i++) REMOVE_SEGMENT(new_segment(1));
  CHECK_EQ(new_segment(1), SEQUENCE + 0);
  int id = CHECK_OK(shmget(0x10ee, 7777, IPC_CREAT | 0600));
  CHECK_EQ(id, SEQUENCE + 1);
  char* p = ATTACH(id);
  struct shmid_ds want = stat_segment(id);
  CHECK_EQ(want.shm_segsz, 7777);
  CHECK_EQ(want.shm_nattch, 1);
  CHECK_EQ(want.shm_perm.__seq, 1);

  for (int i = 0; i < 2; i++) {
    struct shmid_ds ds;
    memset(&ds, 0xa5, sizeof ds);
    CHECK_EQ(shmctl(1, commands[i], &ds), id);
    CHECK(memcmp(&ds, &want, sizeof ds) == 0);

    CHECK_EQ(shmctl(id, commands[i], &ds), id);
    CHECK_EQ(shmctl(5 * SEQUENCE + 1, commands[i], &ds), id);
    CHECK_EQ(shmctl(0, commands[i], &ds), SEQUENCE);

    CHECK_ERRNO(shmctl(2, commands[i], &ds), EINVAL);
    CHECK_ERRNO(shmctl(SEQUENCE - 1, commands[i], &ds), EINVAL);
    CHECK_ERRNO(shmctl(INT_MAX, commands[i], &ds), EINVAL);
    CHECK_ERRNO(shmctl(-1, commands[i], &ds), EINVAL);
    CHECK_ERRNO(shmctl(2, commands[i], NULL), EINVAL);
    CHECK_ERRNO(shmctl(1, commands[i], NULL), EFAULT);
  }

  if (can_become_others()) {
    pid_t stranger = fork_child();
    if (stranger == 0) {
      struct shmid_ds ds;
      become(10001, 10001, 0);
      CHECK_ERRNO(shmctl(1, SHM_STAT, &ds), EACCES);
      memset(&ds, 0xa5, sizeof ds);
      CHECK_EQ(shmctl(1, SHM_STAT_ANY, &ds), id);
      want = ds;
      CHECK_EQ(ds.shm_segsz, 7777);
      CHECK_EQ(ds.shm_nattch, 2);
      _exit(0);
    }
    CHECK_CHILD(stranger);
  }
  DETACH(p);
  REMOVE_SEGMENT(SEQUENCE + 0);
  REMOVE_SEGMENT(id);
}
