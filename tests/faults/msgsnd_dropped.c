// Events go to a queue without waiting, and are read later.
// The bug: an event that finds no room is dropped without a word.
#include "seeded.h"

int main(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  int dropped = 0;
  for (int n = 1; n <= 4; ++n) {
    const struct message event = {n, n};
    if (msgsnd(queue, &event, kMessageSize, IPC_NOWAIT) < 0) ++dropped;
  }
  int events = 0;
  struct message event;
  while (msgrcv(queue, &event, kMessageSize, 0, IPC_NOWAIT) > 0) ++events;
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  if (IS_FIXED && (dropped != 0 || events != 4)) {
    fprintf(stderr, "%d events were dropped, %d read\n", dropped, events);
    return 1;
  }
  printf("%d events\n", events);
  return 0;
}
