// Whoever comes first makes the queue, and the others open it.
// The bug: between the two steps the queue may be gone again, and that is not looked at.
#include "seeded.h"

static const char kName[] = "/seeded-shared";

static mqd_t open_shared(void) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 16};
  mqd_t queue = (mqd_t)-1;
  for (int tries = 0; tries < (IS_FIXED ? 10 : 1); ++tries) {
    queue = mq_open(kName, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue != (mqd_t)-1 || errno != EEXIST) return queue;
    queue = mq_open(kName, O_RDWR);
    if (queue != (mqd_t)-1 || errno != ENOENT) return queue;
  }
  return queue;
}

int main(void) {
  const mqd_t queue = open_shared();
#ifdef FIXED
  if (queue == (mqd_t)-1) fail("mq_open");
#endif
  char text[16] = "nothing";
  const int result = mq_send(queue, "hello", 6, 0);
  if (result == 0) mq_receive(queue, text, sizeof text, NULL);
  must_go("mq_unlink", mq_unlink(kName));
  if (IS_FIXED && (result < 0 || strcmp(text, "hello") != 0)) fail("no greeting");
  printf("%s\n", text);
  return 0;
}
