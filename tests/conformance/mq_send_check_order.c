/*
 * What a wrong call is told first: the deadline's memory (EFAULT) and value (EINVAL), the priority
 * (EINVAL), the descriptor and its mode (EBADF), the size (EMSGSIZE), the text's memory (EFAULT),
 * the state of the queue (EAGAIN).
 */
#include "mq_check.h"

static const struct timespec wrong = {0, 1000000000};

int main(void) {
  struct timespec* nowhere = (struct timespec*)end_of_memory();
  char* bad = end_of_memory();
  mqd_t mq = NEW_QUEUE_WITH("/q", 1, 8, O_NONBLOCK);
  mqd_t reader = CHECK_OK(mq_open("/q", O_RDONLY | O_NONBLOCK));
  mqd_t closed = CHECK_OK(dup(reader));
  close(closed);
  CHECK_SEND(mq, 0, "full");

  CHECK_ERRNO(mq_timedsend(closed, bad, 9, 32768, nowhere), EFAULT);
  CHECK_ERRNO(mq_timedsend(closed, bad, 9, 0, &wrong), EINVAL);
  CHECK_ERRNO(mq_timedsend(closed, bad, 9, 32768, &the_past), EINVAL);
  CHECK_ERRNO(mq_timedsend(closed, bad, 9, 0, &the_past), EBADF);
  CHECK_ERRNO(mq_timedsend(-1, bad, 9, 0, &the_past), EBADF);
  CHECK_ERRNO(mq_timedsend(reader, bad, 9, 0, &the_past), EBADF);
  CHECK_ERRNO(mq_timedsend(mq, bad, 9, 0, &the_past), EMSGSIZE);
  CHECK_ERRNO(mq_timedsend(mq, bad, 8, 0, &the_past), EFAULT);
  CHECK_ERRNO(mq_timedsend(mq, bad - 4, 8, 0, &the_past), EFAULT);
  CHECK_ERRNO(mq_timedsend(mq, bad - 4, 4, 0, &the_past), EAGAIN);
  CHECK_ERRNO(mq_timedsend(mq, bad, 0, 0, &the_past), EAGAIN);
  CHECK_ERRNO(mq_send(mq, bad, 8, 0), EFAULT);
  CHECK_ERRNO(mq_send(mq, no_memory(), 1, 0), EFAULT);
  CHECK_RECEIVE(mq, 0, "full");
  CHECK_ERRNO(mq_send(mq, bad, 1, 0), EFAULT);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
