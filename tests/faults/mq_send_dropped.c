// Samples are sent without waiting, and counted where they arrive.
// The bug: those that found no room are gone, and nobody knows.
#include "seeded.h"

static const char kName[] = "/seeded-samples";

static int send_sample(mqd_t queue, int sample) {
#ifdef FIXED
  for (int tries = 0; tries < 50; ++tries) {
    if (mq_send(queue, (const char*)&sample, sizeof sample, 0) == 0) return 0;
    if (errno != EAGAIN && errno != EINTR) return -1;
    usleep(1000);
  }
  return -1;
#else
  mq_send(queue, (const char*)&sample, sizeof sample, 0);
  return 0;
#endif
}

int main(void) {
  struct mq_attr attributes = {.mq_maxmsg = 8, .mq_msgsize = sizeof(int)};
  const mqd_t queue = mq_open(kName, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  must_go("mq_unlink", mq_unlink(kName));
  for (int n = 0; n < 5; ++n) {
    if (send_sample(queue, n) < 0) fail("mq_send");
  }
  struct mq_attr now = {0};
  if (mq_getattr(queue, &now) < 0) fail("mq_getattr");
  printf("%ld samples\n", now.mq_curmsgs);
  return 0;
}
