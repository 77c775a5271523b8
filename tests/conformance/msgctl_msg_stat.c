/*
 * MSG_STAT and MSG_STAT_ANY take an index and return the full id. Of a number that is larger than
 * an index only the index part counts, so a stale id finds the queue that has its index now.
 */
#include "msg_check.h"

int main(void) {
  const int commands[] = {MSG_STAT, MSG_STAT_ANY};
  for (int i = 0; i < 64; i++) REMOVE_QUEUE(new_queue());
  CHECK_EQ(new_queue(), SEQUENCE + 0);
  int id = CHECK_OK(msgget(0x10ca, IPC_CREAT | 0600));
  CHECK_EQ(id, SEQUENCE + 1);
  CHECK_SEND(id, 1, "abc");
  struct msqid_ds want = stat_queue(id);

  for (int i = 0; i < 2; i++) {
    struct msqid_ds ds;
    memset(&ds, 0xa5, sizeof ds);
    CHECK_EQ(msgctl(1, commands[i], &ds), id);
    CHECK(memcmp(&ds, &want, sizeof ds) == 0);

    CHECK_EQ(msgctl(id, commands[i], &ds), id);
    CHECK_EQ(msgctl(5 * SEQUENCE + 1, commands[i], &ds), id);
    CHECK_EQ(msgctl(0, commands[i], &ds), SEQUENCE);

    CHECK_ERRNO(msgctl(2, commands[i], &ds), EINVAL);
    CHECK_ERRNO(msgctl(SEQUENCE - 1, commands[i], &ds), EINVAL);
    CHECK_ERRNO(msgctl(INT_MAX, commands[i], &ds), EINVAL);
    CHECK_ERRNO(msgctl(-1, commands[i], &ds), EINVAL);
    CHECK_ERRNO(msgctl(2, commands[i], NULL), EINVAL);
    CHECK_ERRNO(msgctl(1, commands[i], NULL), EFAULT);
  }
  REMOVE_QUEUE(SEQUENCE + 0);
  REMOVE_QUEUE(id);
}
