#include "family_mq_text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

const char* const kMqOpNames[kMqOps] = {
    [kMqOpen] = "mq_open",
    [kMqUnlink] = "mq_unlink",
    [kMqClose] = "close",
    [kMqDup] = "dup",
    [kMqSetFd] = "F_SETFD",
    [kMqFlags] = "F_GETFL",
    [kMqStat] = "fstat",
    [kMqSetFl] = "F_SETFL",
    [kMqSend] = "mq_send",
    [kMqReceive] = "mq_receive",
    [kMqGetAttr] = "mq_getattr",
    [kMqSetAttr] = "mq_setattr",
    [kMqNotify] = "mq_notify",
    [kMqTake] = "sigtimedwait",
    [kMqPoll] = "poll",
    [kMqSelect] = "select",
    [kMqEpollCtl] = "epoll_ctl",
    [kMqEpollWait] = "epoll_wait",
    [kMqLine] = "read",
    [kMqPass] = "SCM_RIGHTS to",
    [kMqAccept] = "SCM_RIGHTS from",
    [kMqLimit] = "RLIMIT_MSGQUEUE",
    [kMqChmod] = "fchmod",
};

#define LONG_NAME                                                                                  \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"     \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"     \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567890"

const char* const kMqName[kMqNames] = {
    "/a",   "/b",  "/c", "/d",  "/" LONG_NAME,     "a",  "",   "/",
    "/x/y", "//a", "/.", "/..", "/" LONG_NAME "x", NULL, NULL,
};
_Static_assert(sizeof(LONG_NAME) == 256, "the longest name that is accepted");

#define FLAG(name)                                                                                 \
  { name, #name }

void mq_add_open_flags(Text* text, long flags) {
  static const FlagName kNames[] = {FLAG(O_CREAT),   FLAG(O_EXCL),   FLAG(O_NONBLOCK),
                                    FLAG(O_CLOEXEC), FLAG(O_APPEND), FLAG(O_TRUNC),
                                    FLAG(O_SYNC),    FLAG(O_DIRECT)};
  static const char* const kAccess[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  text_add(text, "%s", kAccess[flags & O_ACCMODE]);
  if ((flags & ~(long)O_ACCMODE) == 0) return;
  text_add(text, "|");
  text_add_flags(text, flags & ~(long)O_ACCMODE, kNames, sizeof(kNames) / sizeof(kNames[0]));
}

void mq_add_poll_events(Text* text, long events) {
  static const FlagName kNames[] = {FLAG(POLLIN),     FLAG(POLLOUT),    FLAG(POLLPRI),
                                    FLAG(POLLRDNORM), FLAG(POLLWRNORM), FLAG(POLLERR),
                                    FLAG(POLLHUP),    FLAG(POLLNVAL)};
  text_add_flags(text, events, kNames, sizeof(kNames) / sizeof(kNames[0]));
}

void mq_add_epoll_events(Text* text, long events) {
  static const FlagName kNames[] = {FLAG(EPOLLIN),  FLAG(EPOLLOUT), FLAG(EPOLLET),
                                    FLAG(EPOLLERR), FLAG(EPOLLHUP), FLAG(EPOLLONESHOT)};
  text_add_flags(text, events, kNames, sizeof(kNames) / sizeof(kNames[0]));
}

// The descriptor, and which queue of all that were made it is open on, as far as the driver knows.
static void add_fd(const Request* request, int64_t fd, Text* text) {
  const MqHeld* held = mq_find_fd(request->worker, (int)fd);
  text_add(text, "%" PRId64, fd);
  if (held != NULL) text_add(text, "#%d", held->queue);
}

static void add_name(const Request* request, Text* text) {
  const char* name = kMqName[request->arg[0]];
  if (request->arg[0] == kMqNullName)
    text_add(text, "NULL");
  else if (request->arg[0] == kMqUnmappedName)
    text_add(text, "unmapped");
  else if (strlen(name) > 250)
    text_add(text, "%zu bytes", strlen(name));
  else
    text_add(text, "\"%s\"", name);
}

static void describe_open(const Request* request, Text* text) {
  text_add(text, "mq_open(");
  add_name(request, text);
  text_add(text, ", ");
  mq_add_open_flags(text, request->arg[1]);
  if ((request->arg[1] & O_CREAT) != 0)
    text_add(text, ", 0%" PRIo64 ", %" PRId64 " of %" PRId64, request->arg[2], request->arg[3],
             request->arg[4]);
  text_add_pointer(text, request->pointer);
  text_add(text, ")");
}

static void describe_dup(const Request* request, Text* text) {
  static const char* const kWays[kMqDupWays] = {"dup", "dup2", "dup3", "F_DUPFD",
                                                "F_DUPFD_CLOEXEC"};
  text_add(text, "%s(", kWays[request->arg[1]]);
  add_fd(request, request->arg[0], text);
  if (request->arg[1] != kMqDupPlain) {
    text_add(text, ", ");
    add_fd(request, request->arg[2], text);
  }
  if (request->arg[1] == kMqDup3) text_add(text, ", %#" PRIx64, request->arg[3]);
  text_add(text, ")");
}

static void describe_transfer(const Request* request, Text* text) {
  static const char* const kDeadlines[kMqDeadlines] = {
      "", ", past", ", far", ", soon", ", 0", ", 1e9 ns", ", -1 ns", ", -1 s", ", unmapped"};
  text_add(text, "%s(", kMqOpNames[request->op]);
  add_fd(request, request->arg[0], text);
  text_add(text, ", %" PRId64 " bytes", request->arg[1]);
  if (request->op == kMqSend) text_add(text, ", priority %" PRId64, request->arg[2]);
  if (request->op == kMqReceive && request->arg[2] != kPointerGood) {
    text_add(text, ", priority");
    text_add_pointer(text, (PointerKind)request->arg[2]);
  }
  text_add(text, "%s", kDeadlines[request->arg[3]]);
  text_add_pointer(text, request->pointer);
  text_add(text, ")");
}

static void describe_notify(const Request* request, Text* text) {
  static const char* const kWays[] = {"SIGEV_NONE", "SIGEV_SIGNAL", "NULL", "77"};
  text_add(text, "mq_notify(");
  add_fd(request, request->arg[0], text);
  text_add(text, ", %s", kWays[request->arg[1]]);
  if (request->arg[1] == kMqNotifySignal) text_add(text, " %" PRId64, request->arg[2]);
  text_add_pointer(text, request->pointer);
  text_add(text, ")");
}

static void describe_poll(const Request* request, Text* text) {
  text_add(text, "%s(", kMqOpNames[request->op]);
  for (int i = 0; i < request->arg[2]; i++) {
    add_fd(request, request->list[2 * i], text);
    text_add(text, " ");
    mq_add_poll_events(text, request->list[2 * i + 1]);
    text_add(text, ", ");
  }
  text_add(text, "%" PRId64 " ms)", request->arg[1]);
}

static void describe_epoll_ctl(const Request* request, Text* text) {
  static const char* const kCommands[] = {"", "ADD", "DEL", "MOD"};
  text_add(text, "epoll_ctl(%s ",
           request->arg[1] <= EPOLL_CTL_MOD ? kCommands[request->arg[1]] : "99");
  add_fd(request, request->arg[0], text);
  text_add(text, ", ");
  mq_add_epoll_events(text, request->arg[2]);
  text_add(text, ")");
}

static void describe_plain(const Request* request, Text* text) {
  text_add(text, "%s(", kMqOpNames[request->op]);
  add_fd(request, request->arg[0], text);
  switch (request->op) {
    case kMqSetFl:
      text_add(text, ", ");
      mq_add_open_flags(text, request->arg[1]);
      break;
    case kMqSetAttr:
      text_add(text, ", %#" PRIx64 "%s", request->arg[1], request->arg[2] != 0 ? ", old" : "");
      break;
    case kMqChmod: text_add(text, ", 0%" PRIo64, request->arg[1]); break;
    case kMqClose:
    case kMqSetFd:
    case kMqEpollWait:
    case kMqLimit: text_add(text, ", %" PRId64, request->arg[1]); break;
    case kMqLine:
      text_add(text, ", %" PRId64 " bytes at %" PRId64, request->arg[1], request->arg[2]);
      break;
    default: break;
  }
  text_add_pointer(text, request->pointer);
  text_add(text, ")");
}

void mq_describe(const Request* request, Text* text) {
  if (request->arg[5] != 0) text_add(text, "a child's ");
  switch (request->op) {
    case kMqOpen: describe_open(request, text); break;
    case kMqUnlink:
      text_add(text, "mq_unlink(");
      add_name(request, text);
      text_add(text, ")");
      break;
    case kMqDup: describe_dup(request, text); break;
    case kMqSend:
    case kMqReceive: describe_transfer(request, text); break;
    case kMqNotify: describe_notify(request, text); break;
    case kMqPoll:
    case kMqSelect: describe_poll(request, text); break;
    case kMqEpollCtl: describe_epoll_ctl(request, text); break;
    default: describe_plain(request, text);
  }
}
