/*
 * msgget() of an existing queue: the low nine flag bits are the access asked for, all three classes
 * or-ed together and compared with the caller's own class. EEXIST and ENOENT come before EACCES.
 */
#include "msg_check.h"

enum { KEY = 0x10c4, OWNER = 10001, STRANGER = 10002 };

int main(void) {
  NEED_ROOT();
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, OWNER, 0);
    int id = CHECK_OK(msgget(KEY, IPC_CREAT | 0204));
    CHECK_EQ(msgget(KEY, 0200), id);
    CHECK_EQ(msgget(KEY, 0002), id);
    CHECK_EQ(msgget(KEY, 0020), id);
    CHECK_ERRNO(msgget(KEY, 0400), EACCES);
    CHECK_ERRNO(msgget(KEY, 0004), EACCES);
    CHECK_ERRNO(msgget(KEY, 0100), EACCES);
    CHECK_ERRNO(msgget(KEY, IPC_CREAT | 0600), EACCES);
    _exit(0);
  }
  CHECK_CHILD(owner);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(STRANGER, STRANGER, 0);
    int id = CHECK_OK(msgget(KEY, 0));
    CHECK_EQ(msgget(KEY, 0400), id);
    CHECK_EQ(msgget(KEY, 0444), id);
    CHECK_EQ(msgget(KEY, IPC_CREAT | 0004), id);
    CHECK_ERRNO(msgget(KEY, 0002), EACCES);
    CHECK_ERRNO(msgget(KEY, 0200), EACCES);
    CHECK_ERRNO(msgget(KEY, IPC_CREAT | 0666), EACCES);
    CHECK_ERRNO(msgget(KEY, IPC_CREAT | IPC_EXCL | 0666), EEXIST);
    CHECK_ERRNO(msgget(KEY + 1, 0666), ENOENT);
    _exit(0);
  }
  CHECK_CHILD(stranger);

  /* Root may do all of it. */
  int id = CHECK_OK(msgget(KEY, 0777));
  REMOVE_QUEUE(id);
}
