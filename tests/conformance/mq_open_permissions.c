/*
 * Who may open to receive (read) and to send (write): one class counts, the owner's, else the
 * group's (supplementary groups too), else the others', and its bits alone. Root may all. A refused
 * open is EACCES; execute bits say nothing.
 */
#include "mq_check.h"

enum { OWNER = 32005, STRANGER = 32006, GROUP = 42005, OTHER_GROUP = 42006 };
enum { READ = 4, WRITE = 2 };

static void check_as(uid_t uid, gid_t gid, gid_t supplementary, int rights) {
  pid_t child = fork_child();
  if (child == 0) {
    if (uid != 0) become(uid, gid, supplementary);
    const struct {
      int flags, needs;
    } ways[] = {{O_RDONLY, READ},
                {O_WRONLY, WRITE},
                {O_RDWR, READ | WRITE},
                {O_CREAT | O_RDWR, READ | WRITE}};
    for (int i = 0; i < 4; i++) {
      bool allowed = (rights & ways[i].needs) == ways[i].needs;
      mqd_t mq = mq_open("/q", ways[i].flags, 0666, NULL);
      int error = errno;
      if (allowed)
        CHECK(mq >= 0);
      else
        CHECK_EQ(mq < 0 ? error : 0, EACCES);
    }
    CHECK_ERRNO(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0666, NULL), EEXIST);
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(void) {
  NEED_ROOT();
  mqd_t mq = NEW_QUEUE("/q", 1, 1);
  CHECK_EQ(fchown(mq, OWNER, GROUP), 0);
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
    CHECK_EQ(fchmod(mq, cases[i].mode), 0);
    check_as(OWNER, OTHER_GROUP, 0, cases[i].owner);
    check_as(OWNER, GROUP, 0, cases[i].owner);
    check_as(STRANGER, GROUP, 0, cases[i].group);
    check_as(STRANGER, OTHER_GROUP, GROUP, cases[i].group);
    check_as(STRANGER, OTHER_GROUP, 0, cases[i].other);
    check_as(0, 0, 0, READ | WRITE);
  }
  REMOVE_QUEUE("/q");
}
