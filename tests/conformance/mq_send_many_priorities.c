/*
 * A full queue of messages in a thousand turns: always the oldest message of the highest priority
 * comes out.
 */
#include "mq_check.h"

enum { MESSAGES = 10, TURNS = 1000 };

struct sent {
  unsigned priority, number;
  bool queued;
};

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", MESSAGES, sizeof(unsigned));
  struct sent all[MESSAGES] = {{0}};
  unsigned random = 12345, count = 0;
  for (unsigned turn = 0; turn < TURNS; turn++) {
    random = random * 1103515245 + 12345;
    if (count < MESSAGES && (count == 0 || random >> 16 & 1)) {
      unsigned priority = (random >> 17) % 4 * 10922;
      CHECK_EQ(mq_send(mq, (char*)&turn, sizeof turn, priority), 0);
      int slot = 0;
      while (all[slot].queued) slot++;
      all[slot] = (struct sent){priority, turn, true};
      count++;
      continue;
    }
    int best = -1;
    for (int i = 0; i < MESSAGES; i++) {
      if (!all[i].queued) continue;
      if (best < 0 || all[i].priority > all[best].priority ||
          (all[i].priority == all[best].priority && all[i].number < all[best].number))
        best = i;
    }
    unsigned number, priority;
    CHECK_EQ(mq_receive(mq, (char*)&number, sizeof number, &priority), sizeof number);
    CHECK_EQ(number, all[best].number);
    CHECK_EQ(priority, all[best].priority);
    all[best].queued = false;
    CHECK_CURMSGS(mq, --count);
  }
  REMOVE_QUEUE("/q");
}
