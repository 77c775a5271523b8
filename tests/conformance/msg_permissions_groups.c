/*
 * Which ids decide: the effective uid, not the real one; the group list; and of the single gids the
 * filesystem gid, which follows the effective gid unless setfsgid() parts them.
 */
#include "msg_check.h"
#include <sys/fsuid.h>

enum { OWNER = 10001, STRANGER = 10003, GROUP = 20001, OTHER_GROUP = 20002 };

int main(void) {
  NEED_MSG_COPY();
  NEED_ROOT();
  int id = new_queue();
  CHECK_SEND(id, 1, "x");
  struct msqid_ds ds = stat_queue(id);
  ds.msg_perm.uid = OWNER;
  ds.msg_perm.gid = GROUP;
  ds.msg_perm.mode = 0640;
  CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
  /* The creator's group, 0, has the same rights: nobody below may be in it. */

  pid_t listed = fork_child();
  if (listed == 0) {
    become(STRANGER, OTHER_GROUP, GROUP);
    CHECK_RECV(id, 0, IPC_NOWAIT | MSG_COPY, 1, "x");
    CHECK_ERRNO(send_sized(id, 1, 1, IPC_NOWAIT), EACCES);
    _exit(0);
  }
  CHECK_CHILD(listed);

  pid_t unlisted = fork_child();
  if (unlisted == 0) {
    become(STRANGER, OTHER_GROUP, OTHER_GROUP);
    CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EACCES);
    _exit(0);
  }
  CHECK_CHILD(unlisted);

  /* The real and the saved gid do not count. */
  pid_t real_group = fork_child();
  if (real_group == 0) {
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(GROUP, OTHER_GROUP, GROUP), 0);
    CHECK_EQ(setresuid(STRANGER, STRANGER, STRANGER), 0);
    CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EACCES);
    CHECK_EQ(setresgid(OTHER_GROUP, GROUP, GROUP), 0);
    CHECK_EQ(msgctl(id, IPC_STAT, &ds), 0);
    setfsgid(OTHER_GROUP);
    CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EACCES);
    setfsgid(GROUP);
    CHECK_EQ(msgctl(id, IPC_STAT, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(real_group);

  /* The effective uid makes the owner; the real, saved and filesystem uids do not. */
  pid_t real_owner = fork_child();
  if (real_owner == 0) {
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(OTHER_GROUP, OTHER_GROUP, OTHER_GROUP), 0);
    CHECK_EQ(setresuid(OWNER, STRANGER, OWNER), 0);
    CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EACCES);
    setfsuid(OWNER);
    CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EACCES);
    CHECK_EQ(seteuid(OWNER), 0);
    CHECK_EQ(msgctl(id, IPC_STAT, &ds), 0);
    CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(real_owner);
  REMOVE_QUEUE(id);
}
