/*
 * The list from a signal handler, from many threads, from children of fork() and vfork(), and in a
 * program that has no descriptor to spare. And an open() that blocks can be cancelled.
 */
#include "view_check.h"
#include <pthread.h>
#include <sys/resource.h>

enum { KEY = 0xc0de, THREADS = 8, ROUNDS = 200 };

static void list(void) {
  CHECK_LISTS(open(MSG_FILE, O_RDONLY | O_CLOEXEC), KEY);
  struct stat status;
  CHECK_EQ(stat(MSG_FILE, &status), 0);
}

static volatile sig_atomic_t handled;

static void on_signal(int signal_number) {
  (void)signal_number;
  int saved = errno;
  list();
  handled++;
  errno = saved;
}

static void* lister(void* unused) {
  for (int i = 0; i < ROUNDS; i++) list();
  return unused;
}

static char fifo[] = "/tmp/view_contexts.XXXXXX/fifo";
static bool cleaned_up;

static void clean_up(void* unused) {
  (void)unused;
  cleaned_up = true;
}

static void* blocked_opener(void* unused) {
  pthread_cleanup_push(clean_up, NULL);
  open(fifo, O_RDONLY);
  pthread_cleanup_pop(0);
  return unused;
}

static void check_cancellation(void) {
  char* slash = strrchr(fifo, '/');
  *slash = '\0';
  CHECK(mkdtemp(fifo) != NULL);
  *slash = '/';
  CHECK_EQ(mkfifo(fifo, 0600), 0);
  pthread_t opener;
  void* result = NULL;
  CHECK_EQ(pthread_create(&opener, NULL, blocked_opener, NULL), 0);
  usleep(20000);
  CHECK_EQ(pthread_cancel(opener), 0);
  CHECK_EQ(pthread_join(opener, &result), 0);
  CHECK_EQ(unlink(fifo), 0);
  *slash = '\0';
  CHECK_EQ(rmdir(fifo), 0);
  CHECK(result == PTHREAD_CANCELED);
  CHECK(cleaned_up);
}

int main(void) {
  check_cancellation();
  CHECK_OK(msgget(KEY, IPC_CREAT | 0600));
  struct sigaction action = {.sa_handler = on_signal};
  CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(handled, 1);

  pid_t pinger = fork_child();
  if (pinger == 0) {
    for (int i = 0; i < ROUNDS; i++) {
      kill(getppid(), SIGUSR1);
      usleep(100);
    }
    _exit(0);
  }
  for (int i = 0; i < ROUNDS * 2; i++) list();
  CHECK_CHILD(pinger);
  CHECK(handled > 1);

  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, lister, NULL), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);

  pid_t child = fork_child();
  if (child == 0) {
    list();
    _exit(0);
  }
  CHECK_CHILD(child);

  static volatile int in_child;
  pid_t borrower = vfork();
  if (borrower == 0) {
    int fd = open(MSG_FILE, O_RDONLY);
    char byte = 0;
    in_child = fd >= 0 && read(fd, &byte, 1) == 1 && byte == ' ' && access(MSG_FILE, R_OK) == 0;
    _exit(0);
  }
  CHECK_CHILD(borrower);
  CHECK_EQ(in_child, 1);

  /* One descriptor left, then none. */
  int lowest = CHECK_OK(dup(0));
  close(lowest);
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = lowest + 1;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int last = CHECK_OK(open(MSG_FILE, O_RDONLY));
  CHECK_EQ(last, lowest);
  CHECK_EQ(fcntl(last, F_GETFD), 0);
  CHECK_ERRNO(open(MSG_FILE, O_RDONLY), EMFILE);
  CHECK(fopen(MSG_FILE, "r") == NULL && errno == EMFILE);
  CHECK_EQ(write(last, "x", 1), -1);
  CHECK_LISTS(last, KEY);
}
