// Generates and describes the calls that are about IPC namespaces.
//
// Few namespaces with few workers in each: to go where another is, or back, is as frequent as a new
// one, so that the other families' calls meet.

#include "family_ns.h"

#include <inttypes.h>
#include <sched.h>

#include "family_sem.h"

static const char* const kOps[kNsOps] = {
    [kNsUnshare] = "unshare", [kNsOpen] = "open ns/ipc",    [kNsClose] = "close ns/ipc",
    [kNsSetns] = "setns",     [kNsJoin] = "setns of pidfd", [kNsCompare] = "namespaces",
    [kNsChild] = "child",
};

// ---- Drawing

static int64_t draw_worker(Rng* rng) {
  int workers = 0;
  while (workers <= kMaxWorkers && shared->slots[workers].pid != 0) workers++;
  return rng_percent(rng, 30) ? 0 : rng_below(rng, workers);
}

static void ns_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  static const Choice kWeights[] = {{12, kNsUnshare}, {30, kNsOpen}, {6, kNsClose},
                                    {40, kNsSetns},   {30, kNsJoin}, {30, kNsCompare},
                                    {10, kNsChild}};
  static const Choice kFlags[] = {
      {70, CLONE_NEWIPC},           {10, CLONE_NEWIPC | CLONE_SYSVSEM}, {20, CLONE_SYSVSEM},
      {5, CLONE_NEWIPC | CLONE_FS}, {3, CLONE_NEWIPC | CLONE_FILES},    {2, CLONE_NEWIPC | 0x40}};
  static const Choice kTypes[] = {{50, CLONE_NEWIPC}, {40, 0},
                                  {3, CLONE_NEWUTS},  {3, CLONE_NEWUTS | CLONE_NEWIPC},
                                  {1, 0x40},          {1, CLONE_NEWIPC | 0x40}};
  static const Choice kPidfdTypes[] = {
      {90, CLONE_NEWIPC}, {4, 0}, {4, CLONE_NEWUTS | CLONE_NEWIPC}, {2, 0x40}};
  (void)may_sleep;
  (void)sleeper;
  request->op = (int)RNG_CHOOSE(rng, kWeights);
  request->arg[0] = rng_below(rng, kPlaceSlots);
  switch (request->op) {
    case kNsUnshare: request->arg[1] = RNG_CHOOSE(rng, kFlags); break;
    case kNsOpen:
      request->arg[1] = rng_below(rng, kNsPaths);
      request->arg[2] = draw_worker(rng);
      request->arg[3] = rng_percent(rng, 30);
      break;
    case kNsSetns: request->arg[1] = RNG_CHOOSE(rng, kTypes); break;
    case kNsJoin:
      request->arg[1] = RNG_CHOOSE(rng, kPidfdTypes);
      request->arg[2] = draw_worker(rng);
      break;
    case kNsChild: request->arg[1] = rng_below(rng, kNsChildren); break;
    default: break;
  }
}

// ---- Describing

static void add_flags(Text* text, int64_t flags) {
  static const FlagName kNames[] = {{CLONE_NEWIPC, "CLONE_NEWIPC"},
                                    {CLONE_SYSVSEM, "CLONE_SYSVSEM"},
                                    {CLONE_NEWUTS, "CLONE_NEWUTS"},
                                    {CLONE_FS, "CLONE_FS"},
                                    {CLONE_FILES, "CLONE_FILES"}};
  text_add_flags(text, flags, kNames, sizeof(kNames) / sizeof(kNames[0]));
}

static void describe_open(const Request* request, Text* text) {
  static const char* const kPaths[] = {"self", "thread-self"};
  text_add(text, "%s of ", kOps[kNsOpen]);
  if (request->arg[1] < kNsOther)
    text_add(text, "%s", kPaths[request->arg[1]]);
  else
    text_add(text, "W%" PRId64 "%s", request->arg[2],
             request->arg[1] == kNsInFolder ? " by folder" : "");
  text_add(text, " as %" PRId64 "%s", request->arg[0], request->arg[3] ? ", O_CLOEXEC" : "");
}

static void ns_describe(const Request* request, Text* text) {
  static const char* const kChildren[kNsChildren] = {"unshares", "unshares and is killed", "enters",
                                                     "is cloned into a new one",
                                                     "unshares, is kept and killed"};
  switch (request->op) {
    case kNsOpen: describe_open(request, text); return;
    case kNsCompare: text_add(text, "%s", kOps[kNsCompare]); return;
    case kNsChild:
      text_add(text, "child %s %" PRId64, kChildren[request->arg[1]], request->arg[0]);
      return;
    case kNsUnshare: text_add(text, "unshare("); break;
    case kNsJoin: text_add(text, "setns(pidfd of W%" PRId64 ", ", request->arg[2]); break;
    default: text_add(text, "%s(kept %" PRId64, kOps[request->op], request->arg[0]);
  }
  if (request->op == kNsSetns) text_add(text, ", ");
  if (request->op != kNsClose) add_flags(text, request->arg[1]);
  text_add(text, ")");
}

// ---- Learning

// Adjustments end where the process leaves, or is no more to share them.
static void end_adjustments(int worker) {
  while (sem_undo_take(worker) >= 0) continue;
}

static void move(int worker, int place) {
  end_adjustments(worker);
  if (place != kNoPlace) place_move(worker, place);
}

static void learn_unshare(const Request* request) {
  if (request->arg[1] & CLONE_NEWIPC)
    move(request->worker, place_new());
  else
    end_adjustments(request->worker);
}

static int place_opened(const Request* request) {
  return place_of(request->arg[1] < kNsOther ? request->worker : (int)request->arg[2]);
}

static void ns_learn(const Request* request, const Reply* reply) {
  const int worker = request->worker;
  const int slot = (int)request->arg[0];
  if (reply->ret < 0) return;
  switch (request->op) {
    case kNsUnshare: learn_unshare(request); break;
    case kNsOpen: place_keep(worker, slot, place_opened(request), request->arg[3]); break;
    case kNsClose: place_keep(worker, slot, kNoPlace, false); break;
    case kNsSetns: move(worker, place_kept(worker, slot)); break;
    case kNsJoin:
      if (request->arg[1] & CLONE_NEWIPC) move(worker, place_of((int)request->arg[2]));
      break;
    case kNsChild:
      if (request->arg[1] == kNsChildKept) place_keep(worker, slot, place_new(), true);
      break;
    default: break;
  }
}

static bool ns_closing(Request* request) {
  (void)request;
  return false;
}

const Family kNsFamily = {
    .name = "ns",
    .ops = kOps,
    .op_count = kNsOps,
    .file_ops = 0,
    .weight = 20,
    .needs_rights = true,
    .draw = ns_draw,
    .execute = ns_execute,
    .describe = ns_describe,
    .learn = ns_learn,
    .closing = ns_closing,
};
