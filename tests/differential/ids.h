// The ids that the calls of a family have returned: those alive, and the last few removed.
//
// The generator draws its ids from here, so that calls meet on few objects, and now and then name
// an object that is gone, was never there, or lives at another sequence number.

#ifndef DIFFERENTIAL_IDS_H
#define DIFFERENTIAL_IDS_H

#include <stdbool.h>

#include "rng.h"

enum { kMaxLiveIds = 64, kStaleIds = 8 };

typedef struct Ids {
  int live[kMaxLiveIds];
  int live_count;
  int stale[kStaleIds];
  int stale_count;  // ever; the last kStaleIds of them are kept
} Ids;

// True if the id is new.
bool ids_add(Ids* ids, int id);
void ids_remove(Ids* ids, int id);

// Mostly a live id, and half of those times the same one: there the sleepers gather.
int ids_draw(const Ids* ids, Rng* rng);
// For the *_STAT commands: mostly an index, sometimes a whole id, sometimes neither.
int ids_draw_index(const Ids* ids, Rng* rng);

#endif
