/* For the programs that change the limits of POSIX message queues. */
#ifndef CONFORMANCE_MQ_SYSCTL_H
#define CONFORMANCE_MQ_SYSCTL_H

#include "mq_check.h"

#define MSG_MAX_FILE "/proc/sys/fs/mqueue/msg_max"
#define MSG_DEFAULT_FILE "/proc/sys/fs/mqueue/msg_default"
#define MSGSIZE_MAX_FILE "/proc/sys/fs/mqueue/msgsize_max"
#define MSGSIZE_DEFAULT_FILE "/proc/sys/fs/mqueue/msgsize_default"
#define QUEUES_MAX_FILE "/proc/sys/fs/mqueue/queues_max"

/* Writes a file of /proc in one call; gives 0, or -1 and errno. */
static inline int put_text(const char* path, const char* text) {
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  errno = 0;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)strlen(text) ? 0 : -1;
}

/*
 * Before a program writes to /proc/sys: proves by a harmless change, which it takes back, that the
 * files speak of the namespace that the calls use. Else a program under an unfinished emulation
 * would change the machine's own limits.
 */
static inline void need_own_sysctl(void) {
  char before[32], less[32];
  if (access(MSG_DEFAULT_FILE, W_OK) != 0) SKIP("needs /proc/sys writable");
  read_text(MSG_DEFAULT_FILE, before, sizeof before);
  snprintf(less, sizeof less, "%d\n", atoi(before) - 1);
  CHECK_EQ(put_text(MSG_DEFAULT_FILE, less), 0);
  mqd_t mq = mq_open("/sysctl", O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
  int error = errno;
  CHECK_EQ(put_text(MSG_DEFAULT_FILE, before), 0);
  errno = error;
  CHECK_OK(mq);
  CHECK_EQ(attributes(mq).mq_maxmsg, atoi(less));
  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/sysctl");
}

#endif
