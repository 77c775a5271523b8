// A reply is awaited for a while, by a queue with a name of its own.
// The bug: where it does not come in time, the name stays.
#include "seeded.h"

static const char kName[] = "/seeded-reply";

int main(void) {
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
  const mqd_t queue = mq_open(kName, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  const int sent = TEMP_FAILURE_RETRY(mq_send(queue, "yes", 4, 0));
  if (sent < 0) perror("mq_send");
  char reply[16];
  const struct timespec deadline = deadline_in_ms(50);
  const ssize_t size =
      TEMP_FAILURE_RETRY(mq_timedreceive(queue, reply, sizeof reply, NULL, &deadline));
  if (size < 0) {
    perror("no reply");
#ifdef FIXED
    must_go("mq_unlink", mq_unlink(kName));
#endif
    return 1;
  }
  must_go("mq_unlink", mq_unlink(kName));
  printf("the reply is %s\n", reply);
  return 0;
}
