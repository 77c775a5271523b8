/*
 * Who may send (write), receive, peek and stat (read): one class counts, the owner's for owner or
 * creator, else the group's, else the others', and its bits alone, though another class would allow
 * more.
 */
#include "msg_check.h"

enum {
  OWNER = 10001,
  CREATOR = 10002,
  STRANGER = 10003,
  OWNER_GROUP = 20001,
  CREATOR_GROUP = 20002
};

enum { READ = 4, WRITE = 2 };

static int id;

static void check_as(uid_t uid, gid_t gid, int rights) {
  pid_t child = fork_child();
  if (child == 0) {
    become(uid, gid, 0);
    struct message message;
    struct msqid_ds ds;
    CHECK_EQ(send_sized(id, 1, 1, 0) == 0 ? 0 : errno, rights & WRITE ? 0 : EACCES);
    CHECK_EQ(msgctl(id, IPC_STAT, &ds) == 0 ? 0 : errno, rights & READ ? 0 : EACCES);
    CHECK_EQ(msgctl(id, MSG_STAT, &ds) == id ? 0 : errno, rights & READ ? 0 : EACCES);
    CHECK_EQ(msgctl(id, MSG_STAT_ANY, &ds), id);
    CHECK_EQ(msgrcv(id, &message, 1, 0, MSG_COPY | IPC_NOWAIT) == 1 ? 0 : errno,
             rights & READ ? 0 : EACCES);
    CHECK_EQ(msgrcv(id, &message, 1, 0, IPC_NOWAIT) == 1 ? 0 : errno, rights & READ ? 0 : EACCES);
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(void) {
  NEED_MSG_COPY();
  NEED_ROOT();
  int* shared = shared_memory(sizeof *shared);
  pid_t creator = fork_child();
  if (creator == 0) {
    become(CREATOR, CREATOR_GROUP, 0);
    *shared = CHECK_OK(msgget(IPC_PRIVATE, 0600));
    _exit(0);
  }
  CHECK_CHILD(creator);
  id = *shared;
  struct msqid_ds ds = stat_queue(id);
  ds.msg_perm.uid = OWNER;
  ds.msg_perm.gid = OWNER_GROUP;
  CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
  for (int i = 0; i < 100; i++) CHECK_SEND(id, 1, "x");

  const struct {
    int mode, owner, group, other;
  } cases[] = {
      {0600, READ | WRITE, 0, 0},
      {0400, READ, 0, 0},
      {0200, WRITE, 0, 0},
      {0060, 0, READ | WRITE, 0},
      {0066, 0, READ | WRITE, READ | WRITE},
      {0006, 0, 0, READ | WRITE},
      {0246, WRITE, READ, READ | WRITE},
      {0111, 0, 0, 0},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    set_mode(id, cases[i].mode);
    check_as(OWNER, 30000, cases[i].owner);
    check_as(OWNER, OWNER_GROUP, cases[i].owner);
    check_as(CREATOR, 30000, cases[i].owner);
    check_as(STRANGER, OWNER_GROUP, cases[i].group);
    check_as(STRANGER, CREATOR_GROUP, cases[i].group);
    check_as(STRANGER, 30000, cases[i].other);
    check_as(0, 0, READ | WRITE);
  }
  REMOVE_QUEUE(id);
}
