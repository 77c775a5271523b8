/*
 * Opening by path in /dev/mqueue asks for the same rights as mq_open(), unlink(2) there for the
 * same as mq_unlink(), with EPERM. chmod(2) and chown(2) are the owner's and root's.
 */
#include "mq_folder.h"

enum { OWNER = 32015, STRANGER = 32016 };

int main(void) {
  NEED_ROOT();
  need_folder();
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  CHECK_EQ(chown(FOLDER "/q", OWNER, OWNER), 0);
  CHECK_EQ(chmod(FOLDER "/q", 0604), 0);
  pid_t child = fork_child();
  if (child == 0) {
    become(STRANGER, STRANGER, 0);
    CHECK_OK(open(FOLDER "/q", O_RDONLY));
    CHECK_OK(mq_open("/q", O_RDONLY));
    CHECK_ERRNO(open(FOLDER "/q", O_RDWR), EACCES);
    CHECK_ERRNO(mq_open("/q", O_RDWR), EACCES);
    CHECK_ERRNO(access(FOLDER "/q", W_OK), EACCES);
    CHECK_EQ(access(FOLDER "/q", R_OK), 0);
    CHECK_ERRNO(unlink(FOLDER "/q"), EPERM);
    CHECK_ERRNO(chmod(FOLDER "/q", 0666), EPERM);
    CHECK_ERRNO(chown(FOLDER "/q", STRANGER, -1), EPERM);
    _exit(0);
  }
  CHECK_CHILD(child);
  child = fork_child();
  if (child == 0) {
    become(OWNER, OWNER, 0);
    CHECK_EQ(chmod(FOLDER "/q", 0200), 0);
    CHECK_ERRNO(mq_open("/q", O_RDONLY), EACCES);
    CHECK_SEND(CHECK_OK(mq_open("/q", O_WRONLY)), 1, "x");
    CHECK_EQ(unlink(FOLDER "/q"), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 1, "x");
}
