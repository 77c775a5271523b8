/*
 * The mode of a queue is the low nine flag bits: umask plays no part, later msgget() calls do not
 * change it.
 */
#include "msg_check.h"
#include <sys/stat.h>

enum { KEY = 0x10c1 };

int main(void) {
  umask(0777);
  int id = CHECK_OK(msgget(KEY, IPC_CREAT | 0666));
  CHECK_EQ(stat_queue(id).msg_perm.mode, 0666);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), id);
  CHECK_EQ(stat_queue(id).msg_perm.mode, 0666);
  REMOVE_QUEUE(id);

  /* Execute bits are kept. Bits that no IPC call defines are neither refused nor kept. */
  id = CHECK_OK(msgget(KEY, IPC_CREAT | 0777));
  CHECK_EQ(stat_queue(id).msg_perm.mode, 0777);
  REMOVE_QUEUE(id);
  id = CHECK_OK(msgget(KEY, (int)0xfffff000 | IPC_CREAT | IPC_EXCL | 0640));
  CHECK_EQ(stat_queue(id).msg_perm.mode, 0640);
  REMOVE_QUEUE(id);
}
