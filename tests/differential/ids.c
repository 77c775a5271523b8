#include "ids.h"

#include <limits.h>

enum { kIdsPerSequence = 32768 };  // Linux: id = seq * 32768 + idx

bool ids_add(Ids* ids, int id) {
  for (int i = 0; i < ids->live_count; i++)
    if (ids->live[i] == id) return false;
  if (ids->live_count < kMaxLiveIds) ids->live[ids->live_count++] = id;
  return true;
}

void ids_remove(Ids* ids, int id) {
  for (int i = 0; i < ids->live_count; i++) {
    if (ids->live[i] != id) continue;
    for (int j = i + 1; j < ids->live_count; j++) ids->live[j - 1] = ids->live[j];
    ids->live_count--;
    ids->stale[ids->stale_count++ % kStaleIds] = id;
    return;
  }
}

static int draw_live(const Ids* ids, Rng* rng) {
  if (ids->live_count == 0) return 0;
  if (rng_percent(rng, 50)) return ids->live[0];
  return ids->live[rng_below(rng, ids->live_count)];
}

static int draw_stale(const Ids* ids, Rng* rng) {
  const int kept = ids->stale_count < kStaleIds ? ids->stale_count : kStaleIds;
  return kept == 0 ? 7 : ids->stale[rng_below(rng, kept)];
}

static int draw_invalid(const Ids* ids, Rng* rng) {
  const unsigned live = (unsigned)draw_live(ids, rng);
  switch (rng_below(rng, 6)) {
    case 0: return -1;
    case 1: return INT_MIN;
    case 2: return INT_MAX;
    case 3:  // the next sequence number of a live index
      return (int)((live + kIdsPerSequence) & INT_MAX);
    case 4:  // the first sequence number of a live index
      return (int)(live % kIdsPerSequence);
    default: return (int)rng_below(rng, 70);
  }
}

int ids_draw(const Ids* ids, Rng* rng) {
  const int64_t roll = rng_below(rng, 100);
  if (roll < 90) return draw_live(ids, rng);
  if (roll < 95) return draw_stale(ids, rng);
  return draw_invalid(ids, rng);
}

int ids_draw_index(const Ids* ids, Rng* rng) {
  const int64_t roll = rng_below(rng, 100);
  if (roll < 60) return draw_live(ids, rng) % kIdsPerSequence;
  return ids_draw(ids, rng);
}
