/*
 * Which error MSG_COPY gives when several apply. The order: negative id or size EINVAL; MSG_EXCEPT,
 * or no IPC_NOWAIT, EINVAL; `size` bytes of the buffer unreadable EFAULT (before the queue is
 * looked at, and counted from the type on); no such queue EINVAL; EACCES; no message at that
 * position ENOMSG; too long E2BIG, with MSG_NOERROR EINVAL.
 */
#include "msg_check.h"

enum { PEEK = MSG_COPY | IPC_NOWAIT, STRANGER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  NEED_MSG_COPY();
  int id = new_queue();
  struct message message;
  CHECK_SEND(id, 1, "abc");

  CHECK_ERRNO(msgrcv(-1, NULL, 3, 0, PEEK), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, 3, 0, MSG_COPY), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, 3, 0, PEEK | MSG_EXCEPT), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, 3, 0, PEEK | MSG_EXCEPT | MSG_NOERROR), EINVAL);
  CHECK_ERRNO(msgrcv(NO_SUCH_ID, NULL, 3, 0, PEEK), EFAULT);
  CHECK_ERRNO(msgrcv(NO_SUCH_ID, NULL, 0, 0, PEEK), EINVAL);
  CHECK_ERRNO(msgrcv(NO_SUCH_ID, &message, 3, 0, PEEK), EINVAL);
  CHECK_ERRNO(msgrcv(id, NULL, 3, 7, PEEK), EFAULT);
  CHECK_ERRNO(msgrcv(id, NULL, 0, 7, PEEK), ENOMSG);
  CHECK_ERRNO(msgrcv(id, NULL, 0, 0, PEEK), E2BIG);
  CHECK_ERRNO(msgrcv(id, NULL, 0, 0, PEEK | MSG_NOERROR), EINVAL);
  CHECK_ERRNO(msgrcv(id, &message, 2, 0, PEEK), E2BIG);
  CHECK_ERRNO(msgrcv(id, &message, 2, 0, PEEK | MSG_NOERROR), EINVAL);
  CHECK_ERRNO(msgrcv(id, &message, 2, 1, PEEK | MSG_NOERROR), ENOMSG);

  /* All of `size` must be readable, though the message needs less; of an absurd size only msgmax.
   */
  char* end = end_of_memory();
  char* start = end - sizeof(long) - 3;
  CHECK_ERRNO(msgrcv(id, start, sizeof(long) + 4, 0, PEEK), EFAULT);
  CHECK_EQ(msgrcv(id, start, sizeof(long) + 3, 0, PEEK), 3);
  CHECK(memcmp(start + sizeof(long), "abc", 3) == 0);
  volatile size_t absurd = LONG_MAX;
  CHECK_EQ(msgrcv(id, &message, absurd, 0, PEEK), 3);

  /* Readable but not writable: EFAULT at the end, nothing is lost. */
  long page = sysconf(_SC_PAGESIZE);
  CHECK_EQ(mprotect(end - page, page, PROT_READ), 0);
  CHECK_ERRNO(msgrcv(id, end - page, 10, 0, PEEK), EFAULT);
  CHECK_EQ(stat_queue(id).msg_qnum, 1);

  if (can_become_others()) {
    set_mode(id, 0222);
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      CHECK_ERRNO(msgrcv(id, NULL, 3, 0, PEEK), EFAULT);
      CHECK_ERRNO(msgrcv(id, &message, 3, 7, PEEK), EACCES);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  REMOVE_QUEUE(id);
}
