// What the generator remembers of the sets: their sizes and the undo of each worker's process.
// Undo is followed exactly, over exec too: it tells the driver whose death others may wait for.

#include <string.h>

#include "family_sem.h"
#include "place.h"

enum { kMaxSets = 256 };

typedef struct Set {
  int place;
  int id;
  int size;
  int32_t undo[kMaxWorkers + 1][kMaxSize];
} Set;

static Set sets[kMaxSets];
static int set_count;

static Set* find(int id) {
  for (int i = 0; i < set_count; i++)
    if (sets[i].place == place_now && sets[i].id == id) return &sets[i];
  return NULL;
}

int sem_set_size(int id) {
  const Set* set = find(id);
  return set == NULL ? 4 : set->size;
}

void sem_set_created(int id, int size) {
  if (set_count == kMaxSets || size > kMaxSize) return;
  Set* set = &sets[set_count++];
  memset(set, 0, sizeof(*set));
  set->place = place_now;
  set->id = id;
  set->size = size;
}

void sem_set_removed(int id) {
  Set* set = find(id);
  if (set != NULL) *set = sets[--set_count];
}

void sem_sets_forget_place(void) {
  for (int i = set_count; i-- > 0;)
    if (sets[i].place == place_now) sets[i] = sets[--set_count];
}

void sem_undo_add(int worker, int id, int number, int change) {
  Set* set = find(id);
  if (set != NULL && number < set->size) set->undo[worker][number] += change;
}

void sem_undo_clear(int id, int number) {
  Set* set = find(id);
  if (set == NULL || number >= set->size) return;
  for (int worker = 0; worker <= kMaxWorkers; worker++) {
    if (number < 0)
      memset(set->undo[worker], 0, sizeof(set->undo[worker]));
    else
      set->undo[worker][number] = 0;
  }
}

int sem_undo_of(int worker, int id, int number) {
  const Set* set = find(id);
  return set == NULL || number >= set->size ? 0 : set->undo[worker][number];
}

int sem_undo_take(int worker) {
  for (int i = 0; i < set_count; i++) {
    bool has_undo = false;
    if (sets[i].place != place_now) continue;
    for (int number = 0; number < sets[i].size; number++) {
      has_undo = has_undo || sets[i].undo[worker][number] != 0;
      sets[i].undo[worker][number] = 0;
    }
    if (has_undo) return sets[i].id;
  }
  return -1;
}
