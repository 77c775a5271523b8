// What the driver and its workers share: one mapping (a memfd, so that a worker finds it again
// after exec) with a slot per worker.
//
// Who writes what: a worker sleeps on its doorbell pipe. The driver fills `request` (and, before a
// signal, `nested_request` and `signal_action`), then rings or signals. The worker fills the rest
// and sets `phase` to kPhaseDone last. Nobody else looks in between: see schedule.h.

#ifndef DIFFERENTIAL_SHARED_H
#define DIFFERENTIAL_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "text.h"

// Worker 0 is given only calls that cannot sleep: it can always go on, so there is no deadlock.
enum { kMaxWorkers = 16, kReplyText = 32768, kMaxPids = 1 << 16, kListLength = 1500 };

typedef struct Request {
  int worker;
  int family;      // index into kFamilies, or kLifecycle
  int op;          // index into the family's ops
  int persona;     // index into kPersonas: as whom the worker makes the call
  bool raw;        // by syscall(2) (for a /proc file: by stdio), not by libc's wrapper
  bool may_sleep;  // the call can sleep: without it the driver simply waits for the reply
  int object;      // the id that the call may sleep on, or -1
  int pointer;     // which of PointerKind the call is given
  uint64_t tag;    // seeds the bytes sent
  int64_t arg[6];  // the family's own
  int16_t list[kListLength];  // the same, where that is too little
} Request;

// The pseudo family of requests that end a worker's image instead of making a call.
enum { kLifecycle = -1 };
enum { kLifecycleExit, kLifecycleQuickExit, kLifecycleExec, kLifecycleOps };

typedef struct Reply {
  int64_t ret;
  int error;  // errno after the call; it was 0 before
  char text[kReplyText];
} Reply;

// What a worker's signal handler does; bits.
enum { kActionNone = 0, kActionNested = 1, kActionJump = 2 };

// Where a worker is. Only a worker that sleeps in kPhaseInCall sleeps in the call itself; one that
// sleeps in kPhaseBefore or kPhaseAfter (say, while it changes its credentials) will go on alone.
enum { kPhaseBefore, kPhaseInCall, kPhaseAfter, kPhaseDone };

typedef struct Slot {
  atomic_int pid;
  Request request;
  Request nested_request;  // executed inside the handler when kActionNested is set
  int signal_action;
  Reply reply;
  Reply nested_reply;
  int signals;        // handlers run during the call
  bool has_nested;    // nested_reply holds an answer
  bool jumped;        // a handler left the call by siglongjmp
  uint64_t finished;  // position among all calls finished, for --wake-order
  atomic_int phase;
} Slot;

typedef struct PidRecord {
  int pid;
  int worker;
  int generation;  // a killed worker's successor has the same number, the next generation; a
                   // worker's own child has its index in the table
} PidRecord;

typedef struct Shared {
  int64_t started;      // CLOCK_REALTIME seconds at the start of the run
  int driver;           // its pid
  unsigned families;    // see Options
  unsigned payer;       // real uid of the workers of family_mq.c: nobody else's
  bool has_namespaces;  // the family ns plays: what a user has in all of them differs
  bool own_ids;  // inside a user namespace only the user's own uid and gid exist: draw no others
  atomic_uint_least64_t finish_counter;
  uint32_t pid_count;
  PidRecord pids[kMaxPids];
  Slot slots[kMaxWorkers + 1];
} Shared;

extern Shared* shared;

// Names for what differs between two equal runs: "W3.2" for worker 3's second process, "0" for no
// pid; "T" for a time within this run, "0" for none. Anything else is shown raw, as it is an error.
void text_add_pid(Text* text, int64_t pid);
void text_add_time(Text* text, int64_t seconds);
// Gives a worker's own child, whose pid may be told from now on, a name. Nobody else looks at the
// table meanwhile.
void shared_name_child(pid_t pid, int worker);

#endif
