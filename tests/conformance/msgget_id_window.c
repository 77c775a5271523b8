/*
 * With many queues the window of indexes is one and a half times their number, not 64; when it
 * shrinks below the cursor, the search starts again at 0 with the next sequence number.
 */
#include "msg_check.h"

enum { QUEUES = 100 };

int main(void) {
  for (int i = 0; i < QUEUES; i++) CHECK_EQ(new_queue(), i);

  /* 99 queues are in use at each creation: the window ends at 99 * 3 / 2 = 148. */
  REMOVE_QUEUE(0);
  for (int i = QUEUES; i < 148; i++) {
    CHECK_EQ(new_queue(), i);
    REMOVE_QUEUE(i);
  }
  CHECK_EQ(new_queue(), SEQUENCE + 0);
  CHECK_EQ(new_queue(), SEQUENCE + 100);

  /* Down to two queues: the window is 64 again and the cursor, 101, lies outside. Index 0 is still
   * taken. */
  for (int i = 1; i < QUEUES; i++) REMOVE_QUEUE(i);
  CHECK_EQ(new_queue(), 2 * SEQUENCE + 1);
  CHECK_EQ(new_queue(), 2 * SEQUENCE + 2);

  REMOVE_QUEUE(SEQUENCE + 0);
  REMOVE_QUEUE(SEQUENCE + 100);
  REMOVE_QUEUE(2 * SEQUENCE + 1);
  REMOVE_QUEUE(2 * SEQUENCE + 2);
}
