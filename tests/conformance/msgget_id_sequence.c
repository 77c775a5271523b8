/*
 * Ids in a fresh namespace: the index counts up from 0 through a window of 64 although lower ones
 * are free, and each time it goes round, the sequence number rises by one for the whole namespace.
 */
#include "msg_check.h"

int main(void) {
  for (int i = 0; i < 64; i++) {
    CHECK_EQ(new_queue(), i);
    REMOVE_QUEUE(i);
  }
  CHECK_EQ(new_queue(), SEQUENCE + 0);
  CHECK_EQ(new_queue(), SEQUENCE + 1);
  CHECK_EQ(stat_queue(SEQUENCE + 1).msg_perm.__seq, 1);
  REMOVE_QUEUE(SEQUENCE + 0);
  CHECK_EQ(new_queue(), SEQUENCE + 2);

  /* The indexes that are taken (1 and 2) are stepped over in the next round. */
  for (int i = 3; i < 64; i++) {
    CHECK_EQ(new_queue(), SEQUENCE + i);
    REMOVE_QUEUE(SEQUENCE + i);
  }
  CHECK_EQ(new_queue(), 2 * SEQUENCE + 0);
  CHECK_EQ(new_queue(), 2 * SEQUENCE + 3);

  REMOVE_QUEUE(SEQUENCE + 1);
  REMOVE_QUEUE(SEQUENCE + 2);
  REMOVE_QUEUE(2 * SEQUENCE + 0);
  REMOVE_QUEUE(2 * SEQUENCE + 3);
}
