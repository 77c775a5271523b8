// What a run has covered, counted from its log's own facts, so that equal runs have equal counts.

#ifndef DIFFERENTIAL_STATS_H
#define DIFFERENTIAL_STATS_H

#include <stdbool.h>

#include "shared.h"

typedef enum StatEvent {
  kStatKillIdle,
  kStatKillAsleep,
  kStatExit,
  kStatExec,
  kStatSignal,
  kStatSignalIgnored,
  kStatNestedCall,
  kStatJump,
  kStatPersonaCall,
  kStatRawCall,
  kStatBadPointer,
  kStatAllAsleep,
  kStatSleepBesideOtherKind,
  kStatDeathUndo,
  kStatDeathRead,
  kStatDeathWait,
  kStatDeathWoke,
  kStatEvents,
} StatEvent;

void stats_event(StatEvent event);
void stats_events(StatEvent event, int count);
// A call has ended, at once or after a sleep.
void stats_call(const Request* request, const Slot* slot, bool has_slept);
// A call went to sleep as the nth of its kind on its object.
void stats_sleeper(int nth);
// One step ended this many sleeps.
void stats_woken(int count);
// "# stat name value" lines.
void stats_log(void);

#endif
