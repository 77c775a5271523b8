/*
 * vfork and exec by a program with attachments, adjustments and a queue's descriptor, which may
 * have moved to another namespace: the new program is in its starter's namespace, has the
 * descriptor if it is kept, and neither attachments nor adjustments. The starter keeps all, and so
 * it does when exec fails, or the child is killed.
 */
#include "process_check.h"
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { ROUNDS = 20 };

static int set, segment;
static mqd_t messages;
static int* memory;

/* As the started program: sends by the descriptor that it was left, and looks for the queue. */
static void be_started(int argc, char** argv) {
  if (argc > 2) CHECK_EQ(mq_send(atoi(argv[2]), "s", 1, 1), 0);
  look_if_started(argc);
}

static void make_all(void) {
  segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
  struct sembuf take = {0, 5, SEM_UNDO};
  CHECK_EQ(semop(set, &take, 1), 0);
  struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8};
  messages = CHECK_OK(mq_open("/vfork", O_CREAT | O_RDWR, 0600, &attributes));
  CHECK_EQ(mq_unlink("/vfork"), 0);
  CHECK_EQ(fcntl(messages, F_SETFD, 0), 0);
}

static void check_all(void) {
  struct shmid_ds state;
  CHECK_EQ(shmctl(segment, IPC_STAT, &state), 0);
  CHECK_EQ(state.shm_nattch, 1);
  ++*memory;
  CHECK_EQ(semctl(set, 0, GETVAL), 5);
}

static void start(char* const* environment) {
  char number[16];
  snprintf(number, sizeof number, "%d", messages);
  char* arguments[] = {"program", "started", number, NULL};
  pid_t child = vfork();
  if (child == 0) {
    execve("/proc/self/exe", arguments, environment);
    _exit(1);
  }
  CHECK_FOUND_BY(child);
  char text[8];
  CHECK_EQ(mq_receive(messages, text, sizeof text, NULL), 1);
}

static void fail_to_start(void) {
  char* arguments[] = {"program", NULL};
  pid_t child = vfork();
  if (child == 0) {
    execv("/no/such/program", arguments);
    _exit(3);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void be_killed(void) {
  pid_t child = vfork();
  if (child == 0) {
    raise(SIGKILL);
    _exit(3);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status));
}

static void* start_all(void* unused) {
  char* empty[] = {NULL};
  for (int i = 0; i < ROUNDS; i++) {
    start(environ);
    start(empty);
    fail_to_start();
    be_killed();
    check_all();
  }
  return unused;
}

static void check(void) {
  make_all();
  start_all(NULL);
  /* By another thread, while the first one goes on. */
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, start_all, NULL), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(int argc, char** argv) {
  be_started(argc, argv);
  make_queue();
  check();
  if (unshare(CLONE_NEWIPC) != 0) return 0; /* not allowed to */
  make_queue();
  check();
}
