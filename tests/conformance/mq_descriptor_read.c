/*
 * read(2) on a queue gives one line of text about it, and takes no message:
 * QSIZE (the bytes of all messages), NOTIFY (how), SIGNO, NOTIFY_PID (who is to be notified, if
 * any). It begins at the descriptor's position, and tells the state at that moment.
 */
#include "mq_check.h"

int main(void) {
  char room[128];
  mqd_t mq = NEW_QUEUE("/q", 4, 16);
  memset(room, 0, sizeof room);
  CHECK_EQ(read(mq, room, sizeof room), 60);
  CHECK_TEXT(room, "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n");
  CHECK_EQ(read(mq, room, sizeof room), 0);
  CHECK_EQ(lseek(mq, 0, SEEK_SET), 0);

  CHECK_SEND(mq, 1, "seven..");
  CHECK_SEND(mq, 2, "");
  CHECK_SEND(mq, 3, "16 bytes in all.");
  CHECK_STATUS(mq, 23, 0, 0, 0);
  CHECK_RECEIVE(mq, 3, "16 bytes in all.");
  CHECK_STATUS(mq, 7, 0, 0, 0);
  CHECK_CURMSGS(mq, 2);
  CHECK_EQ(notify_by_signal(mq, SIGRTMAX), 0);
  CHECK_STATUS(mq, 7, SIGEV_SIGNAL, SIGRTMAX, getpid());
  CHECK_EQ(mq_notify(mq, NULL), 0);
  CHECK_STATUS(mq, 7, 0, 0, 0);

  /* In pieces, by position. */
  memset(room, 0, sizeof room);
  CHECK_EQ(read(mq, room, 6), 6);
  CHECK_TEXT(room, "QSIZE:");
  CHECK_EQ(read(mq, room, 1), 1);
  CHECK_EQ(room[0], '7');
  CHECK_EQ(lseek(mq, 0, SEEK_CUR), 7);
  CHECK_EQ(pread(mq, room, 7, 17), 7);
  CHECK_TEXT(room, "NOTIFY:");
  CHECK_EQ(pread(mq, room, 9, 59), 1);
  CHECK_EQ(room[0], '\n');
  CHECK_EQ(pread(mq, room, 9, 60), 0);
  CHECK_EQ(pread(mq, room, 9, 1000), 0);
  CHECK_EQ(lseek(mq, 0, SEEK_END), 80);
  CHECK_EQ(lseek(mq, -63, SEEK_CUR), 17);
  CHECK_EQ(read(mq, room, 7), 7);
  CHECK_TEXT(room, "NOTIFY:");
  CHECK_EQ(lseek(mq, 100, SEEK_SET), 100);
  CHECK_EQ(read(mq, room, 7), 0);
  CHECK_ERRNO(lseek(mq, -1, SEEK_SET), EINVAL);
  CHECK_ERRNO(pread(mq, end_of_memory(), 7, 0), EFAULT);
  CHECK_EQ(read(mq, room, 0), 0);

  mqd_t writer = CHECK_OK(mq_open("/q", O_WRONLY));
  CHECK_ERRNO(read(writer, room, sizeof room), EBADF);
  CHECK_ERRNO(pread(writer, room, sizeof room, 0), EBADF);
  CHECK_ERRNO(pread(writer, room, sizeof room, -1), EINVAL);
  CHECK_CURMSGS(mq, 2);
  REMOVE_QUEUE("/q");
}
