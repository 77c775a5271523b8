/*
 * More than msg_max messages or msgsize_max bytes is EINVAL, unless the caller has
 * CAP_SYS_RESOURCE, which root may lack: then 65536 messages and 16777216 bytes are the limits. A
 * queue beyond the caller's RLIMIT_MSGQUEUE is EMFILE.
 */
#include "mq_check.h"
#include <linux/capability.h>

enum { USER = 32001 };

static long try_room(long maxmsg, long msgsize) {
  struct mq_attr attr = room_for(maxmsg, msgsize);
  mqd_t mq = mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
  if (mq < 0) return -1;
  CHECK_EQ(attributes(mq).mq_maxmsg, maxmsg);
  CHECK_EQ(attributes(mq).mq_msgsize, msgsize);
  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/q");
  return 0;
}

int main(void) {
  NEED_ROOT();
  bool may_exceed = has_capability(CAP_SYS_RESOURCE);
  if (may_exceed) {
    CHECK_EQ(try_room(11, 8193), 0);
    CHECK_EQ(try_room(HARD_MSGMAX, 1), 0);
    CHECK_EQ(try_room(1, HARD_MSGSIZEMAX), 0);
    CHECK_EQ(try_room(HARD_MSGMAX, HARD_MSGSIZEMAX), 0);
  } else {
    CHECK_ERRNO(try_room(11, 1), EINVAL);
    CHECK_ERRNO(try_room(1, 8193), EINVAL);
  }
  CHECK_ERRNO(try_room(HARD_MSGMAX + 1, 1), EINVAL);
  CHECK_ERRNO(try_room(1, HARD_MSGSIZEMAX + 1), EINVAL);

  pid_t child = fork_child();
  if (child == 0) {
    become(USER, USER, 0);
    CHECK_EQ(try_room(10, 8192), 0);
    CHECK_ERRNO(try_room(11, 1), EINVAL);
    CHECK_ERRNO(try_room(1, 8193), EINVAL);
    _exit(0);
  }
  CHECK_CHILD(child);

  /* The right to pass the maxima is none to pass the limit on bytes. */
  struct rlimit limit = {1000, 1000};
  CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
  CHECK_ERRNO(try_room(1, 1001), EMFILE);
  CHECK_ERRNO(try_room(10, 8192), EMFILE);
  CHECK_ERRNO(try_room(HARD_MSGMAX, 1), may_exceed ? EMFILE : EINVAL);
  CHECK_ERRNO(try_room(HARD_MSGMAX + 1, 1), EINVAL);
}
