// The driver's side of the workers: starting, ringing, killing, and who is doing what.

#ifndef DIFFERENTIAL_POOL_H
#define DIFFERENTIAL_POOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "schedule.h"
#include "shared.h"

typedef enum WorkerState { kIdle, kAsleep } WorkerState;

typedef struct Worker {
  pid_t pid;
  int generation;
  int doorbell;
  int status;  // open on /proc/PID/stat
  WorkerState state;
  long step;  // of the call that it sleeps in
} Worker;

typedef struct Pool {
  Worker workers[kMaxWorkers + 1];
  int count;  // workers 0 .. count - 1
  Schedule schedule;
  bool audits;  // with SCHED_FIFO: look at /proc whether the workers really are quiet
  long late;    // steps after which the workers had to be waited for
} Pool;

// All of these report a worker's unexpected death, or a call that does not end, by exiting through
// driver_fail().
void pool_start(Pool* pool, int count);
void pool_spawn(Pool* pool, int index);
// Rings the worker, whose slot holds its request. Afterwards all workers are quiet.
void pool_ring(Pool* pool, int index);
// The same, not waiting: for a request that ends the worker's image, before pool_replace() or
// pool_wait_done().
void pool_ring_last(Pool* pool, int index);
// Sends a signal; afterwards all workers are quiet.
void pool_signal(Pool* pool, int index, int number);
// Waits for the end of a worker that was killed or told to exit, and starts its successor.
void pool_replace(Pool* pool, int index, int expected_signal);
void pool_wait_done(Pool* pool, int index);
bool pool_is_done(int index);
int pool_count_asleep(const Pool* pool);
// Lets this time pass, then waits until all workers are quiet.
void pool_let_pass(Pool* pool, double seconds);
// Lets all workers exit, or kills them.
void pool_stop(Pool* pool);
void pool_kill_all(Pool* pool);
void pool_catch_signals(void);

#endif
