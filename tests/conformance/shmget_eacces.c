/*
 * shmget() of an existing segment: the low nine flag bits are the access asked for, all three
 * classes or-ed together and compared with the caller's own class.
 */
#include "shm_check.h"

enum { KEY = 0x10e3, OWNER = 10001, STRANGER = 10002, GROUP = 20001 };

int main(void) {
  NEED_ROOT();
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, GROUP, 0);
    int id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0264));
    CHECK_EQ(shmget(KEY, 0, 0200), id);
    CHECK_EQ(shmget(KEY, 0, 0002), id);
    CHECK_EQ(shmget(KEY, 0, 0020), id);
    CHECK_ERRNO(shmget(KEY, 0, 0400), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, 0004), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, 0100), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | 0600), EACCES);
    _exit(0);
  }
  CHECK_CHILD(owner);

  /* As a member of the group, by the effective or a supplementary one; as a stranger. */
  const struct {
    gid_t gid, supplementary;
    int has;
  } cases[] = {{GROUP, 0, 6}, {30000, GROUP, 6}, {30000, 0, 4}};
  for (int i = 0; i < 3; i++) {
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, cases[i].gid, cases[i].supplementary);
      int id = CHECK_OK(shmget(KEY, 0, 0));
      for (int asked = 0; asked < 01000; asked++) {
        int bits = (asked | asked >> 3 | asked >> 6) & 7;
        if (bits & ~cases[i].has)
          CHECK_ERRNO(shmget(KEY, 0, asked), EACCES);
        else
          CHECK_EQ(shmget(KEY, 0, asked), id);
      }
      CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | IPC_EXCL | 0777), EEXIST);
      CHECK_ERRNO(shmget(KEY + 1, 0, 0777), ENOENT);
      _exit(0);
    }
    CHECK_CHILD(child);
  }

  /* Root may do all of it. */
  int id = CHECK_OK(shmget(KEY, 0, 0777));
  REMOVE_SEGMENT(id);
}
