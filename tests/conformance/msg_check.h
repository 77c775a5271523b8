/* What the programs about message queues share, beside check.h. */
#ifndef CONFORMANCE_MSG_CHECK_H
#define CONFORMANCE_MSG_CHECK_H

#include "check.h"
#include <sys/msg.h>

/* The kernel's defaults in a fresh IPC namespace. */
enum { DEFAULT_MSGMAX = 8192, DEFAULT_MSGMNB = 16384, DEFAULT_MSGMNI = 32000 };

/* An id is a sequence number times this, plus an index. */
enum { SEQUENCE = 32768 };

struct message {
  long type;
  char text[DEFAULT_MSGMAX];
};

/* A kernel without checkpoint/restore refuses MSG_COPY before it looks for the queue. */
#define NEED_MSG_COPY()                                                                            \
  do {                                                                                             \
    struct message none;                                                                           \
    if (msgrcv(INT_MAX, &none, 0, 0, MSG_COPY | IPC_NOWAIT) < 0 && errno == ENOSYS)                \
      SKIP("needs MSG_COPY, which this kernel has been built without");                            \
  } while (0)

/*
 * Before a program writes to /proc/sys: proves by a harmless change, which it takes back, that the
 * files speak of the namespace that the calls use. Else a program under an unfinished emulation
 * would change the machine's own limits.
 */
static inline void need_own_sysctl(void) {
  static const char path[] = "/proc/sys/kernel/msgmax";
  struct msginfo info;
  char before[16], more[16];
  if (access(path, W_OK) != 0) SKIP("needs /proc/sys writable");
  read_text(path, before, sizeof before);
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  snprintf(more, sizeof more, "%d\n", atoi(before) + 1);
  CHECK_OK(write(fd, more, strlen(more)));
  CHECK_OK(msgctl(0, IPC_INFO, (struct msqid_ds*)&info));
  CHECK_OK(pwrite(fd, before, strlen(before), 0));
  close(fd);
  CHECK_EQ(info.msgmax, atoi(more));
}

static inline int new_queue(void) { return CHECK_OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600)); }

#define REMOVE_QUEUE(id) CHECK_OK(msgctl((id), IPC_RMID, NULL))

static inline struct msqid_ds stat_queue(int id) {
  struct msqid_ds ds;
  memset(&ds, 0xa5, sizeof ds);
  CHECK_OK(msgctl(id, IPC_STAT, &ds));
  return ds;
}

static inline void set_qbytes(int id, unsigned long qbytes) {
  struct msqid_ds ds = stat_queue(id);
  ds.msg_qbytes = qbytes;
  CHECK_OK(msgctl(id, IPC_SET, &ds));
}

static inline void set_mode(int id, unsigned mode) {
  struct msqid_ds ds = stat_queue(id);
  ds.msg_perm.mode = mode;
  CHECK_OK(msgctl(id, IPC_SET, &ds));
}

/* msgsnd() of `size` letters; the result is the caller's to judge. */
static inline int send_sized(int id, long type, size_t size, int flags) {
  struct message message = {.type = type};
  memset(message.text, 'x', size);
  return msgsnd(id, &message, size, flags);
}

/* Sends a text that must fit at once. */
#define CHECK_SEND(id, type, text) check_send(__FILE__, __LINE__, (id), (type), (text), IPC_NOWAIT)
/* Sends a text, may sleep. */
#define CHECK_SEND_WAIT(id, type, text) check_send(__FILE__, __LINE__, (id), (type), (text), 0)
static inline void check_send(const char* file, int line, int id, long type, const char* text,
                              int flags) {
  struct message message = {.type = type};
  strcpy(message.text, text);
  if (msgsnd(id, &message, strlen(text), flags) != 0)
    fail_at(file, line, "msgsnd type %ld \"%s\": expected 0, got -1 %s", type, text,
            strerrorname_np(errno));
}

/* Receives by `typ` and `flags`; type and text must be these. */
#define CHECK_RECV(id, typ, flags, want_type, want_text)                                           \
  check_recv(__FILE__, __LINE__, (id), (typ), (flags), (want_type), (want_text))
static inline void check_recv(const char* file, int line, int id, long typ, int flags,
                              long want_type, const char* want_text) {
  struct message got;
  ssize_t length = msgrcv(id, &got, sizeof got.text - 1, typ, flags);
  if (length < 0)
    fail_at(file, line, "msgrcv typ %ld flags 0x%x: expected type %ld \"%s\", got -1 %s", typ,
            flags, want_type, want_text, strerrorname_np(errno));
  got.text[length] = '\0';
  if (got.type != want_type || strcmp(got.text, want_text) != 0)
    fail_at(file, line, "msgrcv typ %ld flags 0x%x: expected type %ld \"%s\", got type %ld \"%s\"",
            typ, flags, want_type, want_text, got.type, got.text);
}

/* Nothing that `typ` selects is in the queue. */
#define CHECK_NOTHING(id, typ)                                                                     \
  do {                                                                                             \
    struct message unwanted;                                                                       \
    CHECK_ERRNO(msgrcv((id), &unwanted, sizeof unwanted.text, (typ), IPC_NOWAIT), ENOMSG);         \
  } while (0)

/* A child that sleeps in msgrcv() until it gets this message. */
#define FORK_RECEIVER(id, typ, flags, want_type, want_text)                                        \
  fork_receiver(__FILE__, __LINE__, (id), (typ), (flags), (want_type), (want_text))
static inline pid_t fork_receiver(const char* file, int line, int id, long typ, int flags,
                                  long want_type, const char* want_text) {
  pid_t child = fork_child();
  if (child == 0) {
    check_recv(file, line, id, typ, flags, want_type, want_text);
    _exit(0);
  }
  pause_until_blocked(file, line, child);
  return child;
}

/* A child that sleeps in msgsnd() until its message fits. */
#define FORK_SENDER(id, type, text) fork_sender(__FILE__, __LINE__, (id), (type), (text))
static inline pid_t fork_sender(const char* file, int line, int id, long type, const char* text) {
  pid_t child = fork_child();
  if (child == 0) {
    check_send(file, line, id, type, text, 0);
    _exit(0);
  }
  pause_until_blocked(file, line, child);
  return child;
}

#endif
