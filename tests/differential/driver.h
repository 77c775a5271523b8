// The driver: draws the steps of a sequence, hands them to the workers and writes the log.

#ifndef DIFFERENTIAL_DRIVER_H
#define DIFFERENTIAL_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "pool.h"

typedef struct Options {
  uint64_t seed;
  long ops;
  int workers;
  unsigned families;  // bit i: kFamilies[i]
  Schedule schedule;
  int cpu;
  bool one_sleeper;  // at most one sleeper an object: for schedules without an order of wake-ups
  bool syscalls;     // some calls by syscall(2)
  bool personas;     // calls as other users: needs root
  bool own_ids;      // see Shared
  bool wake_order;   // log also the order in which the calls of one step ended
  bool audit;
  bool fresh_namespace;
  bool unprivileged;
  const char* log;
} Options;

void driver_run(const Options* options);
// Logs why the run cannot go on, kills the workers and exits with 1.
_Noreturn void driver_fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

#endif
