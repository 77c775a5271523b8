/*
 * Of several receivers asleep for the same, each message wakes one: the one that has slept longest.
 */
#include "msg_check.h"

enum { SLEEPERS = 4 };

int main(void) {
  int id = new_queue();
  static const char* const texts[SLEEPERS] = {"first", "second", "third", "fourth"};
  pid_t sleepers[SLEEPERS];
  for (int i = 0; i < SLEEPERS; i++) sleepers[i] = FORK_RECEIVER(id, i % 2 ? 0 : 7, 0, 7, texts[i]);

  CHECK_SEND(id, 7, texts[0]);
  CHECK_CHILD(sleepers[0]);
  for (int i = 1; i < SLEEPERS; i++) PAUSE_UNTIL_BLOCKED(sleepers[i]);

  for (int i = 1; i < SLEEPERS; i++) CHECK_SEND(id, 7, texts[i]);
  for (int i = 1; i < SLEEPERS; i++) CHECK_CHILD(sleepers[i]);

  CHECK_SEND(id, 7, "nobody sleeps");
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  REMOVE_QUEUE(id);
}
