/* IPC_INFO: the limits, with msgpool, msgmap, msgtql and msgseg as the kernel makes them up. */
#include "msg_check.h"

int main(void) {
  struct msginfo info, want;
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(msgctl(0, IPC_INFO, (struct msqid_ds*)&info), 0);

  /* No field for the padding behind msgseg, which is zero. */
  memset(&want, 0, sizeof want);
  want.msgpool = 512000;
  want.msgmap = 16384;
  want.msgmax = DEFAULT_MSGMAX;
  want.msgmnb = DEFAULT_MSGMNB;
  want.msgmni = DEFAULT_MSGMNI;
  want.msgssz = 16;
  want.msgtql = 16384;
  want.msgseg = 65535;
  CHECK(memcmp(&info, &want, sizeof info) == 0);

  /* They do not depend on what exists, nor on the id, as long as it is not negative. */
  int id = new_queue();
  CHECK_SEND(id, 1, "abc");
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(msgctl(INT_MAX, IPC_INFO, (struct msqid_ds*)&info), 0);
  CHECK(memcmp(&info, &want, sizeof info) == 0);
  CHECK_ERRNO(msgctl(-1, IPC_INFO, (struct msqid_ds*)&info), EINVAL);
  CHECK_ERRNO(msgctl(0, IPC_INFO, NULL), EFAULT);
  REMOVE_QUEUE(id);
}
