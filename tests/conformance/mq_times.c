/*
 * What stamps a queue's times, which are whole seconds: mq_send() and mq_receive() that find room
 * or a message set all three; a sleeper's are set by who serves it. read(2), mq_setattr() and
 * mq_notify() set atime and ctime; mq_getattr(), mq_open(), mq_unlink() and calls
 * that fail set nothing.
 */
#include "mq_check.h"

enum { NONE = 0, ATIME = 1, MTIME = 2, BOTH = 3 };

static mqd_t mq;

/* Which times are no longer the old ones, and makes them old again. */
#define CHECK_STAMPED(want) CHECK_EQ(stamped(), (want))
static int stamped(void) {
  struct stat now;
  CHECK_EQ(fstat(mq, &now), 0);
  CHECK_EQ(now.st_atim.tv_nsec | now.st_mtim.tv_nsec | now.st_ctim.tv_nsec, 0);
  const struct timespec old[2] = {{7, 0}, {7, 0}};
  CHECK_EQ(futimens(mq, old), 0);
  return (now.st_atime == 7 ? 0 : ATIME) | (now.st_mtime == 7 ? 0 : MTIME);
}

int main(void) {
  char room[80];
  struct stat status;
  mq = NEW_QUEUE_WITH("/q", 1, 8, O_NONBLOCK);
  mqd_t blocking = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_STAMPED(BOTH);
  CHECK_EQ(mq_send(mq, "x", 1, 0), 0);
  CHECK_STAMPED(BOTH);
  CHECK_ERRNO(mq_send(mq, "x", 1, 0), EAGAIN);
  CHECK_CURMSGS(mq, 1);
  CLOSE_QUEUE(CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0777, NULL)));
  CHECK_STAMPED(NONE);
  CHECK_EQ(mq_receive(mq, room, sizeof room, NULL), 1);
  CHECK_STAMPED(BOTH);
  CHECK_ERRNO(mq_receive(mq, room, sizeof room, NULL), EAGAIN);
  CHECK_STAMPED(NONE);

  CHECK_OK(read(mq, room, sizeof room));
  CHECK_STAMPED(ATIME);
  CHECK_EQ(read(mq, room, sizeof room), 0);
  CHECK_STAMPED(NONE);
  CHECK_EQ(notify_by_signal(mq, 0), 0);
  CHECK_STAMPED(ATIME);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  CHECK_STAMPED(ATIME);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  CHECK_STAMPED(NONE);
  CHECK_EQ(mq_setattr(mq, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL), 0);
  CHECK_STAMPED(ATIME);

  pid_t child = FORK_RECEIVER(blocking, 0, "x");
  CHECK_STAMPED(NONE);
  CHECK_EQ(mq_send(mq, "x", 1, 0), 0);
  CHECK_CHILD(child);
  CHECK_STAMPED(BOTH);
  CHECK_EQ(mq_send(mq, "x", 1, 0), 0);
  CHECK_STAMPED(BOTH);
  child = FORK_SENDER(blocking, 0, "y");
  CHECK_STAMPED(NONE);
  CHECK_EQ(mq_receive(mq, room, sizeof room, NULL), 1);
  CHECK_STAMPED(BOTH);
  CHECK_CHILD(child);
  CHECK_STAMPED(NONE);

  /* The times are the current second's, ctime too. */
  time_t second = next_second();
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK(status.st_ctime < second);
  CHECK_EQ(mq_receive(mq, room, sizeof room, NULL), 1);
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK(status.st_ctime >= second && status.st_ctime <= second + 1);
  CHECK_EQ(status.st_atime, status.st_ctime);
  CHECK_EQ(status.st_mtime, status.st_ctime);
  second = next_second();
  CHECK_EQ(lseek(mq, 0, SEEK_SET), 0);
  CHECK_OK(read(mq, room, sizeof room));
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK(status.st_ctime >= second && status.st_atime >= second && status.st_mtime < second);
  second = next_second();
  REMOVE_QUEUE("/q");
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK(status.st_ctime < second);
}
