/*
 * SHM_LOCK and SHM_UNLOCK are for the owner, the creator and CAP_IPC_LOCK, by the user alone, not
 * by group or mode: else EPERM. Without CAP_IPC_LOCK, SHM_LOCK is EPERM with RLIMIT_MEMLOCK 0, and
 * ENOMEM when the user's locked pages would be more than it, each segment rounded up. What is
 * locked already may be locked again. SHM_UNLOCK and the segment's end give the room back.
 */
#include "shm_check.h"
#include <sys/resource.h>

/* Users that nothing else locks memory for. */
enum { CREATOR = 10711, OWNER = 10712, STRANGER = 10713, GROUP = 10714 };

static void limit_pages(size_t count) {
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  limit.rlim_cur = count ? pages(count) + 1 : 0;
  CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

static void check_limits(void) {
  int one = new_segment(1), two = new_segment(pages(1) + 1), five = new_segment(pages(5));
  limit_pages(0);
  CHECK_ERRNO(shmctl(one, SHM_LOCK, NULL), EPERM);
  CHECK_EQ(shmctl(one, SHM_UNLOCK, NULL), 0);
  limit_pages(4);
  CHECK_ERRNO(shmctl(five, SHM_LOCK, NULL), ENOMEM);
  CHECK_EQ(stat_segment(five).shm_perm.mode, 0600);
  CHECK_EQ(shmctl(one, SHM_LOCK, NULL), 0);
  CHECK_EQ(shmctl(two, SHM_LOCK, NULL), 0);
  CHECK_EQ(shmctl(two, SHM_LOCK, NULL), 0);
  int more = new_segment(pages(2));
  CHECK_ERRNO(shmctl(more, SHM_LOCK, NULL), ENOMEM);
  CHECK_EQ(shmctl(one, SHM_UNLOCK, NULL), 0);
  CHECK_EQ(shmctl(more, SHM_LOCK, NULL), 0);
  CHECK_ERRNO(shmctl(one, SHM_LOCK, NULL), ENOMEM);
  REMOVE_SEGMENT(more);
  CHECK_EQ(shmctl(one, SHM_LOCK, NULL), 0);

  /* The limit counts where something is locked anew. */
  limit_pages(1);
  CHECK_EQ(shmctl(two, SHM_LOCK, NULL), 0);
  CHECK_EQ(shmctl(one, SHM_UNLOCK, NULL), 0);
  CHECK_ERRNO(shmctl(one, SHM_LOCK, NULL), ENOMEM);
  limit_pages(0);
  CHECK_ERRNO(shmctl(two, SHM_LOCK, NULL), EPERM);
  CHECK_EQ(shmctl(two, SHM_UNLOCK, NULL), 0);
  REMOVE_SEGMENT(one);
  REMOVE_SEGMENT(two);
  REMOVE_SEGMENT(five);
}

static void check_right(uid_t uid, gid_t gid, int id, int error) {
  pid_t child = fork_child();
  if (child == 0) {
    limit_pages(8);
    become(uid, gid, 0);
    CHECK_EQ(shmctl(id, SHM_LOCK, NULL) == 0 ? 0 : errno, error);
    CHECK_EQ(shmctl(id, SHM_UNLOCK, NULL) == 0 ? 0 : errno, error);
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(void) {
  NEED_ROOT();
  pid_t child = fork_child();
  if (child == 0) {
    become(CREATOR, GROUP, 0);
    check_limits();
    _exit(0);
  }
  CHECK_CHILD(child);

  int* id = shared_memory(sizeof *id);
  child = fork_child();
  if (child == 0) {
    become(CREATOR, GROUP, 0);
    *id = CHECK_OK(shmget(IPC_PRIVATE, 100, 0600));
    struct shmid_ds ds = stat_segment(*id);
    ds.shm_perm.uid = OWNER;
    CHECK_EQ(shmctl(*id, IPC_SET, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  const int modes[] = {0, 0777};
  for (int i = 0; i < 2; i++) {
    set_mode(*id, modes[i]);
    check_right(CREATOR, GROUP, *id, 0);
    check_right(OWNER, 30000, *id, 0);
    check_right(STRANGER, GROUP, *id, EPERM);
    check_right(0, 0, *id, 0);
  }

  /* With CAP_IPC_LOCK there is no limit. */
  if (has_capability(14)) {
    limit_pages(0);
    CHECK_EQ(shmctl(*id, SHM_LOCK, NULL), 0);
  }
  REMOVE_SEGMENT(*id);
}
