#include "schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { kDriverPriority = 10, kWorkerPriority = 20, kLimitSeconds = 5, kMaxWatched = 64 };

static bool set_fifo(int priority) {
  const struct sched_param parameter = {.sched_priority = priority};
  return sched_setscheduler(0, SCHED_FIFO, &parameter) == 0;
}

bool schedule_fifo_permitted(void) {
  const struct sched_param normal = {.sched_priority = 0};
  const int before = sched_getscheduler(0);
  if (!set_fifo(kWorkerPriority)) return false;
  return sched_setscheduler(0, before, &normal) == 0;
}

static bool pin(int cpu) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return false;
  // The last CPU: the first one often serves the interrupts.
  for (int i = 0; cpu < 0 && i < CPU_SETSIZE; i++)
    if (CPU_ISSET(CPU_SETSIZE - 1 - i, &allowed)) cpu = CPU_SETSIZE - 1 - i;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  return sched_setaffinity(0, sizeof(one), &one) == 0;
}

bool schedule_enter_driver(Schedule schedule, int cpu) {
  if (!pin(cpu)) return false;
  if (schedule == kScheduleSettle) return true;
  // A worker that spins for ever would starve the driver, which could not even report it.
  // It gets SIGXCPU instead.
  const struct rlimit cpu_time = {kLimitSeconds * 1000000UL, 2 * kLimitSeconds * 1000000UL};
  return setrlimit(RLIMIT_RTTIME, &cpu_time) == 0 && set_fifo(kDriverPriority);
}

// Best effort: without the privilege, as much as RLIMIT_MEMLOCK allows. Only private mappings of
// files: a cell is a shared one, large and sparse, and must not be filled.
static void lock_program(void) {
  char line[512];
  unsigned long start, end;
  char mode[8], path[256];
  FILE* maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
    if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &start, &end, mode, path) == 4 &&
        mode[3] == 'p' && path[0] == '/')
      mlock((void*)start, end - start);
  if (maps != NULL) fclose(maps);
}

bool schedule_enter_worker(void) {
  lock_program();
  return sched_getscheduler(0) != SCHED_FIFO || set_fifo(kWorkerPriority);
}

int schedule_open_status(pid_t pid) {
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

bool schedule_is_in_ipc_sleep(int status) {
  char text[128];
  const ssize_t length = pread(status, text, sizeof(text) - 1, 0);
  if (length <= 0) return false;
  text[length] = '\0';
  const char* name_end = strrchr(text, ')');
  return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'S';
}

// Reads the state and the number of voluntary context switches. False if the process is not asleep.
static bool look(pid_t pid, unsigned long* switches) {
  char path[32];
  char status[4096];
  snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t length = read(fd, status, sizeof(status) - 1);
  close(fd);
  if (length <= 0) return false;
  status[length] = '\0';
  const char* state = strstr(status, "\nState:\t");
  const char* count = strstr(status, "\nvoluntary_ctxt_switches:\t");
  if (state == NULL || count == NULL || state[8] != 'S') return false;
  *switches = strtoul(strchr(count, '\t'), NULL, 10);
  return true;
}

bool schedule_is_settled(const pid_t* pids, int count) {
  unsigned long before[kMaxWatched];
  unsigned long after;
  for (int i = 0; i < count; i++)
    if (!look(pids[i], &before[i])) return false;
  for (int i = 0; i < count; i++)
    if (!look(pids[i], &after) || after != before[i]) return false;
  return true;
}

double schedule_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void sleep_microseconds(long microseconds) {
  const struct timespec pause = {.tv_nsec = microseconds * 1000};
  nanosleep(&pause, NULL);
}

void schedule_breathe(Schedule schedule) {
  static double last;
  if (schedule != kScheduleFifo) return;
  const double now = schedule_now();
  if (now - last < 0.010) return;
  sleep_microseconds(1000);
  last = schedule_now();
}

void schedule_nap(void) { sleep_microseconds(50); }
