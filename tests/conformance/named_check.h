/*
 * What the programs about named POSIX semaphores and shared memory share, beside check.h. No name
 * is there when a program starts.
 */
#ifndef CONFORMANCE_NAMED_CHECK_H
#define CONFORMANCE_NAMED_CHECK_H

#include "check.h"
#include <semaphore.h>
#include <sys/stat.h>

static inline sem_t* check_sem(const char* file, int line, const char* what, sem_t* got) {
  if (got == SEM_FAILED)
    fail_at(file, line, "%s: expected success, got %s", what, strerrorname_np(errno));
  return got;
}

static inline void check_no_sem(const char* file, int line, const char* what, sem_t* got,
                                int want) {
  if (got != SEM_FAILED || errno != want)
    fail_at(file, line, "%s: expected %s, got %s", what, strerrorname_np(want),
            got != SEM_FAILED ? "success" : strerrorname_np(errno));
}

/* The call must give a semaphore; gives it. */
#define CHECK_SEM(call) (errno = 0, check_sem(__FILE__, __LINE__, #call, (call)))
/* The call must fail so. */
#define CHECK_NO_SEM(call, want)                                                                   \
  (errno = 0, check_no_sem(__FILE__, __LINE__, #call, (call), (want)))

#define NEW_SEM(name, value) CHECK_SEM(sem_open((name), O_CREAT | O_EXCL, 0600, (value)))
#define CLOSE_SEM(sem) CHECK_EQ(sem_close(sem), 0)
#define REMOVE_SEM(name) CHECK_EQ(sem_unlink(name), 0)

static inline int value_of(sem_t* sem) {
  int value = -1;
  CHECK_EQ(sem_getvalue(sem, &value), 0);
  return value;
}

#define CHECK_VALUE(sem, want) CHECK_EQ(value_of(sem), (want))

/* New shared memory of a size, mode 0600, for reading and writing. */
#define NEW_MEMORY(name, size) new_memory(__FILE__, __LINE__, (name), (size))
static inline int new_memory(const char* file, int line, const char* name, off_t size) {
  int fd = check_ok(file, line, "shm_open", shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600));
  check_eq(file, line, "ftruncate", ftruncate(fd, size), 0);
  return fd;
}
#define REMOVE_MEMORY(name) CHECK_EQ(shm_unlink(name), 0)

static inline void* map_shared(int fd, size_t size) {
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) FAIL("mmap: expected a mapping, got %s", strerrorname_np(errno));
  return memory;
}

static inline struct stat status_of(int fd) {
  struct stat status;
  CHECK_EQ(fstat(fd, &status), 0);
  return status;
}

/* libc has the semaphore "/s" in the same folder as the memory "/sem.s". */
static inline struct stat status_of_sem(const char* name) {
  char path[300];
  snprintf(path, sizeof path, "/sem.%s", name + 1);
  int fd = CHECK_OK(shm_open(path, O_RDONLY, 0));
  struct stat status = status_of(fd);
  close(fd);
  return status;
}

static inline bool is_mapped(void* address) {
  unsigned char resident;
  char* page = (char*)((unsigned long)address & ~(sysconf(_SC_PAGESIZE) - 1ul));
  return mincore(page, 1, &resident) == 0;
}

static inline struct timespec after_ms(long ms) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_nsec += ms % 1000 * 1000000;
  now.tv_sec += ms / 1000 + now.tv_nsec / 1000000000;
  now.tv_nsec %= 1000000000;
  return now;
}

#endif
