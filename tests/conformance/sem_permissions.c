/*
 * Who may alter (write: any operation but a wait for zero, SETVAL, SETALL) and read (a call of
 * waits for zero alone, the other commands). One class counts, as for message queues. A call that
 * alters needs no right to read, whatever else is in it.
 */
#include "sem_check.h"

enum { OWNER = 10001, CREATOR = 10002, STRANGER = 10003, OWNER_GROUP = 20001, CREATOR_GROUP };
enum { READ = 4, WRITE = 2 };

static int id;

static void check_as(uid_t uid, gid_t gid, int rights) {
  pid_t child = fork_child();
  if (child == 0) {
    become(uid, gid, 0);
    struct semid_ds ds;
    unsigned short values[] = {0, 0};
    int read = rights & READ ? 0 : EACCES, write = rights & WRITE ? 0 : EACCES;
    CHECK_EQ(SEMOP(id, {0, 1, 0}, {0, -1, 0}) == 0 ? 0 : errno, write);
    CHECK_EQ(SEMOP(id, {0, 0, 0}, {1, 1, 0}, {1, -1, 0}) == 0 ? 0 : errno, write);
    CHECK_EQ(SEMOP(id, {0, 0, 0}) == 0 ? 0 : errno, read);
    CHECK_EQ(SEMOP(id, {0, 0, SEM_UNDO}, {1, 0, IPC_NOWAIT}) == 0 ? 0 : errno, read);
    CHECK_EQ(setval(id, 0, 0) == 0 ? 0 : errno, write);
    CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}) == 0 ? 0 : errno, write);
    CHECK_EQ(semctl(id, 0, GETALL, (union semun){.array = values}) == 0 ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, GETVAL) == 0 ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, GETPID) >= 0 ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, GETNCNT) == 0 ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, GETZCNT) == 0 ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == 0 ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, SEM_STAT, (union semun){.buf = &ds}) == id ? 0 : errno, read);
    CHECK_EQ(semctl(id, 0, SEM_STAT_ANY, (union semun){.buf = &ds}), id);
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
    *shared = CHECK_OK(semget(IPC_PRIVATE, 2, 0600));
    _exit(0);
  }
  CHECK_CHILD(creator);
  id = *shared;
  struct semid_ds ds = stat_set(id);
  ds.sem_perm.uid = OWNER;
  ds.sem_perm.gid = OWNER_GROUP;
  CHECK_EQ(change_set(id, &ds), 0);

  const struct {
    int mode, owner, group, other;
  } cases[] = {
      {0600, READ | WRITE, 0, 0}, {0400, READ, 0, 0},
      {0200, WRITE, 0, 0},        {0060, 0, READ | WRITE, 0},
      {0006, 0, 0, READ | WRITE}, {0246, WRITE, READ, READ | WRITE},
      {0420, READ, WRITE, 0},     {0111, 0, 0, 0},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    set_mode(id, cases[i].mode);
    check_as(OWNER, OWNER_GROUP, cases[i].owner);
    check_as(CREATOR, 30000, cases[i].owner);
    check_as(STRANGER, OWNER_GROUP, cases[i].group);
    check_as(STRANGER, CREATOR_GROUP, cases[i].group);
    check_as(STRANGER, 30000, cases[i].other);
    check_as(0, 0, READ | WRITE);
  }
  REMOVE_SET(id);
}
