#include "scratch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kBodySize = 20480, kCanary = 0xa5 };

void scratch_map(Scratch* scratch) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t body = (kBodySize + page - 1) / page * page;
  unsigned char* base = mmap(NULL, body + 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED || mprotect(base, body, PROT_READ | PROT_WRITE) != 0 ||
      mprotect(base + body + page, page, PROT_READ) != 0)
    abort();
  scratch->body = base;
  scratch->guard = base + body;
  scratch->read_only = base + body + page;
}

static Area at_address(uintptr_t address) {
  // Through a volatile, or the compiler warns of (or acts upon) a constant bad pointer.
  volatile uintptr_t opaque = address;
  return (Area){(unsigned char*)opaque, 0, false};
}

Area scratch_area(const Scratch* scratch, PointerKind kind) {
  switch (kind) {
    case kPointerGood: return (Area){scratch->body, kBodySize, true};
    case kPointerUnaligned: return (Area){scratch->body + 3, kBodySize - 3, true};
    case kPointerEdge: return (Area){scratch->guard - 8, 8, true};
    case kPointerEdgeData: return (Area){scratch->guard - 20, 20, true};
    case kPointerReadOnly: return (Area){scratch->read_only, (size_t)sysconf(_SC_PAGESIZE), false};
    case kPointerUnmapped: return (Area){scratch->guard, 0, false};
    case kPointerLow: return at_address(1);
    case kPointerKernel: return at_address(UINTPTR_MAX / 2 + 1 + UINTPTR_MAX / 4);
    case kPointerNonCanonical: return at_address(UINTPTR_MAX / 2 + 1);
    case kPointerLast: return at_address(UINTPTR_MAX);
    case kPointerNull:
    case kPointerKinds: break;
  }
  return at_address(0);
}

PointerKind draw_pointer(Rng* rng, int bad_percent) {
  if (!rng_percent(rng, bad_percent)) return kPointerGood;
  return (PointerKind)rng_below(rng, kPointerKinds);
}

void text_add_pointer(Text* text, PointerKind kind) {
  static const char* const kNames[kPointerKinds] = {
      "good", "unaligned", "edge",   "edge+12",       "read-only", "unmapped",
      "NULL", "low",       "kernel", "non-canonical", "last",
  };
  if (kind != kPointerGood) text_add(text, ", at %s", kNames[kind]);
}

void area_paint(const Area* area) {
  if (area->writable) memset(area->base, kCanary, area->room);
}

bool area_untouched(const Area* area, size_t from) {
  if (!area->writable || from >= area->room) return true;
  const unsigned char* at = area->base + from;
  return at[0] == kCanary && memcmp(at, at + 1, area->room - from - 1) == 0;
}
