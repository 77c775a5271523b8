/* /proc/sysvipc/msg however it is opened and read. */
#include "msg_check.h"
#include "proc_pieces.h"

enum { QUEUES = 100 };

int main(void) {
  for (int i = 0; i < QUEUES; i++) new_queue();
  check_pieces("msg", QUEUES);
  for (int i = 0; i < QUEUES; i++) REMOVE_QUEUE(i);
}
