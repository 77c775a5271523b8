// A family: the calls of one kind of object. To add one (semaphores, shared memory, ...):
// write family_NAME.c after family_msg.c and enter it in kFamilies (families.c).
//
// draw, describe, learn and closing run in the driver, with place_now set; execute runs in a
// worker, possibly inside a signal handler. What draw decides may depend on the answers so far
// (learn): both sides of a comparison have seen the same answers up to the first difference, which
// is all that is reported.

#ifndef DIFFERENTIAL_FAMILY_H
#define DIFFERENTIAL_FAMILY_H

#include <stdbool.h>

#include "rng.h"
#include "scratch.h"
#include "shared.h"
#include "text.h"

typedef struct Family {
  const char* name;
  const char* const* ops;  // their names, for the log and the statistics
  int op_count;
  unsigned file_ops;  // bit i: op i reads or writes a file, so that raw means stdio, not syscall(2)
  int weight;         // how often its calls are drawn, relative to other families
  // What all workers inherit: called in the driver before there are any. NULL: nothing.
  void (*prepare)(void);
  // Called in a worker before its first call, and again behind exec. NULL: nothing to do.
  void (*begin)(void);
  // Fills in everything but worker, family, raw, tag and persona (which it may change). Sets
  // may_sleep to what the drawn call can do, and never to more than `may_sleep`. `sleeper` is some
  // sleeping call of this family, or NULL: to draw one that wakes it.
  void (*draw)(Rng* rng, bool may_sleep, const Request* sleeper, Request* request);
  // Makes the call. Sets ret, error (errno), and as text whatever the call gave back.
  void (*execute)(const Request* request, const Scratch* scratch, Reply* reply);
  // "msgget(1, IPC_CREAT|0600)"
  void (*describe)(const Request* request, Text* text);
  // Takes note of an answer.
  void (*learn)(const Request* request, const Reply* reply);
  // What the process of this worker owned (descriptors, attachments, undo) is gone: it was killed,
  // has exited or called exec. NULL for a family that has no such thing.
  void (*forget)(int worker);
  // The same for exec, where that leaves something. NULL: forget.
  void (*exec)(int worker);
  // The process of this worker has died (exec is no death). Fills in a call that reads the next
  // object which its death changes by itself (undo), names that in `object`, and forgets about it;
  // false when there is no more. The driver makes the call where others sleep on the object.
  bool (*bequeath)(Rng* rng, int worker, Request* request);
  // A process is about to end. Fills in a call that has all earlier ends taken into account: in a
  // cell the order of several that nobody has looked at is not known. NULL where it makes no
  // difference.
  void (*settle)(Request* request);
  // The death of this worker's process may end the sleeper's call: so it dies oftener.
  bool (*would_free)(int worker, const Request* sleeper);
  // place_now has become another namespace: its objects are gone. NULL: nothing is known of them.
  void (*forget_place)(void);
  // True: the end of an object ends no sleep on it.
  bool outlives_objects;
  // True: its calls are made as root alone.
  bool needs_rights;
  // True: an object may be gone when it is to be removed.
  bool objects_vanish;
  // At the end of a run: the next call of a clean-up, false when nothing is left.
  bool (*closing)(Request* request);
  // For the statistics alone, may be absent: kinds of calls, finer than ops. -1: of no kind.
  const char* const* kinds;
  int kind_count;
  int (*kind)(const Request* request);
} Family;

extern const Family* const kFamilies[];
extern const int kFamilyCount;

extern const Family kMsgFamily;
extern const Family kLimitsFamily;
extern const Family kMqFamily;
extern const Family kNsFamily;
extern const Family kSemFamily;
extern const Family kShmFamily;

#endif
