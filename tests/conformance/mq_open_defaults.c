/*
 * Without attributes a queue has 10 messages of 8192 bytes: msg_default and msgsize_default, or
 * msg_max and msgsize_max if these are less. The user's right to exceed the maxima is not used.
 */
#include "mq_sysctl.h"

static void check_default(long maxmsg, long msgsize) {
  mqd_t mq = CHECK_OK(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
  struct mq_attr attr = attributes(mq);
  CHECK_EQ(attr.mq_flags, 0);
  CHECK_EQ(attr.mq_maxmsg, maxmsg);
  CHECK_EQ(attr.mq_msgsize, msgsize);
  CHECK_EQ(attr.mq_curmsgs, 0);
  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/q");
}

int main(void) {
  check_default(DEFAULT_MAXMSG, DEFAULT_MSGSIZE);
  NEED_ROOT();
  need_own_sysctl();
  mqd_t old = CHECK_OK(mq_open("/old", O_CREAT | O_RDWR, 0600, NULL));
  CHECK_EQ(put_text(MSG_DEFAULT_FILE, "4"), 0);
  check_default(4, 8192);
  CHECK_EQ(put_text(MSGSIZE_DEFAULT_FILE, "200"), 0);
  check_default(4, 200);
  CHECK_EQ(put_text(MSG_DEFAULT_FILE, "20"), 0);
  check_default(10, 200);
  CHECK_EQ(put_text(MSGSIZE_DEFAULT_FILE, "10000"), 0);
  check_default(10, 8192);
  CHECK_EQ(put_text(MSG_MAX_FILE, "2"), 0);
  CHECK_EQ(put_text(MSGSIZE_MAX_FILE, "128"), 0);
  check_default(2, 128);
  /* A queue keeps what it was made with. */
  CHECK_EQ(attributes(old).mq_maxmsg, DEFAULT_MAXMSG);
  CHECK_EQ(attributes(old).mq_msgsize, DEFAULT_MSGSIZE);
  REMOVE_QUEUE("/old");
}
