/*
 * Messages of several pages come through whole, at any alignment. A receiver may say that its room
 * is larger than any message can be.
 */
#include "mq_check.h"

int main(void) {
  static char sent[ROOM + 8], got[ROOM + 8];
  mqd_t mq = NEW_QUEUE("/q", 2, ROOM);
  for (int i = 0; i < ROOM + 8; i++) sent[i] = (char)(i * 7 + i / 251);
  const int sizes[] = {1, 4047, 4048, 4049, 4096, 8136, 8191, 8192};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int shift = 0; shift < 8; shift += 3) {
      memset(got, 0, sizeof got);
      CHECK_EQ(mq_send(mq, sent + shift, sizes[i], 0), 0);
      CHECK_STATUS(mq, sizes[i], 0, 0, 0);
      CHECK_EQ(mq_receive(mq, got + 7 - shift, (size_t)1 << 40, NULL), sizes[i]);
      CHECK_EQ(memcmp(got + 7 - shift, sent + shift, sizes[i]), 0);
      CHECK_EQ(got[7 - shift + sizes[i]], 0);
    }
  }
  REMOVE_QUEUE("/q");
}
