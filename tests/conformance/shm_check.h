/* What the programs about shared memory share, beside check.h. */
#ifndef CONFORMANCE_SHM_CHECK_H
#define CONFORMANCE_SHM_CHECK_H

#include "check.h"
#include <setjmp.h>
#include <sys/shm.h>

/* The kernel's defaults in a fresh IPC namespace. */
enum { DEFAULT_SHMMNI = 4096 };
/* A 64-bit kernel tells a 32-bit program no more than that. */
#define DEFAULT_SHMMAX (sizeof(long) == 8 ? ULONG_MAX - (1ul << 24) : INT_MAX)
#define DEFAULT_SHMALL (ULONG_MAX - (1ul << 24))

/* An id is a sequence number times this, plus an index. */
enum { SEQUENCE = 32768 };

static inline size_t pages(size_t count) { return count * (size_t)sysconf(_SC_PAGESIZE); }

static inline int new_segment(size_t size) {
  return CHECK_OK(shmget(IPC_PRIVATE, size, IPC_CREAT | 0600));
}

#define REMOVE_SEGMENT(id) CHECK_OK(shmctl((id), IPC_RMID, NULL))

/* The segment's last attachment is gone, and so is the segment. */
#define CHECK_DESTROYED(id) CHECK_ERRNO(shmctl((id), IPC_STAT, &(struct shmid_ds){0}), EINVAL)

static inline struct shmid_ds stat_segment(int id) {
  struct shmid_ds ds;
  memset(&ds, 0xa5, sizeof ds);
  CHECK_OK(shmctl(id, IPC_STAT, &ds));
  return ds;
}

static inline void set_mode(int id, unsigned mode) {
  struct shmid_ds ds = stat_segment(id);
  ds.shm_perm.mode = mode;
  CHECK_EQ(shmctl(id, IPC_SET, &ds), 0);
}

#define CHECK_NATTCH(id, want) CHECK_EQ(stat_segment(id).shm_nattch, (want))
#define CHECK_LPID(id, want) CHECK_EQ(stat_segment(id).shm_lpid, (want))

/* Attaches; gives the address, which must be a page's. */
#define ATTACH(id) SHMAT((id), NULL, 0)
#define SHMAT(id, address, flags) check_shmat(__FILE__, __LINE__, (id), (address), (flags))
static inline char* check_shmat(const char* file, int line, int id, const void* address,
                                int flags) {
  char* got = shmat(id, address, flags);
  if (got == (char*)-1)
    fail_at(file, line, "shmat(%d, %p, 0%o): expected an address, got -1 %s", id, address, flags,
            strerrorname_np(errno));
  if ((size_t)got % pages(1) != 0)
    fail_at(file, line, "shmat(%d, %p, 0%o): expected a page's address, got %p", id, address, flags,
            (void*)got);
  return got;
}

#define DETACH(address) CHECK_EQ(shmdt(address), 0)

/* An address with so many free pages behind it, and as many before and after them. */
static inline char* free_pages(size_t count) {
  char* start = mmap(NULL, pages(3 * count), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || munmap(start, pages(3 * count)) != 0)
    FAIL("mmap: expected %zu pages, got %s", 3 * count, strerrorname_np(errno));
  return start + pages(count);
}

/* What an access gives: 0, SIGSEGV or SIGBUS. A store writes what is there already. */
#define CHECK_LOAD(address, want) CHECK_EQ(signal_of_access((address), false), (want))
#define CHECK_STORE(address, want) CHECK_EQ(signal_of_access((address), true), (want))

static sigjmp_buf access_failed;

static inline void on_bad_access(int signal_number) { siglongjmp(access_failed, signal_number); }

static inline int signal_of_access(volatile char* address, bool store) {
  struct sigaction action = {.sa_handler = on_bad_access}, segv, bus;
  sigaction(SIGSEGV, &action, &segv);
  sigaction(SIGBUS, &action, &bus);
  int signal_number = sigsetjmp(access_failed, 1);
  if (signal_number == 0) {
    char byte = *address;
    if (store) *address = byte;
  }
  sigaction(SIGSEGV, &segv, NULL);
  sigaction(SIGBUS, &bus, NULL);
  return signal_number;
}

/* All these bytes are the same. */
#define CHECK_BYTES(address, byte, size)                                                           \
  check_bytes(__FILE__, __LINE__, (address), (char)(byte), (size))
static inline void check_bytes(const char* file, int line, const char* at, char byte, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (at[i] != byte)
      fail_at(file, line, "byte %zu of %zu: expected 0x%02x, got 0x%02x", i, size, byte & 0xff,
              at[i] & 0xff);
}

/* A child that attaches once, in addition to what it inherits, and sleeps until it is killed. */
#define FORK_ATTACHED(id) fork_attached(__FILE__, __LINE__, (id))
static inline pid_t fork_attached(const char* file, int line, int id) {
  int* ready = shared_memory(sizeof *ready);
  pid_t child = fork_child();
  if (child == 0) {
    check_shmat(file, line, id, NULL, 0);
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

/* Writes a file of /proc in one call; gives 0, or -1 and errno. */
static inline int put_text(const char* path, const char* text) {
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  errno = 0;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)strlen(text) ? 0 : -1;
}

/*
 * Before a program writes to /proc/sys: proves by a harmless change, which it takes back, that the
 * files speak of the namespace that the calls use. Else a program under an unfinished emulation
 * would change the machine's own limits.
 */
static inline void need_own_sysctl(void) {
  static const char path[] = "/proc/sys/kernel/shmmni";
  struct shminfo info;
  char before[32], less[32];
  if (access(path, W_OK) != 0) SKIP("needs /proc/sys writable");
  read_text(path, before, sizeof before);
  snprintf(less, sizeof less, "%d\n", atoi(before) - 1);
  CHECK_EQ(put_text(path, less), 0);
  CHECK_OK(shmctl(0, IPC_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(put_text(path, before), 0);
  CHECK_EQ(info.shmmni, atoi(less));
}

#endif
