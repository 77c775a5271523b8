/*
 * IPC_SET changes uid, gid and the nine mode bits, and nothing else that the structure holds;
 * values, pids and sleepers stay as they are.
 */
#include "sem_check.h"

int main(void) {
  NEED_ROOT();
  int id = CHECK_OK(semget(0x10d9, 2, IPC_CREAT | 0600));
  CHECK_EQ(SEMOP(id, {0, 3, 0}), 0);
  pid_t sleeper = FORK_SEMOP(id, 0, {0, -4, 0});
  struct semid_ds before = stat_set(id), set, after;

  memset(&set, 0x5a, sizeof set);
  set.sem_perm.uid = 4242;
  set.sem_perm.gid = 4343;
  set.sem_perm.mode = 0xfe00 | 0251;
  CHECK_EQ(change_set(id, &set), 0);

  after = stat_set(id);
  struct semid_ds want = before;
  want.sem_perm.uid = 4242;
  want.sem_perm.gid = 4343;
  want.sem_perm.mode = 0251;
  want.sem_ctime = after.sem_ctime;
  CHECK(memcmp(&after, &want, sizeof after) == 0);
  CHECK(after.sem_ctime >= before.sem_ctime);

  /* 4294967294 is a user, 4294967295 is none. Nothing changes when it is refused. */
  set.sem_perm.uid = set.sem_perm.gid = -2;
  CHECK_EQ(change_set(id, &set), 0);
  CHECK_EQ(stat_set(id).sem_perm.uid, 4294967294u);
  set.sem_perm.mode = 0777;
  set.sem_perm.uid = -1;
  CHECK_ERRNO(change_set(id, &set), EINVAL);
  set.sem_perm.uid = 0;
  set.sem_perm.gid = -1;
  CHECK_ERRNO(change_set(id, &set), EINVAL);
  after = stat_set(id);
  CHECK_EQ(after.sem_perm.mode, 0251);
  CHECK_EQ(after.sem_perm.uid, 4294967294u);

  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_VALUE(id, 0, 3);
  CHECK_PID(id, 0, getpid());
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(sleeper);

  /* The key still finds it. */
  CHECK_EQ(semget(0x10d9, 2, 0), id);
  REMOVE_SET(id);
}
