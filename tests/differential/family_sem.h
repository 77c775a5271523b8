// System V semaphores: the operations, shared by the generator (family_sem.c draws calls,
// family_sem_ops.c arrays of operations), by what it remembers (family_sem_sets.c) and by the
// executor (family_sem_execute.c).
//
// arg[0] is the id (semget: the key), then
//   semget             [1] semaphores [2] flags
//   semop, semtimedop  [1] count as given [2] operations in the list [3] index into kSemTimeouts
//   IPC_SET            [1] semaphore [2] command [3] mode [4] uid [5] gid
//   other commands     [1] semaphore [2] command [3] value (SETVAL)
//   proc               [0] bytes a read
// `list` holds the operations, three numbers each as struct sembuf, or the values of SETALL.

#ifndef DIFFERENTIAL_FAMILY_SEM_H
#define DIFFERENTIAL_FAMILY_SEM_H

#include <stdint.h>

#include "family.h"

typedef enum SemOp {
  kSemGet,
  kSemOp,
  kSemTimedOp,
  kSemGetVal,
  kSemSetVal,
  kSemGetAll,
  kSemSetAll,
  kSemGetPid,
  kSemGetNcnt,
  kSemGetZcnt,
  kSemStat,
  kSemSet,
  kSemRmid,
  kSemIpcInfo,
  kSemSemInfo,
  kSemStatIndex,
  kSemStatAny,
  kSemOtherCommand,
  kSemProc,
  kSemOps,
} SemOp;

enum { kMaxSize = 300, kMaxOperations = 500, kMaxValue = 32767 };  // the latter two: SEMOPM, SEMVMX

// As in struct sembuf.
typedef struct Operation {
  uint16_t number;
  int16_t change;
  int16_t flags;
} Operation;

Operation sem_operation(const Request* request, int index);
void sem_add_operation(Request* request, Operation operation);
// Those that the kernel reads where the call is pointed at.
int sem_operations_read(const Request* request, Operation operations[kMaxOperations]);

// What semtimedop is given, and what comes of it in a call that blocks.
typedef enum TimeoutKind {
  kTimeoutNone,   // sleeps
  kTimeoutLong,   // sleeps: longer than any run
  kTimeoutShort,  // times out while nothing else happens: the driver waits for it
  kTimeoutWrong,  // does not sleep
} TimeoutKind;

typedef struct SemTimeout {
  TimeoutKind kind;
  int pointer;  // PointerKind: kPointerGood stands for one to these numbers
  int64_t seconds;
  int64_t nanoseconds;
} SemTimeout;

extern const SemTimeout kSemTimeouts[];
int64_t sem_draw_timeout(Rng* rng, TimeoutKind kind);
void sem_describe_operations(const Request* request, Text* text);

// Draws the operations (and the time-out) of a semop or semtimedop on set arg[0].
void sem_draw_operations(Rng* rng, bool may_sleep, Request* request);
// Operations that give a sleeper what it waits for, or some of it.
void sem_draw_gift(Rng* rng, bool may_sleep, const Request* sleeper, Request* request);
// Decides may_sleep and object from the operations drawn. Without `may_sleep`, also changes them.
void sem_settle_sleep(Rng* rng, bool may_sleep, Request* request);

// The sets alive: their sizes, and what every worker would undo at its death.
int sem_set_size(int id);  // 4 if there is none
void sem_set_created(int id, int size);
void sem_set_removed(int id);
// Those of place_now are gone.
void sem_sets_forget_place(void);
void sem_undo_add(int worker, int id, int number, int change);
void sem_undo_clear(int id, int number);  // of all workers; number -1: for the whole set
// What its death would add to this semaphore.
int sem_undo_of(int worker, int id, int number);
// A set on which the dead process of this worker has undone something, -1 if no more. Forgets it.
int sem_undo_take(int worker);

void sem_execute(const Request* request, const Scratch* scratch, Reply* reply);

// Not in every libc's <sys/sem.h>.
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

#endif
