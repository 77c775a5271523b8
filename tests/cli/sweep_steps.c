// Small programs for the tests of `ipcell sweep`, one for each argument: each answers some fault
// badly, or well. `sweep_steps NAME`.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct message {
  long type;
  char text[8];
};

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static int g_queue = -1;
static void remove_queue(void) {
  if (g_queue >= 0) msgctl(g_queue, IPC_RMID, NULL);
}

static int make_queue(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
  return queue;
}

// Says what goes wrong, cleans up, and tries interrupted calls again.
static int run_good(void) {
  struct message message = {1, "text"};
  g_queue = make_queue();
  atexit(remove_queue);
  while (msgsnd(g_queue, &message, sizeof message.text, 0) != 0) {
    if (errno != EINTR) fail("msgsnd");
  }
  while (msgrcv(g_queue, &message, sizeof message.text, 0, 0) < 0) {
    if (errno != EINTR) fail("msgrcv");
  }
  printf("got %s\n", message.text);
  if (msgctl(g_queue, IPC_RMID, NULL) != 0 && errno != EINVAL && errno != EIDRM) fail("msgctl");
  g_queue = -1;
  return 0;
}

// Looks at no result.
static int run_unchecked(void) {
  struct message message = {1, "text"};
  const int queue = make_queue();
  msgsnd(queue, &message, sizeof message.text, 0);
  memset(message.text, 0, sizeof message.text);
  msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT);
  printf("got %s\n", message.text);
  msgctl(queue, IPC_RMID, NULL);
  return 0;
}

static int run_crash(void) {
  const int queue = make_queue();
  struct message message = {1, "text"};
  if (msgsnd(queue, &message, sizeof message.text, 0) != 0) abort();
  msgctl(queue, IPC_RMID, NULL);
  return 0;
}

// Leaves the queue behind when the second call fails.
static int run_leak(void) {
  const int queue = make_queue();
  if (semget(IPC_PRIVATE, 1, 0600) < 0) fail("semget");
  msgctl(queue, IPC_RMID, NULL);
  return 0;
}

static int run_silent(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) return 1;
  msgctl(queue, IPC_RMID, NULL);
  return 0;
}

// The child takes the semaphore without SEM_UNDO; if it dies the parent waits for ever.
static int run_deadlock(void) {
  const int set = semget(IPC_PRIVATE, 2, 0600);
  if (set < 0) fail("semget");
  struct sembuf take = {0, -1, 0}, give = {0, 1, 0}, tell = {1, 1, 0}, hear = {1, -1, 0};
  if (semop(set, &give, 1) != 0) fail("semop");
  const pid_t child = fork();
  if (child == 0) {
    if (semop(set, &take, 1) != 0) fail("child");
    if (semop(set, &tell, 1) != 0) fail("child");
    if (semop(set, &give, 1) != 0) fail("child");
    _exit(0);
  }
  if (semop(set, &hear, 1) != 0) fail("semop");
  if (semop(set, &take, 1) != 0) fail("semop");
  waitpid(child, NULL, 0);
  if (semctl(set, 0, IPC_RMID) != 0) fail("semctl");
  puts("done");
  return 0;
}

// A queue with a name: the next start after a kill stumbles over it.
static int run_stale(void) {
  const key_t key = 0x5eed;
  const int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
  if (queue < 0) return 7;
  if (msgctl(queue, IPC_RMID, NULL) != 0) fail("msgctl");
  return 0;
}

// Sometimes looks at the result, and sometimes not.
static int run_flaky(void) {
  struct timespec now;
  const int queue = msgget(IPC_PRIVATE, 0600);
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (queue < 0) {
    const char* path = getenv("FLAKY_FILE");
    FILE* file = path != NULL ? fopen(path, "a+") : NULL;
    if (file == NULL) return 3;
    fputc('x', file);
    fflush(file);
    fseek(file, 0, SEEK_END);
    if (ftell(file) % 2 == 1) return 0;
    abort();
  }
  msgctl(queue, IPC_RMID, NULL);
  return 0;
}

// Makes many calls, in two processes.
static int run_many(void) {
  struct message message = {1, "text"};
  const int queue = make_queue();
  for (int child = 0; child < 2; ++child) {
    if (fork() == 0) {
      for (int n = 0; n < 3; ++n) {
        if (msgsnd(queue, &message, sizeof message.text, 0) != 0) fail("msgsnd");
      }
      _exit(0);
    }
  }
  int status, worst = 0;
  while (wait(&status) > 0) worst |= status;
  if (msgctl(queue, IPC_RMID, NULL) != 0) fail("msgctl");
  return worst != 0;
}

// Takes its time.
static int run_slow(void) {
  const int queue = make_queue();
  usleep(300000);
  if (msgctl(queue, IPC_RMID, NULL) != 0) fail("msgctl");
  return 0;
}

// The number of a queue is another one each time.
static int run_ids(void) {
  const int queue = make_queue();
  printf("queue %d\n", queue);
  if (msgctl(queue, IPC_RMID, NULL) != 0) fail("msgctl");
  return 0;
}

// Gives back what it reads.
static int run_copy(void) {
  char line[100];
  const int queue = make_queue();
  while (fgets(line, sizeof line, stdin) != NULL) fputs(line, stdout);
  if (msgctl(queue, IPC_RMID, NULL) != 0) fail("msgctl");
  return 0;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    int (*run)(void);
  } kPrograms[] = {{"good", run_good},     {"unchecked", run_unchecked},
                   {"crash", run_crash},   {"leak", run_leak},
                   {"silent", run_silent}, {"deadlock", run_deadlock},
                   {"stale", run_stale},   {"flaky", run_flaky},
                   {"many", run_many},     {"slow", run_slow},
                   {"ids", run_ids},       {"copy", run_copy}};
  for (size_t n = 0; argc == 2 && n < sizeof kPrograms / sizeof *kPrograms; ++n) {
    if (strcmp(argv[1], kPrograms[n].name) == 0) return kPrograms[n].run();
  }
  fprintf(stderr, "usage: sweep_steps NAME\n");
  return 2;
}
