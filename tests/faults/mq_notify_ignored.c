// A signal tells of the first message.
// The bug: without the registration there is no signal, and the process sleeps on.
#include "seeded.h"

static const char kName[] = "/seeded-bell";

int main(void) {
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
  const mqd_t queue = mq_open(kName, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  must_go("mq_unlink", mq_unlink(kName));
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  sigprocmask(SIG_BLOCK, &wanted, NULL);
  const struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  const int registered = mq_notify(queue, &event);
  if (IS_FIXED && registered < 0) fail("mq_notify");
  for (int tries = 0; mq_send(queue, "ring", 5, 0) < 0; ++tries) {
    if (errno != EAGAIN || tries == 50) fail("mq_send");
    usleep(1000);
  }
  int signal = 0;
  sigwait(&wanted, &signal);
  char text[16];
  if (mq_receive(queue, text, sizeof text, NULL) < 0) fail("mq_receive");
  puts(text);
  return 0;
}
