// Places: the IPC namespaces of a run, as the driver follows them. It knows where each worker is,
// and what each of its kept descriptors leads to, by the answers so far; so the other families draw
// from the objects of the worker's own namespace, and the driver knows who can meet whom.
//
// Place 0 is where all begin. The number of a place that nobody is in, and nothing leads to, is
// given to a new one.

#ifndef DIFFERENTIAL_PLACE_H
#define DIFFERENTIAL_PLACE_H

#include <stdbool.h>

#include "shared.h"

// Of each worker, itself and what it keeps: so there is always a free one.
enum { kPlaceSlots = 4, kPlaces = (kMaxWorkers + 1) * (kPlaceSlots + 1) + 1, kNoPlace = -1 };

// Where the worker is whose call is being drawn or learned.
extern int place_now;

int place_of(int worker);
// Sets place_now; returns it.
int place_enter(int worker);
void place_move(int worker, int place);
// A place that has not been used, or is no more. Its number may be known from an earlier one:
// families forget that by `forget_place`.
int place_new(void);

// What a descriptor that the worker keeps leads to; kNoPlace: it has none.
int place_kept(int worker, int slot);
void place_keep(int worker, int slot, int place, bool closes);
// Those that do not outlive an exec are closed.
void place_exec(int worker);
// The process is gone: its successor begins where all begin.
void place_forget(int worker);

#endif
