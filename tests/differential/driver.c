#include "driver.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "family.h"
#include "log.h"
#include "persona.h"
#include "place.h"
#include "rng.h"
#include "stats.h"

// kWaitPercent: of the deaths that may end a sleep; each costs 0.1 s.
enum { kLineSize = kReplyText + 1024, kWaitPercent = 2, kFirstPayer = 100000, kPayers = 4194304 };

static const Options* options;
static Pool pool;
static Rng rng;
static long step;

// ---- What is written

static void add_request(Text* text, const Request* request) {
  kFamilies[request->family]->describe(request, text);
  text_add_persona(text, request->persona);
  if (request->raw) text_add(text, " raw");
}

// Who is in which call, as the last words of a log.
static void log_unfinished(int index) {
  static char line[kLineSize];
  const Request* request = &shared->slots[index].request;
  if (pool_is_done(index) || request->family == kLifecycle) return;
  Text text = text_over(line, sizeof(line));
  text_add(&text, "%06ld W%d is in ", step, index);
  add_request(&text, request);
  log_text(line);
}

_Noreturn void driver_fail(const char* format, ...) {
  char reason[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof(reason), format, arguments);
  va_end(arguments);
  log_line("%06ld FAILED: %s", step, reason);
  for (int i = 0; step > 0 && i < pool.count; i++) log_unfinished(i);
  log_close();
  fprintf(stderr, "ipc_sequence: step %ld: %s\n", step, reason);
  pool_kill_all(&pool);
  exit(1);
}

static void add_reply(Text* text, const Reply* reply) {
  if (reply->ret < 0)
    text_add(text, " = %" PRId64 " %s", reply->ret, error_name(reply->error));
  else if (reply->error != 0)
    text_add(text, " = %" PRId64 " but errno %s", reply->ret, error_name(reply->error));
  else
    text_add(text, " = %" PRId64, reply->ret);
  text_add(text, "%s", reply->text);
}

static void add_outcome(Text* text, const Slot* slot) {
  if (slot->jumped)
    text_add(text, " left by siglongjmp");
  else
    add_reply(text, &slot->reply);
  if (slot->signals != 0) text_add(text, " after %d handlers", slot->signals);
}

static void log_nested(int index, Slot* slot) {
  static char line[kLineSize];
  if (!slot->has_nested) return;
  const Request* request = &slot->nested_request;
  Text text = text_over(line, sizeof(line));
  text_add(&text, "%06ld W%d in its handler ", step, index);
  add_request(&text, request);
  add_reply(&text, &slot->nested_reply);
  log_text(line);
  place_enter(index);
  kFamilies[request->family]->learn(request, &slot->nested_reply);
  stats_event(kStatNestedCall);
}

// ---- Calls that have ended

static void learn(int index, bool has_slept) {
  const Slot* slot = &shared->slots[index];
  stats_call(&slot->request, slot, has_slept);
  place_enter(index);
  if (!slot->jumped) kFamilies[slot->request.family]->learn(&slot->request, &slot->reply);
}

static void log_wake(int index) {
  static char line[kLineSize];
  Worker* worker = &pool.workers[index];
  Slot* slot = &shared->slots[index];
  const Request* request = &slot->request;
  Text text = text_over(line, sizeof(line));
  text_add(&text, "%06ld W%d wakes from %06ld %s", step, index, worker->step,
           kFamilies[request->family]->ops[request->op]);
  add_outcome(&text, slot);
  if (options->wake_order) text_add(&text, " order %" PRIu64, slot->finished);
  log_text(line);
  worker->state = kIdle;
  learn(index, true);
}

// Logs the sleepers whose calls have ended, in the order of their numbers. Returns how many.
static int collect(void) {
  int woken = 0;
  for (int i = 0; i < pool.count; i++) {
    if (pool.workers[i].state != kAsleep || !pool_is_done(i)) continue;
    log_wake(i);
    woken++;
  }
  stats_woken(woken);
  return woken;
}

// The same id is another object in another namespace; a descriptor leads to one object from all.
static bool is_asleep_with(int index, const Request* request) {
  const Request* other = &shared->slots[index].request;
  return pool.workers[index].state == kAsleep && other->object == request->object &&
         other->family == request->family &&
         (place_of(index) == place_of(request->worker) ||
          kFamilies[request->family]->outlives_objects);
}

static int count_sleepers_like(const Request* request) {
  int count = 0;
  for (int i = 0; i < pool.count; i++)
    count += is_asleep_with(i, request) && shared->slots[i].request.op == request->op;
  return count;
}

static bool has_sleeper(const Request* request) {
  for (int i = 0; i < pool.count; i++)
    if (is_asleep_with(i, request)) return true;
  return false;
}

static bool has_sleeper_of_other_kind(const Request* request) {
  const Family* family = kFamilies[request->family];
  for (int i = 0; family->kind != NULL && i < pool.count; i++)
    if (is_asleep_with(i, request) &&
        family->kind(&shared->slots[i].request) != family->kind(request))
      return true;
  return false;
}

// Hands worker `index` the request in its slot, and logs its answer.
static void make_call_alone(int index) {
  static char line[kLineSize];
  Worker* worker = &pool.workers[index];
  const Slot* slot = &shared->slots[index];
  Text text = text_over(line, sizeof(line));
  text_add(&text, "%06ld W%d ", step, index);
  add_request(&text, &slot->request);
  pool_ring(&pool, index);
  if (!slot->request.may_sleep) pool_wait_done(&pool, index);
  if (pool_is_done(index)) {
    add_outcome(&text, slot);
    if (options->wake_order) text_add(&text, " order %" PRIu64, slot->finished);
    learn(index, false);
  } else {
    text_add(&text, " sleeps");
    worker->state = kAsleep;
    worker->step = step;
    stats_sleeper(count_sleepers_like(&slot->request));
    if (has_sleeper_of_other_kind(&slot->request)) stats_event(kStatSleepBesideOtherKind);
  }
  log_text(line);
}

static void make_call(int index) {
  make_call_alone(index);
  collect();
}

// ---- Steps

static int draw_family(void) {
  int64_t total = 0;
  for (int i = 0; i < kFamilyCount; i++)
    total += (options->families >> i & 1) ? kFamilies[i]->weight : 0;
  int64_t at = rng_below(&rng, total);
  int family = 0;
  for (;; family++) {
    const int weight = (options->families >> family & 1) ? kFamilies[family]->weight : 0;
    if (at < weight) return family;
    at -= weight;
  }
}

// One who is idle in this namespace, worker 0 if possible; -1 if there is none.
static int find_idle_in(int place) {
  for (int i = 0; i < pool.count; i++)
    if (pool.workers[i].state == kIdle && place_of(i) == place) return i;
  return -1;
}

// A random worker in this state among those numbered `first` or above, -1 if there is none.
static int draw_worker(WorkerState state, int first) {
  int candidates[kMaxWorkers + 1];
  int count = 0;
  for (int i = first; i < pool.count; i++)
    if (pool.workers[i].state == state) candidates[count++] = i;
  return count == 0 ? -1 : candidates[rng_below(&rng, count)];
}

// One that this worker can meet.
static const Request* draw_sleeper(int worker, int family) {
  const int index = draw_worker(kAsleep, 0);
  if (index < 0 || place_of(index) != place_of(worker)) return NULL;
  const Request* request = &shared->slots[index].request;
  return request->family == family ? request : NULL;
}

static void clear_request(Request* request, int worker, int family) {
  memset(request, 0, sizeof(*request));
  request->worker = worker;
  request->family = family;
  request->object = -1;
}

static void draw_request(Request* request, int worker, bool may_sleep) {
  clear_request(request, worker, draw_family());
  request->raw = rng_percent(&rng, 12);
  request->tag = rng_next(&rng);
  if (rng_percent(&rng, 28)) request->persona = persona_draw(&rng);
  const Family* family = kFamilies[request->family];
  place_enter(worker);
  family->draw(&rng, may_sleep, draw_sleeper(worker, request->family), request);
  if (!options->personas || family->needs_rights) request->persona = 0;
  if (!options->syscalls && (family->file_ops >> request->op & 1) == 0) request->raw = false;
}

static void step_call(int index) {
  Request* request = &shared->slots[index].request;
  draw_request(request, index, index != 0);
  if (options->one_sleeper && request->may_sleep && has_sleeper(request))
    draw_request(request, index, false);
  make_call(index);
}

// A handler keeps the persona of the call that it interrupts.
static void draw_nested(Request* request, int worker) {
  const bool has_rights = shared->slots[worker].request.persona == 0;
  do draw_request(request, worker, false);
  while (!has_rights && kFamilies[request->family]->needs_rights);
  request->persona = 0;
}

static void step_signal(int index) {
  static const Choice kActions[] = {
      {50, kActionNone}, {25, kActionNested}, {12, kActionJump}, {13, kActionNested | kActionJump}};
  // The last one's default is to be ignored: the sleep must go on.
  static const Choice kSignals[] = {{50, SIGUSR1}, {40, SIGUSR2}, {10, SIGURG}};
  Slot* slot = &shared->slots[index];
  const int number = (int)RNG_CHOOSE(&rng, kSignals);
  slot->signal_action = (int)RNG_CHOOSE(&rng, kActions);
  draw_nested(&slot->nested_request, index);
  stats_event(number == SIGURG ? kStatSignalIgnored : kStatSignal);
  log_line("%06ld signal %s to W%d", step,
           number == SIGUSR1   ? "USR1"
           : number == SIGUSR2 ? "USR2"
                               : "URG",
           index);
  slot->has_nested = false;
  pool_signal(&pool, index, number);
  slot->signal_action = kActionNone;  // for the one that is ignored
  log_nested(index, slot);
  collect();
}

static void forget_image(int worker) {
  place_exec(worker);
  for (int f = 0; f < kFamilyCount; f++) {
    const Family* family = kFamilies[f];
    if (family->exec != NULL)
      family->exec(worker);
    else if (family->forget != NULL)
      family->forget(worker);
  }
}

static void forget(int worker) {
  for (int f = 0; f < kFamilyCount; f++)
    if (kFamilies[f]->forget != NULL) kFamilies[f]->forget(worker);
}

static bool would_free(int worker, int sleeper) {
  const Request* request = &shared->slots[sleeper].request;
  if (sleeper == worker || pool.workers[sleeper].state != kAsleep) return false;
  if (place_of(sleeper) != place_enter(worker)) return false;
  const Family* family = kFamilies[request->family];
  return family->would_free != NULL && family->would_free(worker, request);
}

static bool would_free_any(int worker) {
  for (int i = 0; i < pool.count; i++)
    if (would_free(worker, i)) return true;
  return false;
}

// What a process has left behind takes effect at its death, and may end the sleep of others. On the
// kernel it has: the dead was waited for, and with SCHED_FIFO those that it woke have replied. In a
// cell the survivors do the dead's work, at the latest when one of them looks: so worker 0 looks,
// or who else is idle in the namespace of the dead, at each object that the dead changed and others
// sleep on. Now and then nobody does, and the
// sleepers get the time in which the death alone must wake them. Where nobody sleeps nothing is
// done: the next call on the object, whatever it is, must find the dead undone. Who sleeps is what
// the log says, not what is: sleepers that have woken already are collected only afterwards.
static void meet_death(int worker) {
  static const double kReaction = 0.1;  // a cell promises 60 ms
  const int looker = find_idle_in(place_of(worker));
  Request* request = &shared->slots[looker < 0 ? 0 : looker].request;
  const bool waits = would_free_any(worker) && rng_percent(&rng, kWaitPercent);
  static Request left;
  bool must_wait = false;
  for (int f = 0; f < kFamilyCount; f++) {
    for (;;) {
      // As the dead, whose namespace it is about.
      clear_request(&left, worker, f);
      place_enter(worker);
      if (kFamilies[f]->bequeath == NULL || !kFamilies[f]->bequeath(&rng, worker, &left)) break;
      stats_event(kStatDeathUndo);
      if (!has_sleeper(&left)) continue;
      must_wait = must_wait || waits || looker < 0;
      if (waits || looker < 0) continue;
      *request = left;
      request->worker = looker;
      request->object = -1;
      stats_event(kStatDeathRead);
      make_call_alone(looker);
      must_wait = must_wait || shared->slots[looker].reply.ret < 0;  // it was not allowed to look
    }
  }
  if (must_wait) {
    stats_event(kStatDeathWait);
    log_line("%06ld waits for those who sleep on what W%d left", step, worker);
    pool_let_pass(&pool, kReaction);
  }
  stats_events(kStatDeathWoke, collect());
}

static void settle_for(int worker) {
  for (int f = 0; f < kFamilyCount; f++) {
    if (kFamilies[f]->settle == NULL || (options->families >> f & 1) == 0) continue;
    Request* request = &shared->slots[worker].request;
    clear_request(request, worker, f);
    kFamilies[f]->settle(request);
    make_call_alone(worker);
  }
}

// In each namespace, for the dying may have something in any.
static void settle(void) {
  for (int i = 0; i < pool.count; i++)
    if (find_idle_in(place_of(i)) == i) settle_for(i);
}

static void step_kill(int index) {
  settle();
  const bool is_asleep = pool.workers[index].state == kAsleep;
  stats_event(is_asleep ? kStatKillAsleep : kStatKillIdle);
  log_line("%06ld kill W%d%s", step, index, is_asleep ? " in its sleep" : "");
  pool_signal(&pool, index, SIGKILL);
  pool_replace(&pool, index, SIGKILL);
  forget(index);
  meet_death(index);
  place_forget(index);
}

// An idle worker exits or executes itself anew.
static void step_lifecycle(int index) {
  static const char* const kNames[] = {"exit", "_exit", "exec"};
  settle();
  Request* request = &shared->slots[index].request;
  clear_request(request, index, kLifecycle);
  request->op = (int)rng_below(&rng, kLifecycleOps);
  log_line("%06ld W%d %s", step, index, kNames[request->op]);
  pool_ring_last(&pool, index);
  if (request->op == kLifecycleExec) {
    stats_event(kStatExec);
    pool_wait_done(&pool, index);
    forget_image(index);
    collect();
  } else {
    stats_event(kStatExit);
    pool_replace(&pool, index, 0);
    forget(index);
    meet_death(index);
    place_forget(index);
  }
}

// A worker whose death may end this sleep, -1 if there is none.
static int draw_freer(int sleeper) {
  int candidates[kMaxWorkers + 1];
  int count = 0;
  for (int i = 1; i < pool.count; i++)
    if (would_free(i, sleeper)) candidates[count++] = i;
  return count == 0 ? -1 : candidates[rng_below(&rng, count)];
}

static void step_death(int index) {
  if (pool.workers[index].state == kIdle && rng_percent(&rng, 40))
    step_lifecycle(index);
  else
    step_kill(index);
}

static void take_step(void) {
  const int asleep = pool_count_asleep(&pool);
  const int idle = draw_worker(kIdle, 1);
  const int sleeper = draw_worker(kAsleep, 1);
  const int64_t roll = rng_below(&rng, 1000);
  const int freer = sleeper >= 0 && roll >= 955 && roll < 990 ? draw_freer(sleeper) : -1;
  if (idle < 0) stats_event(kStatAllAsleep);
  // The more sleep, the more often one is disturbed: enough go on sleeping to meet each other.
  if (sleeper >= 0 && roll < 8 * asleep)
    step_signal(sleeper);
  else if (sleeper >= 0 && roll < 10 * asleep)
    step_kill(sleeper);
  else if (freer >= 0)
    step_death(freer);
  else if (idle >= 0 && roll >= 996)
    step_kill(idle);
  else if (idle >= 0 && roll >= 990)
    step_lifecycle(idle);
  else if (idle >= 0 && roll < 920)
    step_call(idle);
  else
    step_call(0);
}

static void kill_sleepers_of(int family) {
  for (int i = 0; i < pool.count; i++)
    if (pool.workers[i].state == kAsleep && shared->slots[i].request.family == family) step_kill(i);
}

// Who sleeps in a namespace where worker 0 is not.
static void kill_sleepers_elsewhere(void) {
  for (int i = 0; i < pool.count; i++)
    if (pool.workers[i].state == kAsleep && place_of(i) != place_of(0)) step_kill(i);
}

// Worker 0 removes whatever is left, which must end every sleep.
static void close_down(void) {
  kill_sleepers_elsewhere();
  for (int f = 0; f < kFamilyCount; f++) {
    if (kFamilies[f]->outlives_objects) kill_sleepers_of(f);
    for (;;) {
      Request* request = &shared->slots[0].request;
      clear_request(request, 0, f);
      place_enter(0);
      if (!kFamilies[f]->closing(request)) break;
      step++;
      make_call(0);
      if (!kFamilies[f]->objects_vanish && !shared->slots[0].jumped &&
          shared->slots[0].reply.ret < 0)
        driver_fail("cannot remove an object");
    }
  }
  if (pool_count_asleep(&pool) != 0) driver_fail("workers sleep although every object was removed");
}

static bool draws_family(const Family* family) {
  for (int f = 0; f < kFamilyCount; f++)
    if (kFamilies[f] == family) return options->families >> f & 1;
  return false;
}

void driver_run(const Options* chosen) {
  options = chosen;
  rng.state = options->seed;
  pool.schedule = options->schedule;
  pool.audits = options->audit;
  pool_catch_signals();
  pool_start(&pool, options->workers + 1);
  shared->started = time(NULL);
  shared->driver = getpid();
  shared->has_namespaces = draws_family(&kNsFamily);
  shared->own_ids = options->own_ids;
  shared->families = options->families;
  shared->payer = options->personas ? kFirstPayer + (unsigned)getpid() % kPayers : getuid();
  log_line("# ipc_sequence seed %" PRIu64 " ops %ld workers %d", options->seed, options->ops,
           options->workers);
  for (int f = 0; f < kFamilyCount; f++)
    if ((options->families >> f & 1) != 0 && kFamilies[f]->prepare != NULL) kFamilies[f]->prepare();
  for (int i = 0; i < pool.count; i++) pool_spawn(&pool, i);
  for (step = 1; step <= options->ops; step++) {
    schedule_breathe(options->schedule);
    take_step();
  }
  close_down();
  stats_log();
  pool_stop(&pool);
  if (pool.audits)
    fprintf(stderr,
            "ipc_sequence: seed %" PRIu64 ": waited for the workers after %ld of %ld steps\n",
            options->seed, pool.late, options->ops);
}
