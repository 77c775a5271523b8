// The memory that calls are pointed at: good, misaligned, read-only, cut off by a guard page, or
// not there at all. A worker has one Scratch per nesting depth, so that a call made in a signal
// handler does not disturb the buffer of the call that it interrupted.

#ifndef DIFFERENTIAL_SCRATCH_H
#define DIFFERENTIAL_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "rng.h"
#include "text.h"

typedef enum PointerKind {
  kPointerGood,
  kPointerUnaligned,
  kPointerEdge,      // the first 8 bytes are there, the rest is not
  kPointerEdgeData,  // the first 20 bytes are there
  kPointerReadOnly,  // a page that can only be read
  kPointerUnmapped,  // a page without access
  kPointerNull,
  kPointerLow,           // (void *)1
  kPointerKernel,        // the kernel's half
  kPointerNonCanonical,  // raises a general protection fault, not a page fault
  kPointerLast,          // (void *)-1: wraps around
  kPointerKinds,
} PointerKind;

typedef struct Scratch {
  unsigned char* body;
  unsigned char* guard;
  unsigned char* read_only;
} Scratch;

typedef struct Area {
  unsigned char* base;
  size_t room;  // accessible bytes from base
  bool writable;
} Area;

void scratch_map(Scratch* scratch);
Area scratch_area(const Scratch* scratch, PointerKind kind);

// Mostly good; `bad_percent` of the time any kind.
PointerKind draw_pointer(Rng* rng, int bad_percent);
// Nothing for a good pointer, else its name.
void text_add_pointer(Text* text, PointerKind kind);

// Canary bytes: what a call did not have to write must be untouched.
void area_paint(const Area* area);
bool area_untouched(const Area* area, size_t from);

#endif
