#include "place.h"

#include "family.h"

typedef struct Kept {
  int place;  // 0: none, else the place + 1
  bool closes;
} Kept;

static int homes[kMaxWorkers + 1];
static Kept kept[kMaxWorkers + 1][kPlaceSlots];

int place_now;

int place_of(int worker) { return homes[worker]; }

int place_enter(int worker) { return place_now = homes[worker]; }

void place_move(int worker, int place) { homes[worker] = place; }

int place_kept(int worker, int slot) { return kept[worker][slot].place - 1; }

void place_keep(int worker, int slot, int place, bool closes) {
  kept[worker][slot] = (Kept){place + 1, closes};
}

static bool is_used(int place) {
  for (int worker = 0; worker <= kMaxWorkers; worker++) {
    if (homes[worker] == place) return true;
    for (int slot = 0; slot < kPlaceSlots; slot++)
      if (place_kept(worker, slot) == place) return true;
  }
  return false;
}

int place_new(void) {
  int place = 1;  // the driver's own stays
  while (is_used(place)) place++;
  const int before = place_now;
  place_now = place;
  for (int f = 0; f < kFamilyCount; f++)
    if (kFamilies[f]->forget_place != NULL) kFamilies[f]->forget_place();
  place_now = before;
  return place;
}

void place_exec(int worker) {
  for (int slot = 0; slot < kPlaceSlots; slot++)
    if (kept[worker][slot].closes) kept[worker][slot].place = 0;
}

void place_forget(int worker) {
  homes[worker] = 0;
  for (int slot = 0; slot < kPlaceSlots; slot++) kept[worker][slot].place = 0;
}
