// Generates the calls of POSIX message queues; family_mq_text.c describes them.
//
// Few names, small queues and few priorities, so that callers sleep often and several on one queue.
// What is left out by construction (docs/compatibility.md): the position that copies of a
// descriptor share, the folder, signals to processes of other users.

#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>

#include "family_mq.h"
#include "family_mq_text.h"
#include "persona.h"

// kLineToPid: of the line that read(2) gives, the part before the pid, whose digits vary.
enum { kWantedDescriptors = 3, kTooManyDescriptors = 9, kMaxPassed = 3, kLineToPid = 53 };

// ---- Drawing

static int64_t draw_fd(Rng* rng, int worker) {
  static const Choice kBad[] = {{3, -1}, {3, 0}, {3, 9999}, {2, 55}, {1, INT_MIN}, {3, 31}};
  const MqWorker* own = mq_worker(worker);
  if (own->count == 0 || rng_percent(rng, 3)) return RNG_CHOOSE(rng, kBad);
  return own->held[rng_below(rng, own->count)].fd;
}

static int64_t draw_name(Rng* rng) {
  // The fifth good one has 255 bytes.
  static const Choice kNames[] = {{34, 0}, {28, 1}, {18, 2}, {12, 3}, {2, 4}};
  if (rng_percent(rng, 94)) return RNG_CHOOSE(rng, kNames);
  return rng_between(rng, kMqGoodNames, kMqNames - 1);
}

// Bad memory can be told by number alone: libc reads names itself.
static void choose_raw(Request* request) {
  if (request->arg[0] == kMqNullName || request->arg[0] == kMqUnmappedName) request->raw = true;
  // There it is a good one.
  if (request->arg[0] == kMqGoodNames) request->raw = false;
}

static int64_t draw_message_size(Rng* rng) {
  static const Choice kSizes[] = {{30, 16},      {20, 40},      {8, 1},       {8, 100},
                                  {6, 4000},     {4, 8192},     {3, 8193},    {2, 20000},
                                  {1, 65536},    {2, 0},        {2, -1},      {1, LONG_MAX},
                                  {1, 16777216}, {1, 16777217}, {1, LONG_MIN}};
  return RNG_CHOOSE(rng, kSizes);
}

static void draw_open(Rng* rng, Request* request) {
  static const Choice kFlags[] = {{70, O_CREAT}, {12, O_CREAT | O_EXCL}, {18, 0}, {2, O_EXCL}};
  static const Choice kAccess[] = {{80, O_RDWR}, {10, O_RDONLY}, {10, O_WRONLY}, {1, O_ACCMODE}};
  static const Choice kMore[] = {{20, O_NONBLOCK}, {80, 0},      {3, O_CLOEXEC},
                                 {2, O_APPEND},    {2, O_TRUNC}, {1, O_SYNC}};
  static const Choice kModes[] = {{45, 0666}, {10, 0600}, {8, 0640}, {8, 0660}, {6, 0},
                                  {4, 0222},  {4, 0444},  {4, 0606}, {4, 0777}, {2, 07777}};
  static const Choice kMessages[] = {{30, 2},  {25, 3},    {20, 1},    {12, 5},
                                     {4, 10},  {2, 11},    {2, 0},     {1, -1},
                                     {1, 300}, {1, 65536}, {1, 65537}, {1, LONG_MAX}};
  request->op = kMqOpen;
  request->arg[0] = draw_name(rng);
  request->arg[1] = RNG_CHOOSE(rng, kFlags);
  request->arg[1] |= RNG_CHOOSE(rng, kAccess);
  request->arg[1] |= RNG_CHOOSE(rng, kMore);
  request->arg[2] = RNG_CHOOSE(rng, kModes);
  request->arg[3] = RNG_CHOOSE(rng, kMessages);
  request->arg[4] = draw_message_size(rng);
  request->pointer = rng_percent(rng, 4) ? kPointerNull : draw_pointer(rng, 4);
  if (rng_percent(rng, 30)) request->persona = persona_draw(rng);
  choose_raw(request);
}

static void draw_unlink(Rng* rng, Request* request) {
  request->op = kMqUnlink;
  request->arg[0] = draw_name(rng);
  choose_raw(request);
}

static void draw_dup(Rng* rng, Request* request) {
  static const Choice kFlags[] = {{50, 0}, {40, O_CLOEXEC}, {3, O_NONBLOCK}};
  request->arg[0] = draw_fd(rng, request->worker);
  request->arg[1] = rng_below(rng, kMqDupWays);
  request->arg[2] = rng_between(rng, 30, 34);
  if (request->arg[1] == kMqDup3) request->arg[3] = RNG_CHOOSE(rng, kFlags);
  // Onto another queue, or itself; and beyond the limit.
  if (rng_percent(rng, 30)) request->arg[2] = draw_fd(rng, request->worker);
  // Not onto what the worker needs for itself.
  if (request->arg[2] == 0) request->arg[2] = 30;
}

// Draws a deadline with which the call does not outlive its step, if it may not sleep.
static void draw_deadline(Rng* rng, bool may_sleep, Request* request) {
  static const Choice kAny[] = {{74, kMqNoDeadline},
                                {8, kMqFar},
                                {9, kMqPast},
                                {2, kMqZero},
                                {1, kMqSoon},
                                {1, kMqNanosecondsTooMany},
                                {1, kMqNanosecondsNegative},
                                {1, kMqSecondsNegative},
                                {1, kMqDeadlineUnmapped}};
  static const Choice kBounded[] = {{60, kMqPast}, {30, kMqZero}, {3, kMqSoon}};
  const MqHeld* held = mq_find_fd(request->worker, (int)request->arg[0]);
  const bool is_nonblocking = held == NULL || mq_is_nonblocking(held->file);
  request->arg[3] = RNG_CHOOSE(rng, kAny);
  const bool is_unbounded = request->arg[3] == kMqNoDeadline || request->arg[3] == kMqFar;
  if (is_unbounded && !is_nonblocking && !may_sleep) request->arg[3] = RNG_CHOOSE(rng, kBounded);
  request->may_sleep = may_sleep && is_unbounded && !is_nonblocking;
  request->object = request->may_sleep ? held->queue : -1;
}

static int64_t draw_size(Rng* rng, int queue, bool is_room) {
  static const Choice kWild[] = {{3, -1}, {2, LONG_MAX}, {1, 1LL << 32}, {1, INT_MAX}};
  const int size = mq_message_size(queue);
  const int64_t roll = rng_below(rng, 100);
  if (roll < (is_room ? 82 : 10)) return size;
  if (roll < 92) return size > 0 ? rng_below(rng, size + 1) : 0;
  if (roll < 96) return (int64_t)size + 1;
  if (roll < 98) return is_room ? kMqBodySize : 0;
  return RNG_CHOOSE(rng, kWild);
}

static void draw_transfer(Rng* rng, bool may_sleep, int op, int64_t fd, Request* request) {
  static const Choice kPriorities[] = {{40, 0},    {25, 1},    {15, 2},      {8, 31},
                                       {4, 32767}, {1, 32768}, {1, UINT_MAX}};
  request->op = op;
  request->arg[0] = fd;
  const MqHeld* held = mq_find_fd(request->worker, (int)fd);
  request->arg[1] = draw_size(rng, held == NULL ? 0 : held->queue, op == kMqReceive);
  if (op == kMqSend)
    request->arg[2] = RNG_CHOOSE(rng, kPriorities);
  else
    request->arg[2] = rng_percent(rng, 80) ? kPointerGood : draw_pointer(rng, 20);
  request->pointer = draw_pointer(rng, 3);
  draw_deadline(rng, may_sleep, request);
}

static void draw_notify(Rng* rng, Request* request) {
  static const Choice kWays[] = {
      {65, kMqNotifySignal}, {12, kMqNotifyNone}, {20, kMqNotifyRemove}, {3, kMqNotifyWrong}};
  // USR1 and USR2 run handlers, in whatever their process does then. URG is ignored.
  static const Choice kOdd[] = {{8, SIGUSR1}, {8, SIGUSR2}, {3, SIGURG}, {3, 0}, {2, 65}, {2, -1}};
  const int kTaken[] = MQ_TAKEN_SIGNALS;
  request->arg[0] = draw_fd(rng, request->worker);
  request->arg[1] = RNG_CHOOSE(rng, kWays);
  request->arg[2] = kTaken[rng_below(rng, sizeof(kTaken) / sizeof(kTaken[0]))];
  if (rng_percent(rng, 25)) request->arg[2] = RNG_CHOOSE(rng, kOdd);
  request->arg[3] = (int64_t)rng_next(rng);
  if (request->raw) request->pointer = draw_pointer(rng, 5);
}

static int64_t draw_timeout(Rng* rng, bool may_sleep, Request* request) {
  const int64_t roll = rng_below(rng, 100);
  request->may_sleep = may_sleep && roll < 50;
  if (request->may_sleep) return -1;
  return roll >= 95 ? 2 : 0;
}

static void draw_poll(Rng* rng, bool may_sleep, int64_t fd, Request* request) {
  static const Choice kEvents[] = {{45, POLLIN}, {25, POLLOUT},   {20, POLLIN | POLLOUT},
                                   {3, POLLPRI}, {3, POLLRDNORM}, {2, POLLWRNORM | POLLRDNORM},
                                   {2, 0}};
  request->arg[2] = rng_percent(rng, 60) ? 1 : rng_between(rng, 1, 3);
  for (int i = 0; i < request->arg[2]; i++) {
    request->list[2 * i] = (int16_t)(i == 0 ? fd : draw_fd(rng, request->worker));
    request->list[2 * i + 1] = (int16_t)RNG_CHOOSE(rng, kEvents);
  }
  request->arg[1] = draw_timeout(rng, may_sleep, request);
  const MqHeld* held = mq_find_fd(request->worker, (int)fd);
  if (request->may_sleep && held != NULL) request->object = held->queue;
}

static void draw_epoll_ctl(Rng* rng, Request* request) {
  static const Choice kCommands[] = {
      {60, EPOLL_CTL_ADD}, {25, EPOLL_CTL_MOD}, {14, EPOLL_CTL_DEL}, {1, 99}};
  static const Choice kEvents[] = {{30, EPOLLIN},
                                   {15, EPOLLOUT},
                                   {10, EPOLLIN | EPOLLOUT},
                                   {30, EPOLLIN | EPOLLET},
                                   {10, EPOLLOUT | EPOLLET},
                                   {12, EPOLLIN | EPOLLOUT | EPOLLET},
                                   {6, EPOLLIN | EPOLLONESHOT},
                                   {4, EPOLLOUT | EPOLLET | EPOLLONESHOT},
                                   {2, 0}};
  request->arg[0] = draw_fd(rng, request->worker);
  request->arg[1] = RNG_CHOOSE(rng, kCommands);
  request->arg[2] = RNG_CHOOSE(rng, kEvents);
}

static void draw_line(Rng* rng, Request* request) {
  request->arg[0] = draw_fd(rng, request->worker);
  request->arg[1] = kMqBodySize;
  request->arg[2] = -1;
  if (rng_percent(rng, 40)) return;
  request->arg[2] = rng_percent(rng, 30) ? rng_between(rng, 61, 90) : rng_below(rng, kLineToPid);
  if (request->arg[2] < kLineToPid) request->arg[1] = rng_below(rng, kLineToPid - request->arg[2]);
  if (rng_percent(rng, 5)) request->arg[2] = -2;
  // Bad memory where nothing is copied, or only a part, is told apart by the kernel alone.
  if (request->arg[2] < kLineToPid && request->arg[1] > 0) request->pointer = draw_pointer(rng, 4);
  if (request->pointer == kPointerEdge || request->pointer == kPointerEdgeData)
    request->pointer = kPointerGood;
}

static MqOp draw_op(Rng* rng, int worker) {
  static const Choice kWeights[] = {
      {60, kMqOpen},    {16, kMqUnlink},   {45, kMqClose},     {25, kMqDup},   {14, kMqSetFd},
      {14, kMqFlags},   {14, kMqStat},     {14, kMqSetFl},     {280, kMqSend}, {270, kMqReceive},
      {25, kMqGetAttr}, {14, kMqSetAttr},  {55, kMqNotify},    {40, kMqTake},  {50, kMqPoll},
      {20, kMqSelect},  {40, kMqEpollCtl}, {45, kMqEpollWait}, {30, kMqLine},  {14, kMqPass},
      {16, kMqAccept},  {5, kMqLimit},     {6, kMqChmod},
  };
  const int count = mq_worker(worker)->count;
  if (count < kWantedDescriptors && rng_percent(rng, 40)) return kMqOpen;
  if (count > kTooManyDescriptors && rng_percent(rng, 70)) return kMqClose;
  return (MqOp)RNG_CHOOSE(rng, kWeights);
}

// What is on its way keeps no namespace in a cell: that of queues that are passed on must stay.
static bool may_pass(const Request* request) {
  const MqHeld* held = mq_find_fd(request->worker, (int)request->arg[0]);
  return held == NULL || mq_home(held->queue) == 0;
}

static void draw_any(Rng* rng, bool may_sleep, Request* request) {
  static const Choice kOpenFlags[] = {
      {45, 0},       {35, O_NONBLOCK},           {5, O_APPEND},
      {3, O_DIRECT}, {3, O_NONBLOCK | O_APPEND}, {3, O_RDWR | O_CREAT}};
  static const Choice kAttrFlags[] = {{50, 0}, {40, O_NONBLOCK}, {4, O_RDWR}, {3, O_NONBLOCK | 1}};
  static const Choice kLimits[] = {{1, 0}, {2, 300}, {3, 2000}, {5, 819200}, {1, -1}, {1, 5000000}};
  static const Choice kModes[] = {{50, 0666}, {8, 0600}, {8, 0640}, {6, 0}, {5, 0444}, {5, 0222}};
  const int64_t fd = draw_fd(rng, request->worker);
  request->arg[0] = fd;
  switch (request->op) {
    case kMqOpen: draw_open(rng, request); break;
    case kMqUnlink: draw_unlink(rng, request); break;
    case kMqClose: request->arg[1] = rng_below(rng, kMqCloseWays); break;
    case kMqDup: draw_dup(rng, request); break;
    case kMqSetFd: request->arg[1] = rng_below(rng, 2); break;
    case kMqSetFl: request->arg[1] = RNG_CHOOSE(rng, kOpenFlags); break;
    case kMqSend:
    case kMqReceive: draw_transfer(rng, may_sleep, request->op, fd, request); break;
    case kMqGetAttr: request->pointer = draw_pointer(rng, 8); break;
    case kMqSetAttr:
      request->arg[1] = RNG_CHOOSE(rng, kAttrFlags);
      request->arg[2] = rng_below(rng, 2);
      request->pointer = draw_pointer(rng, 8);
      break;
    case kMqNotify: draw_notify(rng, request); break;
    case kMqPoll:
    case kMqSelect: draw_poll(rng, may_sleep, fd, request); break;
    case kMqEpollCtl: draw_epoll_ctl(rng, request); break;
    case kMqEpollWait: request->arg[1] = draw_timeout(rng, may_sleep, request); break;
    case kMqLine: draw_line(rng, request); break;
    case kMqPass:
      if (mq_passed() >= kMaxPassed || !may_pass(request)) request->op = kMqAccept;
      break;
    case kMqLimit:
      // A cell counts what a user has in it alone.
      if (shared->has_namespaces) request->op = kMqStat;
      request->arg[1] = RNG_CHOOSE(rng, kLimits);
      break;
    case kMqChmod: request->arg[1] = RNG_CHOOSE(rng, kModes); break;
    default: break;
  }
}

// A descriptor of the sleeper's queue; opens it if there is none, and the queue has a name.
static bool reach(Rng* rng, int queue, int access, Request* request) {
  const MqHeld* held = mq_find_queue(request->worker, queue, access);
  if (held != NULL) {
    request->arg[0] = held->fd;
    return true;
  }
  const int name = mq_name_of(queue);
  if (name < 0) return false;
  draw_open(rng, request);
  request->arg[0] = name;
  request->arg[1] = O_RDWR;
  request->raw = false;
  return false;
}

static int wanted_by(Rng* rng, const Request* sleeper) {
  if (sleeper->op == kMqReceive) return kMqSend;
  if (sleeper->op == kMqSend) return kMqReceive;
  return rng_percent(rng, 60) ? kMqSend : kMqReceive;
}

// A call that may end a sleep, or sleeps beside it. False: there is none.
static bool draw_beside(Rng* rng, bool may_sleep, int op, const Request* sleeper,
                        Request* request) {
  const int access = op == kMqSend ? O_WRONLY : O_RDONLY;
  if (sleeper->object < 0) return false;
  if (rng_percent(rng, 60)) request->persona = 0;
  if (!reach(rng, sleeper->object, access, request)) return mq_name_of(sleeper->object) >= 0;
  if (op == kMqPoll || op == kMqSelect) {
    request->op = op;
    draw_poll(rng, may_sleep, request->arg[0], request);
  } else {
    draw_transfer(rng, may_sleep, op, request->arg[0], request);
  }
  return true;
}

static bool draw_for_sleeper(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  const int64_t roll = rng_below(rng, 100);
  if (roll < (may_sleep ? 28 : 45))
    return draw_beside(rng, may_sleep, wanted_by(rng, sleeper), sleeper, request);
  if (roll >= 80 && may_sleep && sleeper->op != kMqEpollWait)
    return draw_beside(rng, may_sleep, sleeper->op, sleeper, request);
  return false;
}

static bool can_be_a_childs(const Request* request) {
  switch (request->op) {
    case kMqOpen:
    case kMqUnlink:
    case kMqClose:
    case kMqSetFl:
    case kMqGetAttr:
    case kMqSetAttr:
    case kMqNotify:
    case kMqLine: return true;
    case kMqSend:
    case kMqReceive: return !request->may_sleep;
    default: return false;
  }
}

static void mq_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  if (sleeper == NULL || !draw_for_sleeper(rng, may_sleep, sleeper, request)) {
    request->op = draw_op(rng, request->worker);
    draw_any(rng, may_sleep, request);
  }
  // Who is not allowed to open a cell does not get to what came from there.
  if (request->op == kMqAccept && shared->has_namespaces) request->persona = 0;
  if (can_be_a_childs(request)) request->arg[5] = rng_percent(rng, 8);
}

static bool mq_closing(Request* request) {
  for (int i = 0; i < kMqNames; i++) {
    if (!mq_is_linked(i)) continue;
    request->op = kMqUnlink;
    request->arg[0] = i;
    return true;
  }
  return false;
}

const Family kMqFamily = {
    .name = "mq",
    .ops = kMqOpNames,
    .op_count = kMqOps,
    .file_ops = 1U << kMqPoll | 1U << kMqSelect | 1U << kMqEpollWait | 1U << kMqAccept,
    .weight = 100,
    .outlives_objects = true,
    .prepare = mq_prepare,
    .begin = mq_begin,
    .draw = mq_draw,
    .execute = mq_execute,
    .describe = mq_describe,
    .learn = mq_learn,
    .forget = mq_forget,
    .exec = mq_exec,
    .forget_place = mq_forget_place,
    .closing = mq_closing,
};
