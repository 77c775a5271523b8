/*
 * What the programs about POSIX message queues share, beside check.h. A program names its queue
 * "/q" where it needs but one.
 */
#ifndef CONFORMANCE_MQ_CHECK_H
#define CONFORMANCE_MQ_CHECK_H

#include "check.h"
#include <mqueue.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* The kernel's defaults in a fresh IPC namespace, and what no one can change. */
enum { DEFAULT_MAXMSG = 10, DEFAULT_MSGSIZE = 8192, DEFAULT_QUEUES = 256 };
enum { HARD_MSGMAX = 65536, HARD_MSGSIZEMAX = 16 * 1024 * 1024, MQ_PRIORITIES = 32768 };

enum { ROOM = 8192 };

/* A user's queues in all namespaces count together: programs that run at once must not meet. */
__attribute__((constructor)) static inline void lift_queue_limit(void) {
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MSGQUEUE, &limit) == 0) return;
  getrlimit(RLIMIT_MSGQUEUE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_MSGQUEUE, &limit);
}

static inline struct mq_attr room_for(long maxmsg, long msgsize) {
  return (struct mq_attr){.mq_maxmsg = maxmsg, .mq_msgsize = msgsize};
}

/* A new queue, mode 0600, for reading and writing. */
#define NEW_QUEUE(name, maxmsg, msgsize) NEW_QUEUE_WITH((name), (maxmsg), (msgsize), 0)
#define NEW_QUEUE_WITH(name, maxmsg, msgsize, flags)                                               \
  ((mqd_t)CHECK_OK(mq_open((name), O_CREAT | O_EXCL | O_RDWR | (flags), 0600,                      \
                           &(struct mq_attr){.mq_maxmsg = (maxmsg), .mq_msgsize = (msgsize)})))
#define REMOVE_QUEUE(name) CHECK_EQ(mq_unlink(name), 0)
#define CLOSE_QUEUE(mq) CHECK_EQ(mq_close(mq), 0)

/* A deadline that has always passed: a call with it never sleeps. */
static const struct timespec the_past = {0, 1};

static inline struct timespec after_ms(long ms) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_nsec += ms % 1000 * 1000000;
  now.tv_sec += ms / 1000 + now.tv_nsec / 1000000000;
  now.tv_nsec %= 1000000000;
  return now;
}

/* Sends a text without its zero byte; there must be room. */
#define CHECK_SEND(mq, priority, text)                                                             \
  CHECK_EQ(mq_timedsend((mq), (text), strlen(text), (priority), &the_past), 0)

/* A null pointer where the compiler wants none. */
static inline void* no_memory(void) {
  void* volatile nowhere = NULL;
  return nowhere;
}

/* The next message must be this one, and there already. */
#define CHECK_RECEIVE(mq, priority, text)                                                          \
  check_receive(__FILE__, __LINE__, (mq), (priority), (text), &the_past)
static inline void check_receive(const char* file, int line, mqd_t mq, unsigned priority,
                                 const char* text, const struct timespec* deadline) {
  char got[ROOM + 1], verdict[64];
  unsigned got_priority = ~0u;
  errno = 0;
  ssize_t length = deadline ? mq_timedreceive(mq, got, ROOM, &got_priority, deadline)
                            : mq_receive(mq, got, ROOM, &got_priority);
  if (length < 0)
    fail_at(file, line, "receive: expected \"%s\", got %s", text,
            outcome(verdict, sizeof verdict, length, errno));
  got[length] = '\0';
  if (got_priority != priority || strcmp(got, text) != 0)
    fail_at(file, line, "receive: expected %u \"%s\", got %u \"%s\"", priority, text, got_priority,
            got);
}

static inline struct mq_attr attributes(mqd_t mq) {
  struct mq_attr attr;
  memset(&attr, 0xa5, sizeof attr);
  CHECK_EQ(mq_getattr(mq, &attr), 0);
  return attr;
}

#define CHECK_CURMSGS(mq, want) CHECK_EQ(attributes(mq).mq_curmsgs, (want))

/* The line that read(2) gives of a queue, on a descriptor for reading. */
#define CHECK_STATUS(mq, bytes, notify, signal_number, pid)                                        \
  check_status(__FILE__, __LINE__, (mq), (bytes), (notify), (signal_number), (pid))
static inline void check_status(const char* file, int line, mqd_t mq, long bytes, int notify,
                                int signal_number, pid_t pid) {
  char got[128], want[128];
  ssize_t length = pread(mq, got, sizeof got - 1, 0);
  got[length > 0 ? length : 0] = '\0';
  snprintf(want, sizeof want, "QSIZE:%-10ld NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", bytes,
           notify, signal_number, (int)pid);
  check_text(file, line, got, want);
}

/* What poll(2) tells at once. */
static inline int ready(int fd) {
  struct pollfd one = {fd, POLLIN | POLLOUT | POLLPRI, 0};
  CHECK_OK(poll(&one, 1, 0));
  return one.revents;
}

/* Children that sleep in their call already, to end with it. */
#define FORK_RECEIVER(mq, priority, text)                                                          \
  fork_receiver(__FILE__, __LINE__, (mq), (priority), (text))
static inline pid_t fork_receiver(const char* file, int line, mqd_t mq, unsigned priority,
                                  const char* text) {
  pid_t child = fork_child();
  if (child == 0) {
    check_receive(file, line, mq, priority, text, NULL);
    _exit(0);
  }
  pause_until_blocked(file, line, child);
  return child;
}

#define FORK_SENDER(mq, priority, text) fork_sender(__FILE__, __LINE__, (mq), (priority), (text))
static inline pid_t fork_sender(const char* file, int line, mqd_t mq, unsigned priority,
                                const char* text) {
  pid_t child = fork_child();
  if (child == 0) {
    check_eq(file, line, "mq_send", mq_send(mq, text, strlen(text), priority), 0);
    _exit(0);
  }
  pause_until_blocked(file, line, child);
  return child;
}

/* Asks for a signal with the value 77. */
static inline int notify_by_signal(mqd_t mq, int signal_number) {
  struct sigevent event = {
      .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal_number, .sigev_value.sival_int = 77};
  return mq_notify(mq, &event);
}

/* From now on the signal stays pending, to be asked for. */
static inline void block_signal(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Takes a pending signal: its number, or -1 EAGAIN when there is none. */
static inline int take_signal(int signal_number, siginfo_t* info) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  return sigtimedwait(&set, info, &(struct timespec){0, 0});
}

#define CHECK_NO_SIGNAL(signal_number) CHECK_ERRNO(take_signal((signal_number), NULL), EAGAIN)
#define CHECK_SIGNAL(signal_number) CHECK_EQ(take_signal((signal_number), NULL), (signal_number))

#endif
