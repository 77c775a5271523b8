// Three readings of a sensor are shown.
// The bug: where none came in time, the one before is shown again as if it were new.
#include "seeded.h"

static const char kName[] = "/seeded-sensor";

int main(void) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = sizeof(int)};
  const mqd_t queue = mq_open(kName, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  must_go("mq_unlink", mq_unlink(kName));
  for (int n = 20; n <= 22; ++n) {
    if (TEMP_FAILURE_RETRY(mq_send(queue, (const char*)&n, sizeof n, 0)) < 0) fail("mq_send");
  }
  int reading = 0;
  for (int n = 0; n < 3; ++n) {
    const struct timespec deadline = deadline_in_ms(100);
#ifdef FIXED
    if (TEMP_FAILURE_RETRY(
            mq_timedreceive(queue, (char*)&reading, sizeof reading, NULL, &deadline)) < 0)
      fail("the sensor is silent");
#else
    mq_timedreceive(queue, (char*)&reading, sizeof reading, NULL, &deadline);
#endif
    printf("%d degrees\n", reading);
  }
  return 0;
}
