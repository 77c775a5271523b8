/*
 * IPC_SET and IPC_RMID are for the owner, the creator and CAP_SYS_ADMIN, whatever the mode allows:
 * else EPERM. The creator keeps the right when the set is given away.
 */
#include "sem_check.h"

enum { CREATOR = 10001, OWNER = 10002, STRANGER = 10003, GROUP = 10004 };

static void as(uid_t uid, int id, int error) {
  pid_t child = fork_child();
  if (child == 0) {
    become(uid, GROUP, 0);
    struct semid_ds ds = stat_set(id);
    if (error) {
      CHECK_ERRNO(change_set(id, &ds), error);
      CHECK_ERRNO(semctl(id, 0, IPC_RMID), error);
      CHECK_ERRNO(change_set(id, NULL), EFAULT);
    } else {
      CHECK_EQ(change_set(id, &ds), 0);
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
    *id = CHECK_OK(semget(IPC_PRIVATE, 1, 0666));
    struct semid_ds ds = stat_set(*id);
    ds.sem_perm.uid = OWNER;
    CHECK_EQ(change_set(*id, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(creator);
  struct semid_ds ds = stat_set(*id);
  CHECK_EQ(ds.sem_perm.cuid, CREATOR);
  CHECK_EQ(ds.sem_perm.uid, OWNER);

  as(CREATOR, *id, 0);
  as(OWNER, *id, 0);
  as(STRANGER, *id, EPERM);
  as(0, *id, 0);

  /* Neither needs any permission bit. */
  set_mode(*id, 0);
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, GROUP, 0);
    CHECK_ERRNO(semctl(*id, 0, GETVAL), EACCES);
    ds.sem_perm.uid = STRANGER;
    CHECK_EQ(change_set(*id, &ds), 0);
    CHECK_ERRNO(change_set(*id, &ds), EPERM);
    _exit(0);
  }
  CHECK_CHILD(owner);
  pid_t remover = fork_child();
  if (remover == 0) {
    become(CREATOR, GROUP, 0);
    REMOVE_SET(*id);
    CHECK_ERRNO(semctl(*id, 0, IPC_RMID), EINVAL);
    _exit(0);
  }
  CHECK_CHILD(remover);
}
