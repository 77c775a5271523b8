/* What the programs about semaphores share, beside check.h. */
#ifndef CONFORMANCE_SEM_CHECK_H
#define CONFORMANCE_SEM_CHECK_H

#include "check.h"
#include <sched.h>
#include <sys/sem.h>

/* The kernel's defaults in a fresh IPC namespace, and what no one can change. */
enum { DEFAULT_SEMMSL = 32000, DEFAULT_SEMOPM = 500, DEFAULT_SEMMNI = 32000 };
enum { SEM_VALUE_MAXIMUM = 32767, SEM_UNDO_MAXIMUM = 32767 };

/* An id is a sequence number times this, plus an index. */
enum { SEQUENCE = 32768 };

/* The fourth argument of semctl(), which no header declares. */
union semun {
  int val;
  struct semid_ds* buf;
  unsigned short* array;
  struct seminfo* __buf;
};

/* The operations of a call, each as {sem_num, sem_op, sem_flg}. */
#define OPS(...)                                                                                   \
  (struct sembuf[]){__VA_ARGS__}, sizeof((struct sembuf[]){__VA_ARGS__}) / sizeof(struct sembuf)
#define SEMOP(id, ...) semop((id), OPS(__VA_ARGS__))

/*
 * Before a program writes to /proc/sys: proves by a harmless change, which it takes back, that the
 * files speak of the namespace that the calls use. Else a program under an unfinished emulation
 * would change the machine's own limits.
 */
static inline void need_own_sysctl(void) {
  static const char path[] = "/proc/sys/kernel/sem";
  struct seminfo info;
  char before[64], less[16];
  if (access(path, W_OK) != 0) SKIP("needs /proc/sys writable");
  read_text(path, before, sizeof before);
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  snprintf(less, sizeof less, "%d\n", atoi(before) - 1);
  CHECK_OK(write(fd, less, strlen(less)));
  CHECK_OK(semctl(0, 0, IPC_INFO, (union semun){.__buf = &info}));
  CHECK_OK(pwrite(fd, before, strlen(before), 0));
  close(fd);
  CHECK_EQ(info.semmsl, atoi(less));
}

static inline int new_set(int nsems) {
  return CHECK_OK(semget(IPC_PRIVATE, nsems, IPC_CREAT | 0600));
}

#define REMOVE_SET(id) CHECK_OK(semctl((id), 0, IPC_RMID))

static inline int setval(int id, int number, int value) {
  return semctl(id, number, SETVAL, (union semun){.val = value});
}

#define SET_VALUE(id, number, value) CHECK_EQ(setval((id), (number), (value)), 0)
#define CHECK_VALUE(id, number, want) CHECK_EQ(semctl((id), (number), GETVAL), (want))
#define CHECK_PID(id, number, want) CHECK_EQ(semctl((id), (number), GETPID), (want))

/* How many wait for the semaphore to increase, and to become zero. */
#define CHECK_COUNTS(id, number, ncnt, zcnt)                                                       \
  do {                                                                                             \
    CHECK_EQ(semctl((id), (number), GETNCNT), (ncnt));                                             \
    CHECK_EQ(semctl((id), (number), GETZCNT), (zcnt));                                             \
  } while (0)

static inline struct semid_ds stat_set(int id) {
  struct semid_ds ds;
  memset(&ds, 0xa5, sizeof ds);
  CHECK_OK(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
  return ds;
}

static inline int change_set(int id, struct semid_ds* ds) {
  return semctl(id, 0, IPC_SET, (union semun){.buf = ds});
}

static inline void set_mode(int id, unsigned mode) {
  struct semid_ds ds = stat_set(id);
  ds.sem_perm.mode = mode;
  CHECK_EQ(change_set(id, &ds), 0);
}

/* A child that sleeps in semop() until it returns 0, or -1 and this error. */
#define FORK_SEMOP(id, error, ...) fork_semop(__FILE__, __LINE__, (id), (error), OPS(__VA_ARGS__))
static inline pid_t fork_semop(const char* file, int line, int id, int error, struct sembuf* ops,
                               size_t count) {
  pid_t child = fork_child();
  if (child == 0) {
    errno = 0;
    int got = semop(id, ops, count);
    if (got != (error ? -1 : 0) || (error && errno != error))
      fail_at(file, line, "sleeper in semop: expected %s, got %d %s",
              error ? strerrorname_np(error) : "0", got, got ? strerrorname_np(errno) : "");
    _exit(0);
  }
  pause_until_blocked(file, line, child);
  return child;
}

/* A child that does these operations and then sleeps until it is killed. */
#define FORK_HOLDER(id, ...) fork_holder(__FILE__, __LINE__, (id), OPS(__VA_ARGS__))
static inline pid_t fork_holder(const char* file, int line, int id, struct sembuf* ops,
                                size_t count) {
  int* ready = shared_memory(sizeof *ready);
  pid_t child = fork_child();
  if (child == 0) {
    if (semop(id, ops, count) != 0)
      fail_at(file, line, "semop of the holder: expected 0, got -1 %s", strerrorname_np(errno));
    announce(ready, 1);
    for (;;) pause();
  }
  while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) != 1)
    if (task_state(child) == 'Z')
      check_child(file, line, child);
    else
      sleep_ms(1);
  munmap(ready, sizeof *ready);
  return child;
}

/* Woken tasks run in the order of waking only with SCHED_FIFO on one processor. */
static inline void need_wake_order(void) {
  struct sched_param priority = {.sched_priority = 10};
  cpu_set_t one_cpu;
  CPU_ZERO(&one_cpu);
  CPU_SET(sched_getcpu(), &one_cpu);
  if (sched_setaffinity(0, sizeof one_cpu, &one_cpu) != 0 ||
      sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
    SKIP("needs SCHED_FIFO and one processor: the kernel's order is a race otherwise");
}

#endif
