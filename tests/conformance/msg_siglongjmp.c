/*
 * A handler may leave a blocked msgrcv() or msgsnd() by siglongjmp(): the call is over and leaves
 * no trace.
 */
#include "msg_check.h"
#include <setjmp.h>

static sigjmp_buf escape;

static void on_signal(int number) { siglongjmp(escape, number); }

int main(void) {
  int id = new_queue();
  set_qbytes(id, 4);
  int* stage = shared_memory(sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    signal(SIGUSR1, on_signal);
    if (sigsetjmp(escape, 1) == 0) {
      struct message message;
      msgrcv(id, &message, sizeof message.text, 0, 0);
      FAIL("msgrcv: expected to be left by siglongjmp, it returned");
    }
    announce(stage, 1);
    await(stage, 2);
    CHECK_RECV(id, 0, IPC_NOWAIT, 1, "kept");
    CHECK_SEND(id, 1, "full");
    if (sigsetjmp(escape, 1) == 0) {
      announce(stage, 3);
      send_sized(id, 2, 4, 0);
      FAIL("msgsnd: expected to be left by siglongjmp, it returned");
    }
    CHECK_RECV(id, 0, IPC_NOWAIT, 1, "full");
    sleep_ms(5);
    CHECK_NOTHING(id, 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  await(stage, 1);
  CHECK_SEND(id, 1, "kept");
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  announce(stage, 2);
  await(stage, 3);
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);
  REMOVE_QUEUE(id);
}
