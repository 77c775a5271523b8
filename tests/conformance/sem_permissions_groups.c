/*
 * Which ids decide: the effective uid, not the real one; the group list; and of the single gids the
 * filesystem gid, which follows the effective gid unless setfsgid() parts them.
 */
#include "sem_check.h"
#include <sys/fsuid.h>

enum { OWNER = 10001, STRANGER = 10003, GROUP = 20001, OTHER_GROUP = 20002 };

int main(void) {
  NEED_ROOT();
  int id = new_set(1);
  struct semid_ds ds = stat_set(id);
  ds.sem_perm.uid = OWNER;
  ds.sem_perm.gid = GROUP;
  ds.sem_perm.mode = 0640;
  CHECK_EQ(change_set(id, &ds), 0);
  /* The creator's group, 0, has the same rights: nobody below may be in it. */

  pid_t listed = fork_child();
  if (listed == 0) {
    become(STRANGER, OTHER_GROUP, GROUP);
    CHECK_EQ(SEMOP(id, {0, 0, 0}), 0);
    CHECK_ERRNO(SEMOP(id, {0, 1, 0}), EACCES);
    _exit(0);
  }
  CHECK_CHILD(listed);

  /* The real and the saved gid do not count, nor do another's. */
  pid_t real_group = fork_child();
  if (real_group == 0) {
    CHECK_EQ(setgroups(1, (gid_t[]){OTHER_GROUP}), 0);
    CHECK_EQ(setresgid(GROUP, OTHER_GROUP, GROUP), 0);
    CHECK_EQ(setresuid(STRANGER, STRANGER, STRANGER), 0);
    CHECK_ERRNO(SEMOP(id, {0, 0, 0}), EACCES);
    CHECK_EQ(setresgid(OTHER_GROUP, GROUP, GROUP), 0);
    CHECK_EQ(SEMOP(id, {0, 0, 0}), 0);
    setfsgid(OTHER_GROUP);
    CHECK_ERRNO(semctl(id, 0, GETVAL), EACCES);
    setfsgid(GROUP);
    CHECK_VALUE(id, 0, 0);
    _exit(0);
  }
  CHECK_CHILD(real_group);

  /* The effective uid makes the owner; the real, saved and filesystem uids do not. */
  pid_t real_owner = fork_child();
  if (real_owner == 0) {
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(OTHER_GROUP, OTHER_GROUP, OTHER_GROUP), 0);
    CHECK_EQ(setresuid(OWNER, STRANGER, OWNER), 0);
    CHECK_ERRNO(SEMOP(id, {0, 1, 0}), EACCES);
    setfsuid(OWNER);
    CHECK_ERRNO(SEMOP(id, {0, 1, 0}), EACCES);
    CHECK_EQ(seteuid(OWNER), 0);
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_EQ(change_set(id, &ds), 0);
    _exit(0);
  }
  CHECK_CHILD(real_owner);
  REMOVE_SET(id);
}
