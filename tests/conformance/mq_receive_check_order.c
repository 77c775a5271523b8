/*
 * What a wrong call is told first: the deadline's memory (EFAULT) and value (EINVAL), the
 * descriptor and its mode (EBADF), the room's size (EMSGSIZE), the state of the queue (EAGAIN). The
 * memory for the text is touched last.
 */
#include "mq_check.h"

static const struct timespec wrong = {-1, 0};

int main(void) {
  struct timespec* nowhere = (struct timespec*)end_of_memory();
  char* bad = end_of_memory();
  mqd_t mq = NEW_QUEUE_WITH("/q", 1, 8, O_NONBLOCK);
  mqd_t writer = CHECK_OK(mq_open("/q", O_WRONLY | O_NONBLOCK));
  mqd_t closed = CHECK_OK(dup(writer));
  close(closed);
  for (int full = 0; full < 2; full++) {
    CHECK_ERRNO(mq_timedreceive(closed, bad, 7, NULL, nowhere), EFAULT);
    CHECK_ERRNO(mq_timedreceive(closed, bad, 7, NULL, &wrong), EINVAL);
    CHECK_ERRNO(mq_timedreceive(closed, bad, 7, NULL, &the_past), EBADF);
    CHECK_ERRNO(mq_timedreceive(-1, bad, 7, NULL, no_memory()), EBADF);
    CHECK_ERRNO(mq_timedreceive(writer, bad, 7, NULL, &the_past), EBADF);
    CHECK_ERRNO(mq_timedreceive(mq, bad, 7, NULL, &the_past), EMSGSIZE);
    CHECK_ERRNO(mq_receive(mq, bad, 7, NULL), EMSGSIZE);
    if (full) break;
    CHECK_ERRNO(mq_timedreceive(mq, bad, 8, (unsigned*)(bad + 8), &the_past), EAGAIN);
    CHECK_ERRNO(mq_receive(mq, no_memory(), 8, NULL), EAGAIN);
    CHECK_SEND(mq, 0, "full");
  }
  CHECK_RECEIVE(mq, 0, "full");
  REMOVE_QUEUE("/q");
}
