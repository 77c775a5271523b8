// Generates and describes the calls of System V semaphores.
//
// Few sets, few keys, sets of up to eight semaphores (a few larger), values of a few units: see
// family_sem_ops.c for the operations themselves.

#include "family_sem.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

#include "ids.h"
#include "persona.h"
#include "place.h"

enum { kWantedSets = 3, kTooManySets = 10 };

static Ids known[kPlaces];  // of each namespace
static Ids* sets(void) { return &known[place_now]; }

static const char* const kOps[kSemOps] = {
    [kSemGet] = "semget",
    [kSemOp] = "semop",
    [kSemTimedOp] = "semtimedop",
    [kSemGetVal] = "semctl GETVAL",
    [kSemSetVal] = "semctl SETVAL",
    [kSemGetAll] = "semctl GETALL",
    [kSemSetAll] = "semctl SETALL",
    [kSemGetPid] = "semctl GETPID",
    [kSemGetNcnt] = "semctl GETNCNT",
    [kSemGetZcnt] = "semctl GETZCNT",
    [kSemStat] = "semctl IPC_STAT",
    [kSemSet] = "semctl IPC_SET",
    [kSemRmid] = "semctl IPC_RMID",
    [kSemIpcInfo] = "semctl IPC_INFO",
    [kSemSemInfo] = "semctl SEM_INFO",
    [kSemStatIndex] = "semctl SEM_STAT",
    [kSemStatAny] = "semctl SEM_STAT_ANY",
    [kSemOtherCommand] = "semctl other",
    [kSemProc] = "/proc/sysvipc/sem",
};

static const int kCommands[kSemOps] = {
    [kSemGetVal] = GETVAL,      [kSemSetVal] = SETVAL,        [kSemGetAll] = GETALL,
    [kSemSetAll] = SETALL,      [kSemGetPid] = GETPID,        [kSemGetNcnt] = GETNCNT,
    [kSemGetZcnt] = GETZCNT,    [kSemStat] = IPC_STAT,        [kSemSet] = IPC_SET,
    [kSemRmid] = IPC_RMID,      [kSemIpcInfo] = IPC_INFO,     [kSemSemInfo] = SEM_INFO,
    [kSemStatIndex] = SEM_STAT, [kSemStatAny] = SEM_STAT_ANY,
};

// ---- Drawing

static void draw_get(Rng* rng, Request* request) {
  static const Choice kKeys[] = {{25, 1}, {25, 2}, {15, 3}, {30, IPC_PRIVATE}, {5, -5}};
  static const Choice kFlags[] = {{60, IPC_CREAT}, {20, IPC_CREAT | IPC_EXCL},   {13, 0},
                                  {4, IPC_EXCL},   {2, IPC_CREAT | 0x7ffff000L}, {1, IPC_NOWAIT}};
  static const Choice kModes[] = {{45, 0666}, {12, 0600}, {10, 0640}, {10, 0660}, {8, 0},
                                  {5, 0222},  {5, 0444},  {5, 0606},  {5, 0777}};
  // 64: "the same semaphore twice" is noticed by number modulo 64; 256: values kept on the stack.
  static const Choice kSizes[] = {{60, 0}, {3, 64}, {3, 70}, {1, 256}, {1, 257}, {1, kMaxSize}};
  static const Choice kWild[] = {{2, -1}, {1, INT_MIN}, {1, INT_MAX}, {2, 32001}, {1, 1LL << 32}};
  request->arg[0] = RNG_CHOOSE(rng, kKeys);
  request->arg[2] = RNG_CHOOSE(rng, kFlags);
  request->arg[2] |= RNG_CHOOSE(rng, kModes);
  request->arg[1] = RNG_CHOOSE(rng, kSizes);
  if (request->arg[1] == 0) request->arg[1] = rng_below(rng, 9);
  if (rng_percent(rng, 4)) request->arg[1] = RNG_CHOOSE(rng, kWild);
  if (rng_percent(rng, 30)) request->persona = persona_draw(rng);
}

static int64_t draw_number(Rng* rng, int id) {
  static const Choice kOdd[] = {{2, -1}, {1, INT_MIN}, {1, INT_MAX}, {1, 65536}};
  const int size = sem_set_size(id);
  if (rng_percent(rng, 95)) return rng_below(rng, size);
  return rng_percent(rng, 50) ? size : RNG_CHOOSE(rng, kOdd);
}

static int64_t draw_value(Rng* rng) {
  static const Choice kOdd[] = {{4, kMaxValue}, {3, kMaxValue - 1}, {3, kMaxValue + 1}, {2, -1},
                                {1, INT_MIN},   {1, INT_MAX},       {1, UINT16_MAX},    {1, 65536}};
  return rng_percent(rng, 8) ? RNG_CHOOSE(rng, kOdd) : rng_below(rng, 4);
}

// Beyond the set's values: what must not be read, or the call would fail.
static void draw_values(Rng* rng, Request* request) {
  static const Choice kOdd[] = {{2, kMaxValue}, {1, kMaxValue + 1}, {1, UINT16_MAX}};
  const int size = sem_set_size((int)request->arg[0]);
  const int64_t limit = rng_percent(rng, 40) ? 1 : 4;
  for (int i = 0; i < kListLength; i++) request->list[i] = -1;
  for (int i = 0; i < size && i < kListLength; i++)
    request->list[i] = (int16_t)rng_below(rng, limit);
  if (rng_percent(rng, 15)) {
    const int64_t at = rng_below(rng, size);
    request->list[at] = (int16_t)RNG_CHOOSE(rng, kOdd);
  }
}

static void draw_set(Rng* rng, Request* request) {
  static const Choice kModes[] = {{64, 0666}, {8, 0600}, {8, 0640},  {5, 0},
                                  {5, 0444},  {5, 0222}, {4, 07777}, {4, 0x7fffffff}};
  static const Choice kOwners[] = {{60, 0}, {20, 1}, {15, 2}, {4, 65534}, {1, -1}};
  request->arg[3] = RNG_CHOOSE(rng, kModes);
  request->arg[4] = RNG_CHOOSE(rng, kOwners);
  request->arg[5] = RNG_CHOOSE(rng, kOwners);
  request->pointer = draw_pointer(rng, 4);
  if (!shared->own_ids) return;
  if (request->arg[4] >= 0) request->arg[4] = geteuid();
  if (request->arg[5] >= 0) request->arg[5] = getegid();
  // A page of zeros names uid 0.
  if (request->pointer == kPointerReadOnly) request->pointer = kPointerNull;
}

static void draw_control_of(Rng* rng, SemOp op, int id, Request* request) {
  static const Choice kOthers[] = {{2, 4},
                                   {2, 10},
                                   {2, 21},
                                   {2, 99},
                                   {2, -1},
                                   {1, INT_MIN},
                                   {1, INT_MAX},
                                   {2, 0x100 | IPC_STAT},
                                   {2, 0x100 | GETVAL},
                                   {1, 0x100 | IPC_RMID}};
  request->op = op;
  request->arg[0] = id;
  request->arg[1] = draw_number(rng, id);
  request->arg[2] = op == kSemOtherCommand ? RNG_CHOOSE(rng, kOthers) : kCommands[op];
  switch (op) {
    case kSemSet: draw_set(rng, request); break;
    case kSemSetVal: request->arg[3] = draw_value(rng); break;
    case kSemSetAll:
      draw_values(rng, request);
      request->pointer = draw_pointer(rng, 6);
      break;
    case kSemRmid: break;
    default: request->pointer = draw_pointer(rng, 8);
  }
}

static void draw_control(Rng* rng, SemOp op, Request* request) {
  const bool by_index = op == kSemStatIndex || op == kSemStatAny;
  const int id = by_index ? ids_draw_index(sets(), rng) : ids_draw(sets(), rng);
  draw_control_of(rng, op, id, request);
}

// A call that may end a sleep, or tells of it.
static void draw_answer(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  static const Choice kAnswers[] = {{60, kSemOp},      {10, kSemSetVal}, {6, kSemSetAll},
                                    {10, kSemGetNcnt}, {6, kSemGetZcnt}, {4, kSemGetVal},
                                    {4, kSemGetPid}};
  static Operation wanted[kMaxOperations];
  const SemOp op = (SemOp)RNG_CHOOSE(rng, kAnswers);
  if (rng_percent(rng, 60)) request->persona = 0;
  if (op == kSemOp) {
    sem_draw_gift(rng, may_sleep, sleeper, request);
    return;
  }
  draw_control_of(rng, op, (int)sleeper->arg[0], request);
  const int count = sem_operations_read(sleeper, wanted);
  if (count == 0 || !rng_percent(rng, 85)) return;
  const Operation operation = wanted[rng_below(rng, count)];
  request->arg[1] = operation.number;
  if (op == kSemSetVal && operation.change <= 0)
    request->arg[3] = -operation.change <= kMaxValue ? -operation.change : kMaxValue;
}

// A call that sleeps beside another: only then does the order of wake-ups matter.
static void draw_companion(Rng* rng, const Request* sleeper, Request* request) {
  request->persona = 0;
  request->op = rng_percent(rng, 75) ? kSemOp : kSemTimedOp;
  request->arg[0] = sleeper->arg[0];
  for (int attempt = 0; attempt < 4 && !request->may_sleep; attempt++) {
    request->arg[1] = request->arg[2] = 0;
    sem_draw_operations(rng, true, request);
  }
}

static SemOp draw_op(Rng* rng) {
  static const Choice kWeights[] = {
      {46, kSemGet},     {480, kSemOp},     {110, kSemTimedOp},    {50, kSemGetVal},
      {36, kSemSetVal},  {24, kSemGetAll},  {18, kSemSetAll},      {36, kSemGetPid},
      {40, kSemGetNcnt}, {40, kSemGetZcnt}, {30, kSemStat},        {24, kSemSet},
      {20, kSemRmid},    {8, kSemIpcInfo},  {12, kSemSemInfo},     {14, kSemStatIndex},
      {14, kSemStatAny}, {20, kSemProc},    {8, kSemOtherCommand},
  };
  if (sets()->live_count < kWantedSets && rng_percent(rng, 40)) return kSemGet;
  if (sets()->live_count > kTooManySets) return kSemRmid;
  return (SemOp)RNG_CHOOSE(rng, kWeights);
}

static void sem_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  static const Choice kChunks[] = {{1, 1}, {2, 7}, {3, 100}, {4, 4096}, {2, 65536}};
  if (sleeper != NULL && rng_percent(rng, may_sleep ? 25 : 50)) {
    draw_answer(rng, may_sleep, sleeper, request);
    return;
  }
  if (sleeper != NULL && may_sleep && rng_percent(rng, 20)) {
    draw_companion(rng, sleeper, request);
    return;
  }
  request->op = draw_op(rng);
  switch (request->op) {
    case kSemGet: draw_get(rng, request); break;
    case kSemOp:
    case kSemTimedOp:
      request->arg[0] = ids_draw(sets(), rng);
      sem_draw_operations(rng, may_sleep, request);
      break;
    case kSemProc: request->arg[0] = RNG_CHOOSE(rng, kChunks); break;
    default: draw_control(rng, (SemOp)request->op, request);
  }
}

// ---- Describing

static void describe_get(const Request* request, Text* text) {
  static const FlagName kGetFlags[] = {{IPC_CREAT, "IPC_CREAT"}, {IPC_EXCL, "IPC_EXCL"}};
  text_add(text, "semget(%" PRId64 ", %" PRId64 ", ", request->arg[0], request->arg[1]);
  text_add_flags(text, request->arg[2] & ~0777L, kGetFlags, 2);
  text_add(text, ", 0%03" PRIo64 ")", request->arg[2] & 0777);
}

static void describe_control(const Request* request, Text* text) {
  text_add(text, "%s(%" PRId64 ", %" PRId64, kOps[request->op], request->arg[0], request->arg[1]);
  if (request->op == kSemOtherCommand) text_add(text, ", command %" PRId64, request->arg[2]);
  if (request->op == kSemSetVal) text_add(text, ", %" PRId64, request->arg[3]);
  if (request->op == kSemSet)
    text_add(text, ", mode 0%" PRIo64 ", owner %" PRId64 ":%" PRId64, request->arg[3],
             request->arg[4], request->arg[5]);
  for (int i = 0; request->op == kSemSetAll && i < 9; i++)
    text_add(text, "%s%u", i == 0 ? ", " : " ", (unsigned)(uint16_t)request->list[i]);
  text_add_pointer(text, (PointerKind)request->pointer);
  text_add(text, ")");
}

static void sem_describe(const Request* request, Text* text) {
  switch (request->op) {
    case kSemGet: describe_get(request, text); break;
    case kSemOp:
    case kSemTimedOp:
      text_add(text, "%s", kOps[request->op]);
      sem_describe_operations(request, text);
      break;
    case kSemProc: text_add(text, "%s by %" PRId64, kOps[kSemProc], request->arg[0]); break;
    default: describe_control(request, text);
  }
}

// ---- Learning

static void learn_operations(const Request* request) {
  static Operation operations[kMaxOperations];
  const int count = sem_operations_read(request, operations);
  for (int i = 0; i < count; i++)
    if (operations[i].flags & SEM_UNDO)
      sem_undo_add(request->worker, (int)request->arg[0], operations[i].number,
                   -operations[i].change);
}

static void sem_learn(const Request* request, const Reply* reply) {
  const int id = (int)request->arg[0];
  if (reply->ret < 0) return;
  switch (request->op) {
    case kSemGet:
      if (ids_add(sets(), (int)reply->ret)) sem_set_created((int)reply->ret, (int)request->arg[1]);
      break;
    case kSemOp:
    case kSemTimedOp: learn_operations(request); break;
    case kSemSetVal: sem_undo_clear(id, (int)request->arg[1]); break;
    case kSemSetAll: sem_undo_clear(id, -1); break;
    case kSemRmid:
      ids_remove(sets(), id);
      sem_set_removed(id);
      break;
    default: break;
  }
}

// A read of any kind must find the undo done.
static bool sem_bequeath(Rng* rng, int worker, Request* request) {
  static const Choice kReads[] = {{3, kSemGetVal},  {3, kSemGetAll}, {3, kSemGetNcnt},
                                  {2, kSemGetZcnt}, {2, kSemGetPid}, {2, kSemStat},
                                  {1, kSemStatAny}, {1, kSemProc}};
  const int id = sem_undo_take(worker);
  if (id < 0) return false;
  request->object = id;
  request->op = (int)RNG_CHOOSE(rng, kReads);
  if (request->op == kSemProc) {
    request->arg[0] = 4096;
    return true;
  }
  request->arg[0] = request->op == kSemStatAny ? id % 32768 : id;
  request->arg[1] = rng_below(rng, sem_set_size(id));
  request->arg[2] = kCommands[request->op];
  return true;
}

static bool sem_would_free(int worker, const Request* sleeper) {
  static Operation operations[kMaxOperations];
  const int count = sem_operations_read(sleeper, operations);
  for (int i = 0; i < count; i++) {
    const int undo = sem_undo_of(worker, (int)sleeper->arg[0], operations[i].number);
    if (operations[i].change < 0 ? undo > 0 : operations[i].change == 0 && undo < 0) return true;
  }
  return false;
}

static void sem_forget_place(void) {
  *sets() = (Ids){.live_count = 0};
  sem_sets_forget_place();
}

static bool sem_closing(Request* request) {
  if (sets()->live_count == 0) return false;
  request->op = kSemRmid;
  request->arg[0] = sets()->live[0];
  request->arg[2] = IPC_RMID;
  return true;
}

// ---- Kinds of operations, for the statistics

static const char* const kKinds[] = {
    "no operation",        "one change",       "one zero-wait",          "array of changes",
    "array of zero-waits", "one change, undo", "array of changes, undo", "zero-waits, undo",
};

static int sem_kind(const Request* request) {
  static Operation operations[kMaxOperations];
  bool has_change = false, has_undo = false;
  if (request->op != kSemOp && request->op != kSemTimedOp) return -1;
  const int count = sem_operations_read(request, operations);
  for (int i = 0; i < count; i++) {
    has_change = has_change || operations[i].change != 0;
    has_undo = has_undo || (operations[i].flags & SEM_UNDO) != 0;
  }
  if (count == 0) return 0;
  if (!has_undo) return has_change ? (count == 1 ? 1 : 3) : (count == 1 ? 2 : 4);
  return has_change ? (count == 1 ? 5 : 6) : 7;
}

const Family kSemFamily = {
    .name = "sem",
    .ops = kOps,
    .op_count = kSemOps,
    .file_ops = 1U << kSemProc,
    .weight = 100,
    .draw = sem_draw,
    .execute = sem_execute,
    .describe = sem_describe,
    .learn = sem_learn,
    .bequeath = sem_bequeath,
    .would_free = sem_would_free,
    .forget_place = sem_forget_place,
    .closing = sem_closing,
    .kinds = kKinds,
    .kind_count = sizeof(kKinds) / sizeof(kKinds[0]),
    .kind = sem_kind,
};
