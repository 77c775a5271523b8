// Makes the calls of POSIX message queues and writes down everything that they give back.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "family_mq.h"
#include "family_mq_text.h"

enum { kLineSize = 256 };

// ---- Before the first call

void mq_prepare(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0 || dup2(ends[0], kMqSocketOut) < 0 ||
      dup2(ends[1], kMqSocketIn) < 0 || close(ends[0]) != 0 || close(ends[1]) != 0)
    driver_fail("sockets: %s", strerror(errno));
}

void mq_begin(void) {
  const int taken[] = MQ_TAKEN_SIGNALS;
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) sigaddset(&set, taken[i]);
  sigprocmask(SIG_BLOCK, &set, NULL);
  umask(0);
  // RLIMIT_MSGQUEUE counts what the real user has in all namespaces: nobody else is this one.
  // Without the right to change it, it may meet others' queues.
  const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
  if (shared->has_namespaces && setrlimit(RLIMIT_MSGQUEUE, &none) != 0) errno = 0;
  if (setresuid(shared->payer, (uid_t)-1, (uid_t)-1) != 0) errno = 0;
}

// ---- Arguments

static bool is_by_number(const Request* request) {
  return request->raw || request->arg[0] == kMqNullName || request->arg[0] == kMqUnmappedName;
}

// As the system call wants it: without libc's slash.
static const char* raw_name(const Request* request, const Scratch* scratch) {
  if (request->arg[0] == kMqNullName) return NULL;
  if (request->arg[0] == kMqUnmappedName)
    return (const char*)scratch_area(scratch, kPointerUnmapped).base;
  const char* name = kMqName[request->arg[0]];
  return *name == '/' ? name + 1 : name;
}

static const struct timespec* deadline_of(int64_t deadline, struct timespec* time,
                                          const Scratch* scratch) {
  static const struct timespec kFixed[kMqDeadlines] = {
      [kMqPast] = {1, 1},
      [kMqNanosecondsTooMany] = {1, 1000000000},
      [kMqNanosecondsNegative] = {1, -1},
      [kMqSecondsNegative] = {-1, 0},
  };
  *time = kFixed[deadline];
  switch (deadline) {
    case kMqNoDeadline: return NULL;
    case kMqDeadlineUnmapped:
      return (const struct timespec*)scratch_area(scratch, kPointerUnmapped).base;
    case kMqFar:
    case kMqSoon: clock_gettime(CLOCK_REALTIME, time); break;
    default: return time;
  }
  if (deadline == kMqFar) time->tv_sec += 10000;
  if (deadline == kMqSoon) time->tv_nsec += 1500000;
  if (time->tv_nsec >= 1000000000) {
    time->tv_nsec -= 1000000000;
    time->tv_sec++;
  }
  return time;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// ---- Queues

static void execute_open(const Request* request, const Scratch* scratch, Reply* reply) {
  Area area = scratch_area(scratch, request->pointer);
  struct mq_attr attributes;
  fill_bytes(&attributes, sizeof(attributes), request->tag);  // what must be ignored
  attributes.mq_maxmsg = (long)request->arg[3];
  attributes.mq_msgsize = (long)request->arg[4];
  if (area.writable) memcpy(area.base, &attributes, smaller(area.room, sizeof(attributes)));
  const int flags = (int)request->arg[1];
  const mode_t mode = (mode_t)request->arg[2];
  errno = 0;
  reply->ret = is_by_number(request)
                   ? syscall(SYS_mq_open, raw_name(request, scratch), flags, mode, area.base)
                   : mq_open(kMqName[request->arg[0]], flags, mode, (struct mq_attr*)area.base);
}

static void execute_unlink(const Request* request, const Scratch* scratch, Reply* reply) {
  reply->ret = is_by_number(request) ? syscall(SYS_mq_unlink, raw_name(request, scratch))
                                     : mq_unlink(kMqName[request->arg[0]]);
}

static void execute_send(const Request* request, const Scratch* scratch, Reply* reply) {
  const Area area = scratch_area(scratch, request->pointer);
  const int fd = (int)request->arg[0];
  const size_t size = (size_t)request->arg[1];
  const unsigned priority = (unsigned)request->arg[2];
  struct timespec time;
  const struct timespec* deadline = deadline_of(request->arg[3], &time, scratch);
  if (area.writable) fill_bytes(area.base, smaller(area.room, size), request->tag);
  const char* text = (const char*)area.base;
  errno = 0;
  if (request->raw)
    reply->ret = syscall(SYS_mq_timedsend, fd, text, size, priority, deadline);
  else if (deadline != NULL)
    reply->ret = mq_timedsend(fd, text, size, priority, deadline);
  else
    reply->ret = mq_send(fd, text, size, priority);
}

static void execute_receive(const Request* request, const Scratch* scratch, Reply* reply,
                            Text* text) {
  static const unsigned kUnwritten = 0xa5a5a5a5;
  const Area area = scratch_area(scratch, request->pointer);
  const int fd = (int)request->arg[0];
  const size_t size = (size_t)request->arg[1];
  unsigned priority = kUnwritten;
  unsigned* priority_at = request->arg[2] == kPointerGood
                              ? &priority
                              : (unsigned*)scratch_area(scratch, (PointerKind)request->arg[2]).base;
  struct timespec time;
  const struct timespec* deadline = deadline_of(request->arg[3], &time, scratch);
  area_paint(&area);
  errno = 0;
  if (request->raw)
    reply->ret = syscall(SYS_mq_timedreceive, fd, area.base, size, priority_at, deadline);
  else if (deadline != NULL)
    reply->ret = mq_timedreceive(fd, (char*)area.base, size, priority_at, deadline);
  else
    reply->ret = mq_receive(fd, (char*)area.base, size, priority_at);
  reply->error = errno;
  if (priority != kUnwritten) text_add(text, " priority %u", priority);
  if (request->arg[2] != kPointerGood) return;  // it may lie in the text
  if (reply->ret < 0) {
    if (reply->error != EFAULT && !area_untouched(&area, 0)) text_add(text, " buffer touched");
    return;
  }
  text_add(text, " hash %016" PRIx64, hash_bytes(area.base, (size_t)reply->ret));
  if (!area_untouched(&area, (size_t)reply->ret)) text_add(text, " buffer touched beyond");
}

static void report_attributes(const Area* area, Text* text) {
  struct mq_attr attributes;
  memcpy(&attributes, area->base, sizeof(attributes));
  text_add(text, " flags %#lx %ld of %ld, %ld hash %016" PRIx64, attributes.mq_flags,
           attributes.mq_maxmsg, attributes.mq_msgsize, attributes.mq_curmsgs,
           hash_bytes(&attributes, sizeof(attributes)));
  if (!area_untouched(area, sizeof(attributes))) text_add(text, " buffer touched beyond");
}

static void execute_get(const Request* request, const Scratch* scratch, Reply* reply, Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const int fd = (int)request->arg[0];
  area_paint(&area);
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_mq_getsetattr, fd, NULL, area.base)
                            : mq_getattr(fd, (struct mq_attr*)area.base);
  reply->error = errno;
  if (reply->ret >= 0 && area.writable && area.room >= sizeof(struct mq_attr))
    report_attributes(&area, text);
  else if (reply->error != EFAULT && !area_untouched(&area, 0))
    text_add(text, " buffer touched");
}

static void execute_set(const Request* request, const Scratch* scratch, Reply* reply, Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const int fd = (int)request->arg[0];
  struct mq_attr wanted;
  struct mq_attr old;
  fill_bytes(&wanted, sizeof(wanted), request->tag);
  wanted.mq_flags = (long)request->arg[1];
  memset(&old, 0xa5, sizeof(old));
  if (area.writable) memcpy(area.base, &wanted, smaller(area.room, sizeof(wanted)));
  struct mq_attr* old_at = request->arg[2] != 0 ? &old : NULL;
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_mq_getsetattr, fd, area.base, old_at)
                            : mq_setattr(fd, (const struct mq_attr*)area.base, old_at);
  reply->error = errno;
  text_add(text, " old %016" PRIx64, hash_bytes(&old, sizeof(old)));
}

// ---- Descriptors

static void execute_close(const Request* request, Reply* reply) {
  const int fd = (int)request->arg[0];
  // Its standard input and output stay.
  if (fd >= 0 && fd <= 2)
    errno = EBADF;
  else if (request->raw)
    reply->ret = syscall(SYS_close, fd);
  else if (request->arg[1] == kMqCloseRange && fd >= 0)
    reply->ret = close_range((unsigned)fd, (unsigned)fd, 0);
  else
    reply->ret = request->arg[1] == kMqCloseFile ? close(fd) : mq_close(fd);
}

static void execute_dup(const Request* request, Reply* reply) {
  const int fd = (int)request->arg[0];
  const int target = (int)request->arg[2];
  const int flags = (int)request->arg[3];
  // The standard ones are what they are, and stay.
  if (fd >= 0 && fd <= 2) {
    errno = EBADF;
    return;
  }
  switch (request->arg[1]) {
    case kMqDupPlain: reply->ret = dup(fd); break;
    case kMqDup2:
      reply->ret = request->raw ? syscall(SYS_dup2, fd, target) : dup2(fd, target);
      break;
    case kMqDup3:
      reply->ret = request->raw ? syscall(SYS_dup3, fd, target, flags) : dup3(fd, target, flags);
      break;
    case kMqDupFd: reply->ret = fcntl(fd, F_DUPFD, target); break;
    default: reply->ret = fcntl(fd, F_DUPFD_CLOEXEC, target);
  }
}

static bool is_own(int fd) { return fd >= 0 && fd <= 2; }

static void execute_flags(const Request* request, Reply* reply, Text* text) {
  const int fd = (int)request->arg[0];
  errno = 0;
  if (is_own(fd)) return;
  reply->ret = fcntl(fd, F_GETFL);
  reply->error = errno;
  if (reply->ret < 0) return;
  text_add(text, " ");
  mq_add_open_flags(text, (long)reply->ret);
  text_add(text, ", descriptor %d", fcntl(fd, F_GETFD));
}

static void execute_stat(const Request* request, Reply* reply, Text* text) {
  const int fd = (int)request->arg[0];
  struct stat status;
  errno = 0;
  if (is_own(fd)) return;
  reply->ret = fstat(fd, &status);
  reply->error = errno;
  if (reply->ret < 0) return;
  text_add(text, " mode 0%o owner %u:%u links %u size %lld blocks %lld of %ld",
           (unsigned)status.st_mode, (unsigned)status.st_uid, (unsigned)status.st_gid,
           (unsigned)status.st_nlink, (long long)status.st_size, (long long)status.st_blocks,
           (long)status.st_blksize);
  text_add(text, " times ");
  text_add_time(text, status.st_atime);
  text_add_time(text, status.st_mtime);
  text_add_time(text, status.st_ctime);
}

// The line tells a pid, whose digits vary.
static void report_line(const char* line, size_t length, Text* text) {
  static const char kFormat[] = "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n";
  char again[kLineSize];
  unsigned long size;
  int notify, signal, pid;
  if (sscanf(line, "QSIZE:%lu NOTIFY:%d SIGNO:%d NOTIFY_PID:%d", &size, &notify, &signal, &pid) ==
          4 &&
      snprintf(again, sizeof(again), kFormat, size, notify, signal, pid) == (int)length &&
      strcmp(line, again) == 0) {
    text_add(text, " QSIZE %lu NOTIFY %d SIGNO %d PID ", size, notify, signal);
    text_add_pid(text, pid);
    return;
  }
  text_add(text, " ");
  text_add_quoted(text, line, length);
}

static void execute_line(const Request* request, const Scratch* scratch, Reply* reply, Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const int fd = (int)request->arg[0];
  const size_t size = (size_t)request->arg[1];
  char line[kLineSize] = "";
  errno = 0;
  if (is_own(fd)) return;
  if (request->arg[2] == -1)
    reply->ret = lseek(fd, 0, SEEK_SET) == 0 ? read(fd, area.base, size) : -1;
  else
    reply->ret = pread(fd, area.base, size, (off_t)request->arg[2]);
  reply->error = errno;
  if (reply->ret < 0 || reply->ret >= kLineSize || (size_t)reply->ret > area.room) return;
  memcpy(line, area.base, (size_t)reply->ret);
  report_line(line, (size_t)reply->ret, text);
  if (reply->ret > 60) reply->ret = 61;  // as wide as the pid
}

// ---- Passing them on

static void execute_pass(const Request* request, Reply* reply) {
  const int fd = (int)request->arg[0];
  char byte = 'q';
  struct iovec piece = {&byte, 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {.bytes = {0}};
  struct msghdr message = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof(control.bytes)};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  if (is_own(fd)) return;
  reply->ret = sendmsg(kMqSocketOut, &message, MSG_DONTWAIT);
}

static void execute_accept(const Request* request, Reply* reply) {
  char byte;
  struct iovec piece = {&byte, 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof(control.bytes)};
  const int flags = MSG_DONTWAIT | (request->raw ? MSG_CMSG_CLOEXEC : 0);
  reply->ret = recvmsg(kMqSocketIn, &message, flags);
  struct cmsghdr* header = reply->ret < 0 ? NULL : CMSG_FIRSTHDR(&message);
  if (header == NULL) {
    reply->ret = -1;
    return;
  }
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  reply->ret = fd;
}

// ---- Notification

static void execute_notify(const Request* request, const Scratch* scratch, Reply* reply) {
  static const int kWays[] = {
      [kMqNotifyNone] = SIGEV_NONE, [kMqNotifySignal] = SIGEV_SIGNAL, [kMqNotifyWrong] = 77};
  const int fd = (int)request->arg[0];
  const Area area = scratch_area(scratch, request->pointer);
  struct sigevent event;
  memset(&event, 0, sizeof(event));
  const struct sigevent* at = &event;
  if (request->arg[1] == kMqNotifyRemove) {
    at = NULL;
  } else {
    event.sigev_notify = kWays[request->arg[1]];
    event.sigev_signo = (int)request->arg[2];
    event.sigev_value.sival_ptr = (void*)(uintptr_t)request->arg[3];
  }
  if (request->raw && at != NULL && request->pointer != kPointerGood) {
    if (area.writable) memcpy(area.base, &event, smaller(area.room, sizeof(event)));
    at = (const struct sigevent*)area.base;
  }
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_mq_notify, fd, at) : mq_notify(fd, at);
}

// All that are pending, one after the other.
static void execute_take(Reply* reply, Text* text) {
  const int taken[] = MQ_TAKEN_SIGNALS;
  const struct timespec no_time = {0, 0};
  siginfo_t info;
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) sigaddset(&set, taken[i]);
  reply->ret = 0;
  while (memset(&info, 0, sizeof(info)), sigtimedwait(&set, &info, &no_time) > 0) {
    text_add(text, "\n  | signal %d code %d errno %d pid ", info.si_signo, info.si_code,
             info.si_errno);
    text_add_pid(text, info.si_pid);
    if (info.si_uid == shared->payer)
      text_add(text, " uid payer");
    else
      text_add(text, " uid %u", (unsigned)info.si_uid);
    text_add(text, " value %#" PRIxPTR, (uintptr_t)info.si_value.sival_ptr);
    reply->ret++;
  }
  errno = 0;
}

// ---- All of them

static void execute_limit(const Request* request, Reply* reply) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MSGQUEUE, &limit) != 0) return;
  limit.rlim_cur = (rlim_t)request->arg[1];
  if (limit.rlim_max < limit.rlim_cur) limit.rlim_max = limit.rlim_cur;
  reply->ret = setrlimit(RLIMIT_MSGQUEUE, &limit);
}

static void execute(const Request* request, const Scratch* scratch, Reply* reply, Text* text) {
  const int fd = (int)request->arg[0];
  reply->ret = -1;
  errno = 0;
  switch (request->op) {
    case kMqOpen: execute_open(request, scratch, reply); break;
    case kMqUnlink: execute_unlink(request, scratch, reply); break;
    case kMqClose: execute_close(request, reply); break;
    case kMqDup: execute_dup(request, reply); break;
    case kMqSetFd:
      if (!is_own(fd)) reply->ret = fcntl(fd, F_SETFD, (int)request->arg[1]);
      break;
    case kMqFlags: execute_flags(request, reply, text); return;
    case kMqStat: execute_stat(request, reply, text); return;
    case kMqSetFl:
      if (!is_own(fd)) reply->ret = fcntl(fd, F_SETFL, (int)request->arg[1]);
      break;
    case kMqSend: execute_send(request, scratch, reply); break;
    case kMqReceive: execute_receive(request, scratch, reply, text); return;
    case kMqGetAttr: execute_get(request, scratch, reply, text); return;
    case kMqSetAttr: execute_set(request, scratch, reply, text); return;
    case kMqNotify: execute_notify(request, scratch, reply); break;
    case kMqTake: execute_take(reply, text); break;
    case kMqPoll: mq_execute_poll(request, reply, text); return;
    case kMqSelect: mq_execute_select(request, reply, text); return;
    case kMqEpollCtl: mq_execute_epoll_ctl(request, reply); break;
    case kMqEpollWait: mq_execute_epoll_wait(request, reply, text); return;
    case kMqLine: execute_line(request, scratch, reply, text); return;
    case kMqPass: execute_pass(request, reply); break;
    case kMqAccept: execute_accept(request, reply); break;
    case kMqLimit: execute_limit(request, reply); break;
    default:
      if (!is_own(fd)) reply->ret = fchmod(fd, (mode_t)request->arg[1]);
  }
  reply->error = errno;
}

// The child's reply is in memory that its parent shares with it.
static void execute_in_child(const Request* request, const Scratch* scratch, Reply* reply,
                             Text* text) {
  const pid_t child = fork();
  if (child == 0) {
    execute(request, scratch, reply, text);
    _exit(0);
  }
  if (child < 0) abort();
  shared_name_child(child, request->worker);
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (status != 0) {
    reply->ret = -1;
    reply->error = 0;
    text_add(text, " status %#x", (unsigned)status);
  }
}

void mq_execute(const Request* request, const Scratch* scratch, Reply* reply) {
  Text text = text_over(reply->text, sizeof(reply->text));
  errno = 0;
  if (request->arg[5] != 0)
    execute_in_child(request, scratch, reply, &text);
  else
    execute(request, scratch, reply, &text);
}
