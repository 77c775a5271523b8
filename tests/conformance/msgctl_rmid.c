/* IPC_RMID removes queue and messages at once; the id is dead and a second IPC_RMID is EINVAL. */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 1, "lost");
  CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
  CHECK_ERRNO(msgctl(id, IPC_RMID, NULL), EINVAL);
  struct message message;
  CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 0, 0), EINVAL);

  /* A child sees it too, and may remove what the parent made. */
  id = new_queue();
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_ERRNO(send_sized(id, 1, 1, 0), EINVAL);

  struct msginfo info;
  CHECK_EQ(msgctl(0, MSG_INFO, (struct msqid_ds*)&info), 0);
  CHECK_EQ(info.msgpool, 0);
  CHECK_EQ(info.msgmap, 0);
  CHECK_EQ(info.msgtql, 0);
}
