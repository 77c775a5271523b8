/* On x86-64 the command has no IPC_64 bit (0x100): with it there is no such command, EINVAL. */
#include "msg_check.h"

enum { IPC_64_BIT = 0x100 };

int main(void) {
#if defined __x86_64__ && defined __LP64__
  int id = new_queue();
  struct msqid_ds ds;
  struct msginfo info;
  CHECK_ERRNO(msgctl(id, IPC_STAT | IPC_64_BIT, &ds), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_INFO | IPC_64_BIT, (struct msqid_ds*)&info), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_SET | IPC_64_BIT, NULL), EINVAL);
  CHECK_ERRNO(msgctl(id, IPC_RMID | IPC_64_BIT, NULL), EINVAL);
  REMOVE_QUEUE(id);
#else
  SKIP("other ABIs have the bit, and libc sets it");
#endif
}
