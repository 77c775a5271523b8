#include "stats.h"

#include <inttypes.h>

#include "family.h"
#include "log.h"

enum { kMaxFamilies = 8, kMaxOps = 24, kOutcomes = 160, kJumped = kOutcomes - 1, kHistogram = 8 };

static const char* const kEventNames[kStatEvents] = {
    "worker killed while idle",
    "worker killed in its sleep",
    "worker exited",
    "worker executed anew",
    "sleep interrupted by a signal",
    "ignored signal sent to a sleeper",
    "call made in a signal handler",
    "call left by siglongjmp",
    "call as another user",
    "call by syscall(2) or stdio",
    "call with an odd pointer",
    "step with all workers asleep",
    "sleep beside one of another kind",
    "object that a death changed (undo)",
    "object read because the dead had undo on it",
    "wait because the dead had undo where others sleep",
    "sleep ended by a death",
};

static long events[kStatEvents];
static long outcomes[kMaxFamilies][kMaxOps][2][kOutcomes];
static long kinds[kMaxFamilies][kMaxOps][2][kOutcomes];
static long sleepers[kHistogram];
static long woken[kHistogram];

void stats_event(StatEvent event) { events[event]++; }

void stats_events(StatEvent event, int count) { events[event] += count; }

static int clamp(int value, int limit) { return value < limit ? value : limit - 1; }

void stats_call(const Request* request, const Slot* slot, bool has_slept) {
  const int outcome = slot->jumped          ? kJumped
                      : slot->reply.ret < 0 ? clamp(slot->reply.error, kJumped)
                                            : 0;
  outcomes[request->family][request->op][has_slept][outcome]++;
  const Family* family = kFamilies[request->family];
  const int kind = family->kind == NULL ? -1 : family->kind(request);
  if (kind >= 0) kinds[request->family][kind][has_slept][outcome]++;
  events[kStatJump] += slot->jumped;
  events[kStatPersonaCall] += request->persona != 0;
  events[kStatRawCall] += request->raw;
  events[kStatBadPointer] += request->pointer != 0;
}

void stats_sleeper(int nth) { sleepers[clamp(nth, kHistogram)]++; }

void stats_woken(int count) { woken[clamp(count, kHistogram)]++; }

static void log_op(const Family* family, const char* op, long counts[2][kOutcomes]) {
  static const char* const kWhen[] = {"at once", "after a sleep"};
  for (int when = 0; when < 2; when++) {
    for (int outcome = 0; outcome < kOutcomes; outcome++) {
      const char* name = outcome == 0         ? "ok"
                         : outcome == kJumped ? "left by siglongjmp"
                                              : error_name(outcome);
      if (counts[when][outcome] != 0)
        log_line("# stat %s: %s: %s, %s: %ld", family->name, op, name, kWhen[when],
                 counts[when][outcome]);
    }
  }
}

static void log_histogram(const char* name, const long* counts) {
  for (int i = 1; i < kHistogram; i++)
    if (counts[i] != 0)
      log_line("# stat %s: %d%s: %ld", name, i, i == kHistogram - 1 ? " or more" : "", counts[i]);
}

void stats_log(void) {
  for (int f = 0; f < kFamilyCount; f++) {
    for (int op = 0; op < kFamilies[f]->op_count; op++)
      log_op(kFamilies[f], kFamilies[f]->ops[op], outcomes[f][op]);
    for (int kind = 0; kind < kFamilies[f]->kind_count; kind++)
      log_op(kFamilies[f], kFamilies[f]->kinds[kind], kinds[f][kind]);
  }
  log_histogram("sleepers of one kind on one object", sleepers);
  log_histogram("sleeps ended by one step", woken);
  for (int i = 0; i < kStatEvents; i++) log_line("# stat %s: %ld", kEventNames[i], events[i]);
}
