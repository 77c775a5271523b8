// The arrays of operations of semop and semtimedop, and their time-outs.
//
// Small amounts on sets of few semaphores, one operation or several, some semaphores twice in one
// array, zero-waits among them: simple and complex operations then sleep side by side, and one that
// is completed completes others or not, as the kernel's queues have it.

#include <limits.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "family_sem.h"

const SemTimeout kSemTimeouts[] = {
    {kTimeoutNone, kPointerNull, 0, 0},
    {kTimeoutLong, kPointerGood, 100000, 0},
    {kTimeoutLong, kPointerGood, LONG_MAX, 999999999},
    {kTimeoutLong, kPointerGood, 1LL << 34, 1},
    {kTimeoutShort, kPointerGood, 0, 0},
    {kTimeoutShort, kPointerGood, 0, 1},
    {kTimeoutShort, kPointerGood, 0, 50000},
    {kTimeoutWrong, kPointerGood, 0, 1000000000},
    {kTimeoutWrong, kPointerGood, 0, -1},
    {kTimeoutWrong, kPointerGood, -1, 0},
    {kTimeoutWrong, kPointerGood, LONG_MIN, LONG_MAX},
    {kTimeoutWrong, kPointerLow, 0, 0},
    {kTimeoutWrong, kPointerUnmapped, 0, 0},
    {kTimeoutWrong, kPointerLast, 0, 0},
};
enum { kTimeouts = sizeof(kSemTimeouts) / sizeof(kSemTimeouts[0]), kUsualLength = 12 };

int64_t sem_draw_timeout(Rng* rng, TimeoutKind kind) {
  for (;;) {
    const int64_t index = rng_below(rng, kTimeouts);
    if (kSemTimeouts[index].kind == kind) return index;
  }
}

Operation sem_operation(const Request* request, int index) {
  Operation operation;
  memcpy(&operation, request->list + 3 * index, sizeof(operation));
  return operation;
}

static void set_operation(Request* request, int index, Operation operation) {
  memcpy(request->list + 3 * index, &operation, sizeof(operation));
}

void sem_add_operation(Request* request, Operation operation) {
  if (request->arg[2] == kMaxOperations) return;
  set_operation(request, (int)request->arg[2]++, operation);
  request->arg[1] = request->arg[2];
}

int sem_operations_read(const Request* request, Operation operations[kMaxOperations]) {
  const uint32_t count = (uint32_t)request->arg[1];  // Linux: an unsigned int
  if (count > kMaxOperations) return 0;
  for (uint32_t i = 0; i < count; i++)
    operations[i] = request->pointer == kPointerReadOnly ? (Operation){0, 0, 0}
                                                         : sem_operation(request, (int)i);
  return (int)count;
}

// ---- Whether a call sleeps

static bool can_sleep(const Request* request) {
  static Operation operations[kMaxOperations];
  const int count = sem_operations_read(request, operations);
  if (kSemTimeouts[request->arg[3]].kind >= kTimeoutShort) return false;
  for (int i = 0; i < count; i++)
    if (operations[i].change <= 0 && (operations[i].flags & IPC_NOWAIT) == 0) return true;
  return false;
}

void sem_settle_sleep(Rng* rng, bool may_sleep, Request* request) {
  if (!may_sleep && can_sleep(request)) {
    if (rng_percent(rng, 20)) {
      request->op = kSemTimedOp;
      request->arg[3] = sem_draw_timeout(rng, kTimeoutShort);
    }
    if (request->pointer == kPointerReadOnly) request->pointer = kPointerGood;
    for (int i = 0; i < request->arg[2] && can_sleep(request); i++) {
      Operation operation = sem_operation(request, i);
      if (operation.change <= 0) operation.flags |= IPC_NOWAIT;
      set_operation(request, i, operation);
    }
  }
  request->may_sleep = can_sleep(request);
  request->object = request->may_sleep ? (int)request->arg[0] : -1;
}

// ---- Drawing

static int draw_length(Rng* rng) {
  static const Choice kKinds[] = {{58, 0}, {32, 1}, {7, 2}, {2, 3}, {1, 4}};
  static const Choice kMarks[] = {{2, 500}, {1, 499}, {2, 64}, {2, 65}};  // SEMOPM; on the stack
  switch (RNG_CHOOSE(rng, kKinds)) {
    case 0: return 1;
    case 1: return (int)rng_between(rng, 2, 4);
    case 2: return (int)rng_between(rng, 5, kUsualLength);
    case 3: return (int)rng_between(rng, kUsualLength + 1, 80);
    default: return (int)RNG_CHOOSE(rng, kMarks);
  }
}

static int draw_amount(Rng* rng, bool is_long) {
  static const Choice kAmounts[] = {{56, 1}, {24, 2}, {12, 3}, {5, 7}};
  static const Choice kWild[] = {{3, kMaxValue}, {2, kMaxValue - 1}, {1, 16384}, {1, 16383}};
  if (is_long) return 1;
  return (int)(rng_percent(rng, 3) ? RNG_CHOOSE(rng, kWild) : RNG_CHOOSE(rng, kAmounts));
}

// How the operations of one array are drawn.
typedef struct Style {
  int size;
  bool is_long;
  bool only_zero;
  bool one_semaphore;
  int up_percent;
  int undo_percent;
  int nowait_percent;
} Style;

static Style draw_style(Rng* rng, int size, int length) {
  Style style = {.size = size, .is_long = length > kUsualLength};
  style.only_zero = rng_percent(rng, 12);
  style.one_semaphore = rng_percent(rng, 15);
  static const Choice kUp[] = {{3, 50}, {2, 10}, {2, 0}, {2, 90}};
  style.up_percent = style.is_long ? 55 : (int)RNG_CHOOSE(rng, kUp);
  static const Choice kUndo[] = {{60, 0}, {22, 100}, {18, 50}};
  style.undo_percent = (int)RNG_CHOOSE(rng, kUndo);
  // As a lock is taken: others then wait for what its holder's death gives back.
  if (style.undo_percent != 0 && rng_percent(rng, 40)) style.up_percent = 5;
  static const Choice kNowait[] = {{70, 0}, {15, 100}, {15, 30}};
  style.nowait_percent = (int)RNG_CHOOSE(rng, kNowait);
  return style;
}

static int16_t draw_flags(Rng* rng, const Style* style) {
  static const Choice kOdd[] = {{1, 0x4000}, {1, 0777}, {1, -1}};
  int64_t flags = 0;
  if (rng_percent(rng, style->undo_percent)) flags |= SEM_UNDO;
  if (rng_percent(rng, style->nowait_percent)) flags |= IPC_NOWAIT;
  if (rng_below(rng, 300) == 0) flags |= RNG_CHOOSE(rng, kOdd);
  return (int16_t)flags;
}

static Operation draw_operation(Rng* rng, const Style* style, int first_number) {
  Operation operation = {.number = (uint16_t)first_number};
  if (!style->one_semaphore) operation.number = (uint16_t)rng_below(rng, style->size);
  if (!style->only_zero && !rng_percent(rng, style->is_long ? 1 : 13)) {
    const int amount = draw_amount(rng, style->is_long);
    operation.change = (int16_t)(rng_percent(rng, style->up_percent) ? amount : -amount);
    if (rng_below(rng, 500) == 0) operation.change = INT16_MIN;
  }
  operation.flags = draw_flags(rng, style);
  return operation;
}

static void spoil(Rng* rng, Request* request) {
  static const Choice kNumbers[] = {{4, 0}, {2, 1}, {1, 7}};
  static const Choice kCounts[] = {{3, 0},         {3, 501},     {1, -1},
                                   {1, 1LL << 32}, {1, INT_MAX}, {1, (1LL << 32) + 501},
                                   {1, 1LL << 31}, {1, LONG_MIN}};
  const int last = (int)request->arg[2] - 1;
  Operation operation = sem_operation(request, last);
  switch (rng_below(rng, 4)) {
    case 0: request->arg[1] = RNG_CHOOSE(rng, kCounts); break;
    case 1: request->arg[1] += 1LL << 32; break;  // the same count to the kernel
    default:
      operation.number = (uint16_t)(sem_set_size((int)request->arg[0]) + RNG_CHOOSE(rng, kNumbers));
      if (rng_percent(rng, 20)) operation.number = UINT16_MAX;
      set_operation(request, last, operation);
  }
}

static void draw_time(Rng* rng, Request* request) {
  static const Choice kKinds[] = {
      {25, kTimeoutNone}, {45, kTimeoutLong}, {20, kTimeoutShort}, {10, kTimeoutWrong}};
  request->arg[3] = 0;
  if (request->op != kSemTimedOp) return;
  const TimeoutKind kind = (TimeoutKind)RNG_CHOOSE(rng, kKinds);
  request->arg[3] = sem_draw_timeout(rng, kind);
}

void sem_draw_operations(Rng* rng, bool may_sleep, Request* request) {
  const int length = draw_length(rng);
  const Style style = draw_style(rng, sem_set_size((int)request->arg[0]), length);
  const int first_number = (int)rng_below(rng, style.size);
  for (int i = 0; i < length; i++)
    sem_add_operation(request, draw_operation(rng, &style, first_number));
  if (rng_percent(rng, 4)) spoil(rng, request);
  draw_time(rng, request);
  request->pointer = draw_pointer(rng, 3);
  sem_settle_sleep(rng, may_sleep, request);
}

// What one operation of the sleeper lacks.
static Operation draw_counterpart(Rng* rng, Operation wanted, bool exact) {
  Operation gift = {.number = wanted.number};
  if (wanted.change < 0)
    gift.change = wanted.change == INT16_MIN ? kMaxValue : (int16_t)-wanted.change;
  else if (wanted.change == 0)
    gift.change = (int16_t)-rng_between(rng, 1, 2);
  else
    gift.change = (int16_t)-wanted.change;
  if (!exact && gift.change > 0 && gift.change < 100)
    gift.change = (int16_t)(gift.change + rng_between(rng, -1, 3));
  if (gift.change <= 0) gift.flags |= IPC_NOWAIT;
  if (rng_percent(rng, 15)) gift.flags |= SEM_UNDO;
  return gift;
}

void sem_draw_gift(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  static Operation wanted[kMaxOperations];
  int count = sem_operations_read(sleeper, wanted);
  if (count > kUsualLength) count = kUsualLength;
  request->arg[0] = sleeper->arg[0];
  request->op = rng_percent(rng, 80) ? kSemOp : kSemTimedOp;
  const bool exact = rng_percent(rng, 60);
  const int64_t only = rng_percent(rng, 50) && count > 0 ? rng_below(rng, count) : -1;
  for (int i = 0; i < count; i++)
    if ((only < 0 && wanted[i].change <= 0) || i == only)
      sem_add_operation(request, draw_counterpart(rng, wanted[i], exact));
  if (request->arg[2] == 0) sem_add_operation(request, (Operation){0, 1, 0});
  // Sometimes it takes something too, and so may sleep itself.
  if (rng_percent(rng, 15)) {
    const Style style = draw_style(rng, sem_set_size((int)request->arg[0]), 2);
    sem_add_operation(request, draw_operation(rng, &style, 0));
  }
  draw_time(rng, request);
  sem_settle_sleep(rng, may_sleep, request);
}

// ---- Describing

// "2-1u": one less on semaphore 2, with SEM_UNDO; "0=0n": wait for zero, IPC_NOWAIT.
static void describe_operation(Operation operation, Text* text) {
  if (operation.change == 0)
    text_add(text, " %u=0", (unsigned)operation.number);
  else
    text_add(text, " %u%+d", (unsigned)operation.number, operation.change);
  const int odd = operation.flags & ~(SEM_UNDO | IPC_NOWAIT);
  if (operation.flags & IPC_NOWAIT) text_add(text, "n");
  if (operation.flags & SEM_UNDO) text_add(text, "u");
  if (odd != 0) text_add(text, "|%#x", (unsigned)odd & 0xffff);
}

void sem_describe_operations(const Request* request, Text* text) {
  const int count = (int)request->arg[2];
  text_add(text, "(%lld, {", (long long)request->arg[0]);
  for (int i = 0; i < count && i < 2 * kUsualLength; i++)
    describe_operation(sem_operation(request, i), text);
  if (count > 2 * kUsualLength)
    text_add(text, " ... hash %016llx",
             (unsigned long long)hash_bytes(request->list, (size_t)count * sizeof(Operation)));
  text_add(text, " }, %lld", (long long)request->arg[1]);
  if (request->op == kSemTimedOp) {
    const SemTimeout* time = &kSemTimeouts[request->arg[3]];
    if (time->pointer == kPointerGood)
      text_add(text, ", %lld s %lld ns", (long long)time->seconds, (long long)time->nanoseconds);
    else
      text_add(text, time->pointer == kPointerNull ? ", no time" : ", time");
    if (time->pointer != kPointerNull) text_add_pointer(text, (PointerKind)time->pointer);
  }
  text_add_pointer(text, (PointerKind)request->pointer);
  text_add(text, ")");
}
