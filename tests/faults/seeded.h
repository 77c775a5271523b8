// What the programs of this folder share. Each has one bug of a kind that people write, which
// -DFIXED leaves out: `ipcell sweep` has to find the one, and to pass the other. They know nothing
// of ipcell. programs.py says what is to be found in each.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef FIXED
#define IS_FIXED 1
#else
#define IS_FIXED 0
#endif

// semctl(2): the program has to declare it.
union semun {
  int val;
  unsigned short* array;
};

struct message {
  long type;
  int number;
};
enum { kMessageSize = sizeof(int) };

__attribute__((noreturn, unused)) static void fail(const char* what) {
  perror(what);
  exit(1);
}

// What the program leaves behind is told, and a failure; if it is gone already, the better.
static int is_left;

__attribute__((unused)) static void must_go(const char* what, int result) {
  if (result == 0 || errno == EINVAL || errno == EIDRM || errno == ENOENT) return;
  perror(what);
  is_left = 1;
}

static void end_with_what_is_left(void) {
  if (!is_left) return;
  fflush(NULL);
  _exit(1);
}

// Registered first, it is called last.
__attribute__((constructor)) static void look_at_the_end(void) { atexit(end_with_what_is_left); }

// Memory that is shared with children.
__attribute__((unused)) static int* shared_numbers(void) {
  void* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return memory;
}

// A time from now on, as the mq_timed... calls want it.
__attribute__((unused)) static struct timespec deadline_in_ms(long ms) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += ms % 1000 * 1000000;
  time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

// True if all `count` children ended with 0.
__attribute__((unused)) static int children_did_well(int count) {
  int good = 0;
  for (int n = 0; n < count; ++n) {
    int status = 0;
    if (TEMP_FAILURE_RETRY(wait(&status)) > 0 && status == 0) ++good;
  }
  return good == count;
}
