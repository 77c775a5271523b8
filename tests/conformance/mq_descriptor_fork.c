/*
 * A child has its parent's descriptors: the same queue, the same flags. Each closes its own.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  int* stage = shared_memory(sizeof *stage);
  CHECK_SEND(mq, 1, "parent");
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_RECEIVE(mq, 1, "parent");
    CHECK_EQ(mq_setattr(mq, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL), 0);
    announce(stage, 1);
    await(stage, 2);
    CHECK_SEND(mq, 2, "child");
    CLOSE_QUEUE(mq);
    CHECK_ERRNO(mq_send(mq, "x", 1, 0), EBADF);
    pid_t grandchild = fork_child();
    if (grandchild == 0) {
      CHECK_ERRNO(mq_send(mq, "x", 1, 0), EBADF);
      mqd_t again = CHECK_OK(mq_open("/q", O_RDWR));
      CHECK_CURMSGS(again, 1);
      _exit(0);
    }
    CHECK_CHILD(grandchild);
    _exit(0);
  }
  await(stage, 1);
  CHECK_CURMSGS(mq, 0);
  CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
  announce(stage, 2);
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 2, "child");
  REMOVE_QUEUE("/q");
}
