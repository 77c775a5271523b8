/*
 * What a new segment is: all zero to the last byte of its last page, with its maker's pid, user and
 * group and the time of now; no pid, time or attachment else. Asking for it again changes nothing.
 */
#include "shm_check.h"

enum { KEY = 0x10e5, SIZE = 10000 };

int main(void) {
  time_t before = time(NULL);
  int id = CHECK_OK(shmget(KEY, SIZE, IPC_CREAT | 0640));
  time_t after = time(NULL);
  struct shmid_ds ds = stat_segment(id);
  CHECK_EQ(ds.shm_perm.__key, KEY);
  CHECK_EQ(ds.shm_perm.uid, geteuid());
  CHECK_EQ(ds.shm_perm.cuid, geteuid());
  CHECK_EQ(ds.shm_perm.gid, getegid());
  CHECK_EQ(ds.shm_perm.cgid, getegid());
  CHECK_EQ(ds.shm_perm.mode, 0640);
  CHECK_EQ(ds.shm_perm.__seq, 0);
  CHECK_EQ(ds.shm_segsz, SIZE);
  CHECK_EQ(ds.shm_atime, 0);
  CHECK_EQ(ds.shm_dtime, 0);
  CHECK(ds.shm_ctime >= before && ds.shm_ctime <= after);
  CHECK_EQ(ds.shm_cpid, getpid());
  CHECK_EQ(ds.shm_lpid, 0);
  CHECK_EQ(ds.shm_nattch, 0);

  pid_t other = fork_child();
  if (other == 0) {
    CHECK_EQ(shmget(KEY, 0, 0600), id);
    CHECK_EQ(shmget(KEY, SIZE, IPC_CREAT | 0640), id);
    struct shmid_ds again = stat_segment(id);
    CHECK(memcmp(&again, &ds, sizeof ds) == 0);
    _exit(0);
  }
  CHECK_CHILD(other);

  char* p = ATTACH(id);
  CHECK_BYTES(p, 0, (SIZE + pages(1) - 1) / pages(1) * pages(1));
  DETACH(p);
  REMOVE_SEGMENT(id);
}
