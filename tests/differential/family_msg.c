// Generates and describes the calls of System V message queues.
//
// Few queues, few keys, few types and queues of few bytes: so callers sleep often, several on one
// queue, senders of different sizes side by side, and hand-offs, E2BIG for a sleeper and EIDRM come
// up by the thousand. The statistics at the end of a log show whether they do.

#include "family_msg.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "ids.h"
#include "persona.h"
#include "place.h"

enum { kWantedQueues = 4, kTooManyQueues = 12 };

static Ids known[kPlaces];  // of each namespace
static Ids* queues(void) { return &known[place_now]; }
// A queue just created holds 16384 bytes, which small messages never fill: it is shrunk soon.
static bool shrink_is_due;
static int shrink_id;

static const char* const kOps[kMsgOps] = {
    "msgget",          "msgsnd",
    "msgrcv",          "msgctl IPC_STAT",
    "msgctl IPC_SET",  "msgctl IPC_RMID",
    "msgctl IPC_INFO", "msgctl MSG_INFO",
    "msgctl MSG_STAT", "msgctl MSG_STAT_ANY",
    "msgctl other",    "/proc/sysvipc/msg",
};

static void draw_get(Rng* rng, Request* request) {
  static const Choice kKeys[] = {{25, 1}, {25, 2}, {15, 3}, {30, IPC_PRIVATE}, {5, -5}};
  static const Choice kFlags[] = {{60, IPC_CREAT}, {20, IPC_CREAT | IPC_EXCL},   {13, 0},
                                  {4, IPC_EXCL},   {2, IPC_CREAT | 0x7ffff000L}, {1, IPC_NOWAIT}};
  static const Choice kModes[] = {{35, 0666}, {15, 0600}, {10, 0640}, {10, 0660}, {10, 0},
                                  {5, 0222},  {5, 0444},  {5, 0606},  {5, 0777}};
  request->arg[0] = RNG_CHOOSE(rng, kKeys);
  request->arg[1] = RNG_CHOOSE(rng, kFlags);
  request->arg[1] |= RNG_CHOOSE(rng, kModes);
  // Whether persona 0, which may do anything, or another creates it decides who is refused later.
  if (rng_percent(rng, 30)) request->persona = persona_draw(rng);
}

static int64_t draw_size(Rng* rng) {
  static const Choice kKinds[] = {{12, 0}, {60, 1}, {14, 2}, {8, 3}, {6, 4}};
  // 4048 bytes fill the kernel's first page of a message, 8192 is MSGMAX.
  static const Choice kMarks[] = {{2, 4047}, {2, 4048}, {2, 4049}, {2, 8191}, {4, 8192}, {3, 8193}};
  static const Choice kWild[] = {{3, -1},           {1, INT_MAX},   {1, LONG_MAX},
                                 {1, LONG_MIN},     {1, 1LL << 32}, {1, (1LL << 32) + 5},
                                 {1, 1LL + INT_MAX}};
  switch (RNG_CHOOSE(rng, kKinds)) {
    case 0: return 0;
    case 1: return rng_between(rng, 1, 40);
    case 2: return rng_between(rng, 41, 400);
    case 3: return RNG_CHOOSE(rng, kMarks);
    default: return RNG_CHOOSE(rng, kWild);
  }
}

static void may_sleep_unless_nowait(Request* request, bool may_sleep) {
  if (!may_sleep) request->arg[3] |= IPC_NOWAIT;
  request->may_sleep = (request->arg[3] & IPC_NOWAIT) == 0;
  request->object = request->may_sleep ? (int)request->arg[0] : -1;
}

static void draw_send(Rng* rng, bool may_sleep, Request* request) {
  static const Choice kOddTypes[] = {{3, 0}, {3, -1}, {1, LONG_MIN}, {5, LONG_MAX}, {3, 7}};
  static const Choice kFlags[] = {
      {72, 0}, {24, IPC_NOWAIT}, {2, MSG_NOERROR}, {1, 0x40000000}, {1, -1}};
  request->arg[0] = ids_draw(queues(), rng);
  request->arg[1] = rng_between(rng, 1, 5);
  if (rng_percent(rng, 8)) request->arg[1] = RNG_CHOOSE(rng, kOddTypes);
  request->arg[2] = draw_size(rng);
  request->arg[3] = RNG_CHOOSE(rng, kFlags);
  request->pointer = draw_pointer(rng, 3);
  may_sleep_unless_nowait(request, may_sleep);
}

static void draw_receive(Rng* rng, bool may_sleep, Request* request) {
  static const Choice kOddTypes[] = {{3, LONG_MIN}, {2, -LONG_MAX}, {2, LONG_MAX}, {2, 7}, {2, -7}};
  static const Choice kFlags[] = {{52, 0},
                                  {20, MSG_NOERROR},
                                  {10, MSG_EXCEPT},
                                  {6, MSG_EXCEPT | MSG_NOERROR},
                                  {6, MSG_COPY | IPC_NOWAIT},
                                  {2, MSG_COPY | IPC_NOWAIT | MSG_NOERROR},
                                  {1, MSG_COPY},
                                  {1, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT},
                                  {1, 0x40000000},
                                  {1, -1}};
  request->arg[0] = ids_draw(queues(), rng);
  request->arg[1] = rng_between(rng, -5, 5);
  if (rng_percent(rng, 10)) request->arg[1] = RNG_CHOOSE(rng, kOddTypes);
  // Two in three fit any usual message: the others meet E2BIG, awake and asleep.
  request->arg[2] = rng_percent(rng, 35) ? draw_size(rng) : 8192;
  request->arg[3] = RNG_CHOOSE(rng, kFlags);
  if (rng_percent(rng, 30)) request->arg[3] |= IPC_NOWAIT;
  request->pointer = draw_pointer(rng, 3);
  may_sleep_unless_nowait(request, may_sleep);
}

static void keep_own_ids(Request* request) {
  if (request->arg[4] >= 0) request->arg[4] = geteuid();
  if (request->arg[5] >= 0) request->arg[5] = getegid();
  // A page of zeros names uid 0.
  if (request->pointer == kPointerReadOnly) request->pointer = kPointerNull;
}

static void draw_set(Rng* rng, Request* request) {
  // Linux: ipc/msg.c:msgctl_down() takes the number as an int: 1 << 63 is 0 there.
  static const Choice kOddQbytes[] = {{4, 0},         {1, 1},     {3, 4000},
                                      {3, 16384},     {2, 16385}, {1, LONG_MAX},
                                      {1, LONG_MIN},  {1, -1},    {1, (1LL << 32) + 40},
                                      {1, 1LL << 31}, {1, 100000}};
  static const Choice kModes[] = {{60, 0666}, {8, 0600}, {8, 0640},  {6, 0},
                                  {5, 0444},  {5, 0222}, {4, 07777}, {4, 0x7fffffff}};
  static const Choice kOwners[] = {{60, 0}, {20, 1}, {15, 2}, {4, 65534}, {1, -1}};
  request->arg[0] = ids_draw(queues(), rng);
  request->arg[2] = rng_percent(rng, 20) ? RNG_CHOOSE(rng, kOddQbytes) : rng_between(rng, 2, 90);
  request->arg[3] = RNG_CHOOSE(rng, kModes);
  request->arg[4] = RNG_CHOOSE(rng, kOwners);
  request->arg[5] = RNG_CHOOSE(rng, kOwners);
  request->pointer = draw_pointer(rng, 4);
  if (shared->own_ids) keep_own_ids(request);
}

static void draw_shrink(Rng* rng, Request* request) {
  static const Choice kModes[] = {{80, 0666}, {10, 0644}, {10, 0660}};
  shrink_is_due = false;
  request->op = kMsgSet;
  request->persona = 0;
  request->arg[0] = shrink_id;
  request->arg[1] = IPC_SET;
  request->arg[2] = rng_between(rng, 2, 70);
  request->arg[3] = RNG_CHOOSE(rng, kModes);
  request->arg[4] = rng_below(rng, 3);
  request->arg[5] = rng_below(rng, 3);
  if (shared->own_ids) keep_own_ids(request);
}

static void draw_control(Rng* rng, Request* request) {
  static const int kCommands[kMsgOps] = {
      [kMsgStat] = IPC_STAT,        [kMsgSet] = IPC_SET,      [kMsgRmid] = IPC_RMID,
      [kMsgIpcInfo] = IPC_INFO,     [kMsgMsgInfo] = MSG_INFO, [kMsgStatIndex] = MSG_STAT,
      [kMsgStatAny] = MSG_STAT_ANY,
  };
  static const Choice kOthers[] = {{2, 4},
                                   {2, 10},
                                   {2, 14},
                                   {2, 99},
                                   {2, -1},
                                   {1, INT_MIN},
                                   {2, 0x100 | IPC_STAT},
                                   {2, 0x100 | IPC_RMID},
                                   {1, INT_MAX}};
  const bool by_index = request->op == kMsgStatIndex || request->op == kMsgStatAny;
  request->arg[0] = by_index ? ids_draw_index(queues(), rng) : ids_draw(queues(), rng);
  request->arg[1] =
      request->op == kMsgOtherCommand ? RNG_CHOOSE(rng, kOthers) : kCommands[request->op];
  if (request->op == kMsgSet)
    draw_set(rng, request);
  else if (request->op != kMsgRmid)
    request->pointer = draw_pointer(rng, 8);
}

// A message that a sleeping receiver is likely to want.
static void draw_answer_to_receiver(Rng* rng, bool may_sleep, const Request* receiver,
                                    Request* request) {
  const int64_t wanted = receiver->arg[1];
  request->op = kMsgSnd;
  draw_send(rng, may_sleep, request);
  if (wanted > 0 && (receiver->arg[3] & MSG_EXCEPT) == 0)
    request->arg[1] = wanted;
  else if (wanted < 0 && wanted >= -5)
    request->arg[1] = rng_between(rng, 1, -wanted);
}

// Room for a sleeping sender: by a message less, or by a larger queue, which may wake several.
static void draw_answer_to_sender(Rng* rng, bool may_sleep, const Request* sender,
                                  Request* request) {
  if (rng_percent(rng, 65)) {
    request->op = kMsgRcv;
    draw_receive(rng, may_sleep, request);
    if (rng_percent(rng, 80)) {
      request->arg[1] = 0;
      request->arg[2] = 8192;
    }
    return;
  }
  request->op = kMsgSet;
  request->arg[1] = IPC_SET;
  draw_set(rng, request);
  request->arg[2] = sender->arg[2] + rng_below(rng, 120);
}

// A call that sleeps beside another of its kind: only then does the order of wake-ups matter.
static void draw_companion(Rng* rng, const Request* sleeper, Request* request) {
  request->op = sleeper->op;
  request->persona = 0;
  if (sleeper->op == kMsgSnd)
    draw_send(rng, true, request);
  else
    draw_receive(rng, true, request);
  request->arg[0] = sleeper->arg[0];
  request->arg[3] &= ~(int64_t)IPC_NOWAIT;
  request->may_sleep = true;
  request->object = sleeper->object;
}

// A call that may end a sleep. It can still miss, by size, type or permission.
static void draw_answer(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  if (rng_percent(rng, 60)) request->persona = 0;
  if (sleeper->op == kMsgSnd)
    draw_answer_to_sender(rng, may_sleep, sleeper, request);
  else
    draw_answer_to_receiver(rng, may_sleep, sleeper, request);
  request->arg[0] = sleeper->arg[0];
  request->object = request->may_sleep ? sleeper->object : -1;
}

static MsgOp draw_op(Rng* rng) {
  static const Choice kWeights[] = {
      {60, kMsgGet},       {340, kMsgSnd},    {330, kMsgRcv},        {45, kMsgStat},
      {60, kMsgSet},       {24, kMsgRmid},    {8, kMsgIpcInfo},      {12, kMsgMsgInfo},
      {16, kMsgStatIndex}, {16, kMsgStatAny}, {6, kMsgOtherCommand}, {20, kMsgProc},
  };
  if (queues()->live_count < kWantedQueues && rng_percent(rng, 40)) return kMsgGet;
  if (queues()->live_count > kTooManyQueues) return kMsgRmid;
  return (MsgOp)RNG_CHOOSE(rng, kWeights);
}

static void msg_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  static const Choice kChunks[] = {{1, 1}, {2, 7}, {3, 100}, {4, 4096}, {2, 65536}};
  if (shrink_is_due && rng_percent(rng, 60)) {
    draw_shrink(rng, request);
    return;
  }
  if (sleeper != NULL && rng_percent(rng, may_sleep ? 25 : 40)) {
    draw_answer(rng, may_sleep, sleeper, request);
    return;
  }
  if (sleeper != NULL && may_sleep && rng_percent(rng, 20)) {
    draw_companion(rng, sleeper, request);
    return;
  }
  request->op = draw_op(rng);
  switch (request->op) {
    case kMsgGet: draw_get(rng, request); break;
    case kMsgSnd: draw_send(rng, may_sleep, request); break;
    case kMsgRcv: draw_receive(rng, may_sleep, request); break;
    case kMsgProc: request->arg[0] = RNG_CHOOSE(rng, kChunks); break;
    default: draw_control(rng, request);
  }
}

static const FlagName kGetFlags[] = {{IPC_CREAT, "IPC_CREAT"}, {IPC_EXCL, "IPC_EXCL"}};
static const FlagName kCallFlags[] = {{IPC_NOWAIT, "IPC_NOWAIT"},
                                      {MSG_NOERROR, "MSG_NOERROR"},
                                      {MSG_EXCEPT, "MSG_EXCEPT"},
                                      {MSG_COPY, "MSG_COPY"}};

static void describe_get(const Request* request, Text* text) {
  text_add(text, "msgget(%" PRId64 ", ", request->arg[0]);
  text_add_flags(text, request->arg[1] & ~0777L, kGetFlags, 2);
  text_add(text, ", 0%03" PRIo64 ")", request->arg[1] & 0777);
}

static void describe_transfer(const Request* request, Text* text) {
  text_add(text, "%s(%" PRId64 ", type %" PRId64 ", %" PRId64 " bytes, ", kOps[request->op],
           request->arg[0], request->arg[1], request->arg[2]);
  text_add_flags(text, request->arg[3], kCallFlags, 4);
  text_add_pointer(text, request->pointer);
  text_add(text, ")");
}

static void msg_describe(const Request* request, Text* text) {
  switch (request->op) {
    case kMsgGet: describe_get(request, text); return;
    case kMsgSnd:
    case kMsgRcv: describe_transfer(request, text); return;
    case kMsgProc: text_add(text, "%s by %" PRId64, kOps[kMsgProc], request->arg[0]); return;
    default: break;
  }
  text_add(text, "%s(%" PRId64, kOps[request->op], request->arg[0]);
  if (request->op == kMsgOtherCommand) text_add(text, ", command %" PRId64, request->arg[1]);
  if (request->op == kMsgSet)
    text_add(text, ", qbytes %" PRIu64 ", mode 0%" PRIo64 ", owner %" PRId64 ":%" PRId64,
             request->arg[2], request->arg[3], request->arg[4], request->arg[5]);
  text_add_pointer(text, request->pointer);
  text_add(text, ")");
}

static void msg_learn(const Request* request, const Reply* reply) {
  if (reply->ret < 0) return;
  if (request->op == kMsgRmid) {
    ids_remove(queues(), (int)request->arg[0]);
  } else if (request->op == kMsgGet && ids_add(queues(), (int)reply->ret)) {
    shrink_is_due = true;
    shrink_id = (int)reply->ret;
  }
}

static void msg_forget_place(void) { *queues() = (Ids){.live_count = 0}; }

static bool msg_closing(Request* request) {
  if (queues()->live_count == 0) return false;
  request->op = kMsgRmid;
  request->arg[0] = queues()->live[0];
  request->arg[1] = IPC_RMID;
  return true;
}

const Family kMsgFamily = {
    .name = "msg",
    .ops = kOps,
    .op_count = kMsgOps,
    .file_ops = 1U << kMsgProc,
    .weight = 100,
    .draw = msg_draw,
    .execute = msg_execute,
    .describe = msg_describe,
    .learn = msg_learn,
    .forget_place = msg_forget_place,
    .closing = msg_closing,
};
