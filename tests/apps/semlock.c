// semlock KEY COMMAND...: runs a command under a lock, as flock(1) does, but with a semaphore. The
// lock is given back when the command ends, however it does.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

union semun {
  int val;
  struct semid_ds* buf;
  unsigned short* array;
};

static void fail(const char* what) {
  fprintf(stderr, "semlock: %s: %s\n", what, strerror(errno));
  exit(126);
}

// Who made the set gives it its first value by semop, so that who finds it there can wait until
// sem_otime says that it has one (W. R. Stevens).
static int open_lock(key_t key) {
  int id = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
  if (id >= 0) {
    struct sembuf first = {0, 1, 0};
    if (semop(id, &first, 1) != 0) fail("semop");
    return id;
  }
  if (errno != EEXIST || (id = semget(key, 1, 0)) < 0) fail("semget");
  for (int patience = 1000; patience > 0; --patience) {
    struct semid_ds status;
    if (semctl(id, 0, IPC_STAT, (union semun){.buf = &status}) != 0) fail("IPC_STAT");
    if (status.sem_otime != 0) return id;
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
  }
  errno = ETIMEDOUT;
  fail("the lock's maker has died");
  return -1;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int id = open_lock((key_t)strtol(argv[1], NULL, 0));
  struct sembuf take = {0, -1, SEM_UNDO};  // kept over exec
  if (semop(id, &take, 1) != 0) fail("semop");
  execvp(argv[2], argv + 2);
  fail(argv[2]);
}
