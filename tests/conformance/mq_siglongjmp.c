/*
 * A handler may leave a sleeping mq_receive() or mq_send() by siglongjmp(): the call is over and
 * leaves no trace.
 */
#include "mq_check.h"
#include <setjmp.h>

static sigjmp_buf escape;

static void on_signal(int number) { siglongjmp(escape, number); }

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  int* stage = shared_memory(sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    char room[8];
    signal(SIGUSR1, on_signal);
    if (sigsetjmp(escape, 1) == 0) {
      mq_receive(mq, room, sizeof room, NULL);
      FAIL("mq_receive: expected to be left by siglongjmp, it returned");
    }
    announce(stage, 1);
    await(stage, 2);
    CHECK_RECEIVE(mq, 1, "kept");
    CHECK_SEND(mq, 1, "full");
    if (sigsetjmp(escape, 1) == 0) {
      announce(stage, 3);
      mq_send(mq, "never", 5, 2);
      FAIL("mq_send: expected to be left by siglongjmp, it returned");
    }
    CHECK_RECEIVE(mq, 1, "full");
    CHECK_CURMSGS(mq, 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  await(stage, 1);
  CHECK_SEND(mq, 1, "kept");
  CHECK_CURMSGS(mq, 1);
  announce(stage, 2);
  await(stage, 3);
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);
  REMOVE_QUEUE("/q");
}
