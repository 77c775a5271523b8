/*
 * A queue costs its maker mq_maxmsg times (mq_msgsize + 96) bytes (48 for a message and 48 for its
 * priority) as long as it exists, with or without messages. Beyond RLIMIT_MSGQUEUE, mq_open() is
 * EMFILE. The opener of a queue that exists pays nothing. The usual limit, 819200, gives 9 default
 * queues.
 */
#include "mq_check.h"

/* Their own: a user's queues in all namespaces count together. */
static uid_t user, other;

static mqd_t try_queue(const char* name, long maxmsg, long msgsize) {
  struct mq_attr attr = room_for(maxmsg, msgsize);
  return mq_open(name, O_CREAT | O_RDWR, 0666, &attr);
}

static void set_limit(rlim_t bytes) {
  struct rlimit limit = {bytes, 819200};
  CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
}

static void as_user(void) {
  become(user, user, 0);
  umask(0);
  set_limit(819200);
  for (int i = 0; i < 9; i++) {
    char name[8];
    snprintf(name, sizeof name, "/%d", i);
    CLOSE_QUEUE(CHECK_OK(mq_open(name, O_CREAT | O_RDWR, 0600, NULL)));
  }
  CHECK_ERRNO(mq_open("/9", O_CREAT | O_RDWR, 0600, NULL), EMFILE);
  CHECK_ERRNO(mq_open("/9", O_RDWR), ENOENT);
  CLOSE_QUEUE(CHECK_OK(mq_open("/8", O_CREAT | O_RDWR, 0600, NULL)));
  mqd_t open = CHECK_OK(mq_open("/0", O_RDWR));
  REMOVE_QUEUE("/0");
  CHECK_ERRNO(mq_open("/9", O_CREAT | O_RDWR, 0600, NULL), EMFILE);
  CLOSE_QUEUE(open);
  CLOSE_QUEUE(CHECK_OK(mq_open("/0", O_CREAT | O_RDWR, 0600, NULL)));
  for (char name[] = "/0"; name[1] <= '8'; name[1]++) REMOVE_QUEUE(name);

  set_limit(5 * (7 + 96) + 3 * (100 + 96));
  CLOSE_QUEUE(CHECK_OK(try_queue("/a", 5, 7)));
  CHECK_ERRNO(try_queue("/b", 3, 101), EMFILE);
  CLOSE_QUEUE(CHECK_OK(try_queue("/b", 3, 100)));
  CHECK_ERRNO(try_queue("/c", 1, 1), EMFILE);
  set_limit(0);
  mqd_t mq = CHECK_OK(mq_open("/a", O_RDWR));
  for (int i = 0; i < 5; i++) CHECK_SEND(mq, i, "7 bytes");
}

int main(void) {
  NEED_ROOT();
  user = 1000000 + getpid();
  other = 10000000 + getpid();
  pid_t child = fork_child();
  if (child == 0) {
    as_user();
    _exit(0);
  }
  CHECK_CHILD(child);
  /* The bytes are the user's, not the process's, nor the next owner's, nor another user's. */
  child = fork_child();
  if (child == 0) {
    set_limit(5 * (7 + 96) + 3 * (100 + 96));
    become(user, user, 0);
    CHECK_ERRNO(try_queue("/c", 1, 1), EMFILE);
    REMOVE_QUEUE("/b");
    CHECK_ERRNO(try_queue("/c", 3, 101), EMFILE);
    CLOSE_QUEUE(CHECK_OK(try_queue("/c", 3, 100)));
    _exit(0);
  }
  CHECK_CHILD(child);
  mqd_t mq = CHECK_OK(mq_open("/a", O_RDWR));
  CHECK_EQ(fchown(mq, other, other), 0);
  child = fork_child();
  if (child == 0) {
    set_limit(5 * (7 + 96) + 3 * (100 + 96));
    become(other, other, 0);
    CLOSE_QUEUE(CHECK_OK(try_queue("/d", 3, 100)));
    CLOSE_QUEUE(CHECK_OK(try_queue("/e", 5, 7)));
    _exit(0);
  }
  CHECK_CHILD(child);
}
