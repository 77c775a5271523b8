/*
 * IPC_SET and IPC_RMID are for the owner, the creator and CAP_SYS_ADMIN, whatever the mode allows:
 * else EPERM. The creator keeps the right when the segment is given away.
 */
#include "shm_check.h"

enum { CREATOR = 10001, OWNER = 10002, STRANGER = 10003, GROUP = 10004 };

static void as(uid_t uid, int id, int error) {
  pid_t child = fork_child();
  if (child == 0) {
    become(uid, GROUP, 0);
    struct shmid_ds ds = stat_segment(id);
    if (error) {
      CHECK_ERRNO(shmctl(id, IPC_SET, &ds), error);
      CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), error);
      CHECK_ERRNO(shmctl(id, IPC_SET, NULL), EFAULT);
    } else {
      CHECK_EQ(shmctl(id, IPC_SET, &ds), 0);
    }
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(void) {
  NEED_ROOT();
  int* id = shared_memory(sizeof *id);
  pid_t creator = fork_child();
  if (creator == 0) {
    become(CREATOR, GROUP, 0);
    *id = CHECK_OK(shmget(IPC_PRIVATE, 100, 0666));
    struct shmid_ds ds = stat_segment(*id);
    ds.shm_perm.uid = OWNER;
    CHECK_EQ(shmctl(*id, IPC_SET, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(creator);
  as(CREATOR, *id, 0);
  as(OWNER, *id, 0);
  as(STRANGER, *id, EPERM);
  as(0, *id, 0);

  /* Neither needs any permission bit, and an attached segment is no other case. */
  set_mode(*id, 0);
  char* p = ATTACH(*id);
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, GROUP, 0);
    struct shmid_ds ds = {.shm_perm = {.uid = OWNER, .gid = GROUP}};
    CHECK_ERRNO(shmctl(*id, IPC_STAT, &ds), EACCES);
    CHECK_EQ(shmctl(*id, IPC_SET, &ds), 0);
    CHECK_EQ(shmctl(*id, IPC_RMID, NULL), 0);
    /* Marked to be destroyed, it is still someone's. */
    CHECK_EQ(shmctl(*id, IPC_RMID, NULL), 0);
    _exit(0);
  }
  CHECK_CHILD(owner);
  CHECK_EQ(stat_segment(*id).shm_perm.mode, SHM_DEST);
  as(0, *id, 0);
  set_mode(*id, 0666);
  as(STRANGER, *id, EPERM);
  as(CREATOR, *id, 0);
  DETACH(p);
  CHECK_DESTROYED(*id);
}
