/*
 * A forked child moves to a namespace of its own, uses what it has of its parent's, and comes back
 * to its own.
 */
#include "mq_check.h"
#include "ns_check.h"

/* Moves, and leaves a descriptor of a queue there. */
static mqd_t queue_in_new(void) {
  MOVE_TO_NEW();
  return CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0600, NULL));
}

static void use_in_turns(const mqd_t* queues, int count) {
  char text[8192];
  int id[3];
  for (int n = 0; n < count; n++) {
    CHECK_EQ(mq_send(queues[n], "turn", 4, 0), 0);
    id[n] = CHECK_OK(msgget(100 + n, IPC_CREAT | IPC_EXCL | 0600));
    CHECK_EQ(mq_receive(queues[n], text, sizeof text, NULL), 4);
  }
  for (int n = 0; n < count; n++) CHECK_EQ(msgctl(id[n], IPC_RMID, NULL), 0);
}

int main(void) {
  mqd_t queues[3];
  for (int n = 0; n < 3; n++) queues[n] = queue_in_new();
  int own = open_namespace();
  for (int n = 0; n < 3; n++) {
    pid_t child = fork_child();
    if (child == 0) {
      MOVE_TO_NEW();
      use_in_turns(queues, 3);
      pid_t grandchild = fork_child();
      if (grandchild == 0) {
        use_in_turns(queues, 3);
        MOVE_TO_NEW();
        use_in_turns(queues, 3);
        _exit(0);
      }
      CHECK_CHILD(grandchild);
      CHECK_EQ(setns(own, 0), 0);
      CHECK_ERRNO(msgget(100, 0), ENOENT);
      _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_ERRNO(msgget(100, 0), ENOENT);
  }
}
