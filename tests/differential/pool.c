#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"
#include "log.h"
#include "worker.h"

static const double kPatience = 10.0;  // seconds that a call which cannot sleep may take

static volatile sig_atomic_t child_died;
static volatile sig_atomic_t asked_to_stop;
static int memory = -1;

static void on_child(int number) {
  (void)number;
  child_died = 1;
}

static void on_stop(int number) {
  (void)number;
  asked_to_stop = 1;
}

void pool_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  action.sa_handler = on_stop;
  action.sa_flags = 0;  // waits end, the log is written, workers are killed
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
}

static void check_health(Pool* pool) {
  int status;
  if (asked_to_stop) driver_fail("stopped by a signal");
  if (!child_died) return;
  child_died = 0;
  const pid_t dead = waitpid(-1, &status, WNOHANG);
  for (int i = 0; dead > 0 && i < pool->count; i++)
    if (pool->workers[i].pid == dead)
      driver_fail("worker %d died: %s %d", i, WIFSIGNALED(status) ? "signal" : "status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static bool is_settled(const Pool* pool) {
  pid_t pids[kMaxWorkers + 1];
  int count = 0;
  for (int i = 0; i < pool->count; i++)
    if (pool->workers[i].pid > 0) pids[count++] = pool->workers[i].pid;
  return schedule_is_settled(pids, count);
}

static bool is_on_its_way(const Pool* pool, int index) {
  const Worker* worker = &pool->workers[index];
  switch (atomic_load(&shared->slots[index].phase)) {
    case kPhaseDone: return false;
    case kPhaseInCall:
      return pool->schedule == kScheduleFifo && !schedule_is_in_ipc_sleep(worker->status) &&
             !pool_is_done(index);
    default: return worker->pid > 0;
  }
}

static bool any_is_on_its_way(const Pool* pool) {
  for (int i = 0; i < pool->count; i++)
    if (is_on_its_way(pool, i)) return true;
  return false;
}

// In both schedules, a worker that sleeps outside its call is on its way and is waited for.
// Settling must also see to those that can run; with SCHED_FIFO there is none. False if there was
// anything to wait for.
static bool wait_quiet(Pool* pool) {
  const bool looks = pool->schedule == kScheduleSettle || pool->audits;
  double deadline = 0;
  check_health(pool);
  while (any_is_on_its_way(pool) || (looks && !is_settled(pool))) {
    check_health(pool);
    if (deadline == 0)
      deadline = schedule_now() + kPatience;
    else if (schedule_now() > deadline)
      driver_fail("the workers do not come to rest");
    if (pool->schedule == kScheduleFifo)
      schedule_nap();
    else
      sched_yield();
  }
  return deadline == 0;
}

bool pool_is_done(int index) { return atomic_load(&shared->slots[index].phase) == kPhaseDone; }

void pool_wait_done(Pool* pool, int index) {
  if (pool_is_done(index)) return;
  const double deadline = schedule_now() + kPatience;
  while (!pool_is_done(index)) {
    check_health(pool);
    if (schedule_now() > deadline)
      driver_fail("worker %d does not end a call that cannot sleep", index);
    schedule_nap();
  }
  wait_quiet(pool);
}

void pool_ring_last(Pool* pool, int index) {
  atomic_store(&shared->slots[index].phase, kPhaseBefore);
  if (write(pool->workers[index].doorbell, "", 1) != 1)
    driver_fail("worker %d: doorbell: %s", index, strerror(errno));
}

void pool_ring(Pool* pool, int index) {
  pool_ring_last(pool, index);
  pool->late += !wait_quiet(pool);
}

void pool_signal(Pool* pool, int index, int number) {
  if (kill(pool->workers[index].pid, number) != 0)
    driver_fail("worker %d: kill: %s", index, strerror(errno));
  if (number != SIGKILL) pool->late += !wait_quiet(pool);
}

// In the child: the other doorbells' writing ends would keep the others' pipes open for ever.
static _Noreturn void become_worker(const Pool* pool, int index, int doorbell) {
  for (int i = 0; i < pool->count; i++) {
    if (pool->workers[i].doorbell < 0) continue;
    close(pool->workers[i].doorbell);
    close(pool->workers[i].status);
  }
  log_abandon();
  const int reset[] = {SIGCHLD, SIGTERM, SIGINT, SIGPIPE};
  for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++) signal(reset[i], SIG_DFL);
  worker_main(index, memory, doorbell);
}

static void record_pid(pid_t pid, int worker, int generation) {
  if (shared->pid_count == kMaxPids)
    driver_fail("too many workers in one run; make several shorter runs");
  shared->pids[shared->pid_count++] = (PidRecord){(int)pid, worker, generation};
}

void pool_spawn(Pool* pool, int index) {
  Worker* worker = &pool->workers[index];
  int ends[2];
  worker->doorbell = -1;
  if (pipe(ends) != 0) driver_fail("pipe: %s", strerror(errno));
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  atomic_store(&shared->slots[index].phase, kPhaseBefore);
  const pid_t pid = fork();
  if (pid < 0) driver_fail("fork: %s", strerror(errno));
  if (pid == 0) {
    close(ends[1]);
    become_worker(pool, index, ends[0]);
  }
  close(ends[0]);
  worker->status = schedule_open_status(pid);
  worker->pid = pid;
  worker->generation++;
  worker->doorbell = ends[1];
  worker->state = kIdle;
  record_pid(pid, index, worker->generation);
  wait_quiet(pool);
}

void pool_start(Pool* pool, int count) {
  memory = memfd_create("ipc_sequence", 0);
  if (memory < 0 || ftruncate(memory, sizeof(Shared)) != 0)
    driver_fail("memfd_create: %s", strerror(errno));
  shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (shared == MAP_FAILED) driver_fail("mmap: %s", strerror(errno));
  for (int i = 0; i < count; i++) pool->workers[i].doorbell = -1;
  pool->count = count;
}

void pool_replace(Pool* pool, int index, int expected_signal) {
  Worker* worker = &pool->workers[index];
  int status;
  while (waitpid(worker->pid, &status, 0) < 0)
    if (errno != EINTR || asked_to_stop)
      driver_fail("worker %d: waitpid: %s", index, strerror(errno));
  const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (number != expected_signal || (number == 0 && WEXITSTATUS(status) != 0))
    driver_fail("worker %d ended with wait status %#x", index, (unsigned)status);
  close(worker->doorbell);
  close(worker->status);
  pool_spawn(pool, index);
}

void pool_let_pass(Pool* pool, double seconds) {
  const double end = schedule_now() + seconds;
  while (schedule_now() < end) {
    check_health(pool);
    schedule_nap();
  }
  wait_quiet(pool);
}

int pool_count_asleep(const Pool* pool) {
  int asleep = 0;
  for (int i = 0; i < pool->count; i++) asleep += pool->workers[i].state == kAsleep;
  return asleep;
}

void pool_stop(Pool* pool) {
  signal(SIGCHLD, SIG_DFL);
  for (int i = 0; i < pool->count; i++) close(pool->workers[i].doorbell);
  for (int i = 0; i < pool->count; i++)
    while (waitpid(pool->workers[i].pid, NULL, 0) < 0 && errno == EINTR && !asked_to_stop)
      ;
}

void pool_kill_all(Pool* pool) {
  signal(SIGCHLD, SIG_DFL);
  for (int i = 0; i < pool->count; i++)
    if (pool->workers[i].pid > 0) kill(pool->workers[i].pid, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
    ;
}
