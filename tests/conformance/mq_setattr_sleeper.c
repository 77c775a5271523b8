/*
 * O_NONBLOCK set on a descriptor, by mq_setattr() or fcntl(), leaves those who sleep on it asleep;
 * it counts from the next call on, and for a restarted one too.
 */
#include "mq_check.h"

static void on_signal(int number) { (void)number; }

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  mqd_t writer = CHECK_OK(mq_open("/q", O_WRONLY));
  pid_t sleeper = FORK_RECEIVER(mq, 0, "woken");
  CHECK_EQ(mq_setattr(mq, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL), 0);
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_SEND(writer, 0, "woken");
  CHECK_CHILD(sleeper);
  char room[8];
  CHECK_ERRNO(mq_receive(mq, room, sizeof room, NULL), EAGAIN);

  CHECK_EQ(fcntl(mq, F_SETFL, 0), 0);
  sleeper = fork_child();
  if (sleeper == 0) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    CHECK_ERRNO(mq_receive(mq, room, sizeof room, NULL), EAGAIN);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_EQ(fcntl(mq, F_SETFL, O_NONBLOCK), 0);
  PAUSE_UNTIL_BLOCKED(sleeper);
  kill(sleeper, SIGUSR1);
  CHECK_CHILD(sleeper);
  REMOVE_QUEUE("/q");
}
