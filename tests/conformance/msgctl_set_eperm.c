/*
 * IPC_SET and IPC_RMID are for the owner, the creator and CAP_SYS_ADMIN, whatever the mode allows:
 * else EPERM. The creator keeps the right when the queue is given away.
 */
#include "msg_check.h"

enum { CREATOR = 10001, OWNER = 10002, STRANGER = 10003, GROUP = 10004 };

static void as(uid_t uid, int id, int error) {
  pid_t child = fork_child();
  if (child == 0) {
    become(uid, GROUP, 0);
    struct msqid_ds ds = stat_queue(id);
    if (error) {
      CHECK_ERRNO(msgctl(id, IPC_SET, &ds), error);
      CHECK_ERRNO(msgctl(id, IPC_RMID, NULL), error);
      CHECK_ERRNO(msgctl(id, IPC_SET, NULL), EFAULT);
    } else {
      CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
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
    *id = CHECK_OK(msgget(IPC_PRIVATE, 0666));
    struct msqid_ds ds = stat_queue(*id);
    ds.msg_perm.uid = OWNER;
    CHECK_EQ(msgctl(*id, IPC_SET, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(creator);
  struct msqid_ds ds = stat_queue(*id);
  CHECK_EQ(ds.msg_perm.cuid, CREATOR);
  CHECK_EQ(ds.msg_perm.uid, OWNER);

  as(CREATOR, *id, 0);
  as(OWNER, *id, 0);
  as(STRANGER, *id, EPERM);
  as(0, *id, 0);

  /* Neither needs any permission bit. */
  set_mode(*id, 0);
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, GROUP, 0);
    CHECK_ERRNO(msgctl(*id, IPC_STAT, &ds), EACCES);
    ds.msg_perm.uid = STRANGER;
    CHECK_EQ(msgctl(*id, IPC_SET, &ds), 0);
    CHECK_ERRNO(msgctl(*id, IPC_SET, &ds), EPERM);
    _exit(0);
  }
  CHECK_CHILD(owner);
  pid_t remover = fork_child();
  if (remover == 0) {
    become(CREATOR, GROUP, 0);
    CHECK_EQ(msgctl(*id, IPC_RMID, NULL), 0);
    CHECK_ERRNO(msgctl(*id, IPC_RMID, NULL), EINVAL);
    _exit(0);
  }
  CHECK_CHILD(remover);
}
