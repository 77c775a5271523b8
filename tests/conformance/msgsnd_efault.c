/*
 * msgsnd() reads the type and exactly msgsz bytes of text, from read-only memory too; EFAULT leaves
 * no message behind.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  char* end = end_of_memory();
  long type = 3;

  CHECK_ERRNO(msgsnd(id, NULL, 0, 0), EFAULT);
  CHECK_ERRNO(msgsnd(id, (void*)-1, 1, 0), EFAULT);
  CHECK_ERRNO(msgsnd(id, end - sizeof type / 2, 0, 0), EFAULT);

  /* Type and four letters at the very end of the memory. */
  char* start = end - sizeof type - 4;
  memcpy(start, &type, sizeof type);
  memcpy(start + sizeof type, "edge", 4);
  CHECK_EQ(msgsnd(id, start, 4, 0), 0);
  CHECK_EQ(msgsnd(id, start, 0, 0), 0);
  CHECK_ERRNO(msgsnd(id, start, 5, 0), EFAULT);
  CHECK_ERRNO(msgsnd(id, start, DEFAULT_MSGMAX, 0), EFAULT);
  CHECK_EQ(stat_queue(id).msg_qnum, 2);
  CHECK_EQ(stat_queue(id).msg_cbytes, 4);

  long page = sysconf(_SC_PAGESIZE);
  CHECK_EQ(mprotect(end - page, page, PROT_READ), 0);
  CHECK_EQ(msgsnd(id, start, 4, 0), 0);

  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "edge");
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "");
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "edge");
  CHECK_NOTHING(id, 0);
  REMOVE_QUEUE(id);
}
