// The random numbers of a sequence: splitmix64, so that a seed means the same on every machine.
//
// Rule for callers: one draw per full expression. C leaves the order of evaluation of arguments
// open, and two draws in one call would make the sequence depend on the compiler.

#ifndef DIFFERENTIAL_RNG_H
#define DIFFERENTIAL_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Rng {
  uint64_t state;
} Rng;

static inline uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static inline uint64_t rng_next(Rng* rng) {
  rng->state += UINT64_C(0x9e3779b97f4a7c15);
  return mix64(rng->state);
}

// A number in [0, n). The bias of the remainder does not matter here.
static inline int64_t rng_below(Rng* rng, int64_t n) {
  return (int64_t)(rng_next(rng) % (uint64_t)n);
}

static inline int64_t rng_between(Rng* rng, int64_t low, int64_t high) {
  return low + rng_below(rng, high - low + 1);
}

static inline bool rng_percent(Rng* rng, int percent) { return rng_below(rng, 100) < percent; }

// A value and how often it is drawn, relative to the others of its table.
typedef struct Choice {
  int weight;
  int64_t value;
} Choice;

static inline int64_t rng_choose(Rng* rng, const Choice* table, size_t count) {
  int64_t total = 0;
  for (size_t i = 0; i < count; i++) total += table[i].weight;
  int64_t at = rng_below(rng, total);
  size_t i = 0;
  while (at >= table[i].weight) at -= table[i++].weight;
  return table[i].value;
}

#define RNG_CHOOSE(rng, table) rng_choose(rng, table, sizeof(table) / sizeof((table)[0]))

#endif
