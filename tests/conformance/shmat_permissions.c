/*
 * shmat() needs the right to read, without SHM_RDONLY also to write, with SHM_EXEC also to execute;
 * IPC_STAT and SHM_STAT that to read, SHM_STAT_ANY none. Owner or creator, group or creator's
 * group, else the others: one class counts. Root may do all of it.
 */
#include "shm_check.h"

enum { OWNER = 10001, CREATOR = 10002, STRANGER = 10003, OWNER_GROUP = 20001, CREATOR_GROUP };
enum { READ = 4, WRITE = 2, EXECUTE = 1, ALL = 7 };

static int id;

static void check_attach(int flags, bool allowed) {
  if (allowed)
    DETACH(SHMAT(id, NULL, flags));
  else
    CHECK_ERRNO(shmat(id, NULL, flags), EACCES);
}

static void check_as(uid_t uid, gid_t gid, gid_t supplementary, int rights) {
  pid_t child = fork_child();
  if (child == 0) {
    become(uid, gid, supplementary);
    struct shmid_ds ds;
    check_attach(SHM_RDONLY, rights & READ);
    check_attach(0, (rights & (READ | WRITE)) == (READ | WRITE));
    check_attach(SHM_RDONLY | SHM_EXEC, (rights & (READ | EXECUTE)) == (READ | EXECUTE));
    check_attach(SHM_EXEC, rights == ALL);
    int read = rights & READ ? 0 : EACCES;
    CHECK_EQ(shmctl(id, IPC_STAT, &ds) == 0 ? 0 : errno, read);
    CHECK_EQ(shmctl(id, SHM_STAT, &ds) == id ? 0 : errno, read);
    CHECK_EQ(shmctl(id, SHM_STAT_ANY, &ds), id);
    CHECK_EQ(ds.shm_nattch, 0);
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(void) {
  NEED_ROOT();
  int* shared = shared_memory(sizeof *shared);
  pid_t creator = fork_child();
  if (creator == 0) {
    become(CREATOR, CREATOR_GROUP, 0);
    *shared = CHECK_OK(shmget(IPC_PRIVATE, 100, 0600));
    _exit(0);
  }
  CHECK_CHILD(creator);
  id = *shared;
  struct shmid_ds ds = stat_segment(id);
  ds.shm_perm.uid = OWNER;
  ds.shm_perm.gid = OWNER_GROUP;
  CHECK_EQ(shmctl(id, IPC_SET, &ds), 0);

  const struct {
    int mode, owner, group, other;
  } cases[] = {
      {0600, READ | WRITE, 0, 0}, {0400, READ, 0, 0},
      {0200, WRITE, 0, 0},        {0060, 0, READ | WRITE, 0},
      {0006, 0, 0, READ | WRITE}, {0246, WRITE, READ, READ | WRITE},
      {0420, READ, WRITE, 0},     {0111, EXECUTE, EXECUTE, EXECUTE},
      {0753, ALL, 5, 3},          {0175, EXECUTE, ALL, 5},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    set_mode(id, cases[i].mode);
    check_as(OWNER, OWNER_GROUP, 0, cases[i].owner);
    check_as(CREATOR, 30000, 0, cases[i].owner);
    check_as(STRANGER, OWNER_GROUP, 0, cases[i].group);
    check_as(STRANGER, CREATOR_GROUP, 0, cases[i].group);
    check_as(STRANGER, 30000, OWNER_GROUP, cases[i].group);
    check_as(STRANGER, 30000, CREATOR_GROUP, cases[i].group);
    check_as(STRANGER, 30000, 0, cases[i].other);
    check_as(0, 0, 0, ALL);
  }
  REMOVE_SEGMENT(id);
}
