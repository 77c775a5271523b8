// Calls on POSIX message queues that end in unusual ways, over and over: nothing may be left of
// them, neither descriptors nor mappings nor threads, and the queues go on. What is left outside of
// the process is for mq_leaks.py to see.
//
//   mq_leaks WAY ROUNDS      WAY: thread, restart, eintr, jump, cancel, kill
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kWarmUp = 50, kSize = 512, kRoom = 3 };

static mqd_t empty, full;  // one that stays empty, and one that stays full
static char text[kSize];

static void fail(const char* what) {
  printf("FAILED: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void expect(int is_right, const char* what) {
  if (!is_right) fail(what);
}

static mqd_t make(const char* name) {
  struct mq_attr attributes = {.mq_maxmsg = kRoom, .mq_msgsize = kSize};
  mq_unlink(name);
  const mqd_t made = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
  expect(made >= 0, "mq_open");
  return made;
}

static void expect_count(mqd_t queue, long count) {
  struct mq_attr attributes;
  expect(mq_getattr(queue, &attributes) == 0 && attributes.mq_curmsgs == count, "the count");
}

static void send_one(mqd_t queue) { expect(mq_send(queue, text, kSize, 1) == 0, "mq_send"); }

static void receive_one(mqd_t queue) {
  expect(mq_receive(queue, text, kSize, NULL) == kSize, "mq_receive");
}

// ------------------------------------------------------------------------ rounds

static sem_t told;

static void on_notice(union sigval value) {
  (void)value;
  sem_post(&told);
}

static void round_thread(int round) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_notice};
  expect(mq_notify(empty, &event) == 0, "mq_notify");
  if (round % 3 == 0) {
    expect(mq_notify(empty, NULL) == 0, "mq_notify, to remove it");
    return;
  }
  send_one(empty);
  while (sem_wait(&told) != 0) expect(errno == EINTR, "sem_wait");
  receive_one(empty);
}

static volatile sig_atomic_t is_awaited, helps, jumps;
static sigjmp_buf out;

static void on_alarm(int number) {
  (void)number;
  if (!is_awaited) return;
  is_awaited = 0;
  if (helps == 1) send_one(empty);
  if (helps == 2) receive_one(full);
  if (jumps) siglongjmp(out, 1);
}

// The signal comes again and again: the first may be too early.
static void set_alarm(long us) {
  const struct itimerval timer = {{0, us}, {0, us}};
  expect(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer");
}

static void handle_alarm(int flags) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  expect(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
}

static void round_restart(int round) {
  handle_alarm(SA_RESTART);
  helps = round % 2 == 0 ? 1 : 2;
  is_awaited = 1;
  set_alarm(200);
  if (round % 2 == 0)
    receive_one(empty);
  else
    send_one(full);
  set_alarm(0);
  helps = 0;
}

static long blocked_call(int round) {
  return round % 2 == 0 ? mq_receive(empty, text, kSize, NULL) : mq_send(full, text, kSize, 2);
}

static void round_eintr(int round) {
  handle_alarm(0);
  set_alarm(200);
  errno = 0;
  expect(blocked_call(round) == -1 && errno == EINTR, "EINTR");
  set_alarm(0);
}

static void round_jump(int round) {
  handle_alarm(round % 4 < 2 ? SA_RESTART : 0);
  jumps = 1;
  if (sigsetjmp(out, 1) == 0) {
    is_awaited = 1;
    set_alarm(200);
    blocked_call(round);
    fail("it came back");
  }
  set_alarm(0);
  jumps = 0;
}

static void* run_blocked(void* round) {
  blocked_call(*(const int*)round);
  return NULL;
}

static void round_cancel(int round) {
  pthread_t thread;
  void* result;
  expect(pthread_create(&thread, NULL, run_blocked, &round) == 0, "pthread_create");
  if (round % 5 != 0) usleep((useconds_t)(round * 7 % 300));
  expect(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0, "pthread_cancel");
  expect(result == PTHREAD_CANCELED, "it was cancelled");
}

// A process makes a queue, fills and unlinks it, waits in it, and is killed somewhere on the way.
static void be_killed(void) {
  struct mq_attr attributes = {.mq_maxmsg = kRoom, .mq_msgsize = kSize};
  struct sigevent event = {.sigev_notify = SIGEV_NONE};
  for (unsigned n = 0;; ++n) {
    const mqd_t queue = mq_open("/killed", O_CREAT | O_RDWR, 0600, &attributes);
    for (unsigned priority = 0; priority < kRoom; ++priority) mq_send(queue, text, kSize, priority);
    mq_notify(queue, &event);
    mq_unlink("/killed");
    if (n % 4 == 3) mq_send(queue, text, kSize, 9);
    mq_close(queue);
  }
}

static void round_kill(int round) {
  int status;
  const pid_t child = fork();
  expect(child >= 0, "fork");
  if (child == 0) be_killed();
  usleep((useconds_t)(100 + round * 37 % 900));
  kill(child, SIGKILL);
  expect(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "waitpid");
  mq_unlink("/killed");
}

static const struct {
  const char* name;
  void (*round)(int round);
} kWays[] = {{"thread", round_thread}, {"restart", round_restart}, {"eintr", round_eintr},
             {"jump", round_jump},     {"cancel", round_cancel},   {"kill", round_kill}};

// ------------------------------------------------------------------------ what is left

struct state {
  int descriptors, mappings, threads;
};

static struct state look(void) {
  struct state state = {0, 0, 0};
  char line[1024];
  for (int fd = 0; fd < 1024; ++fd) state.descriptors += fcntl(fd, F_GETFD) >= 0;
  FILE* file = fopen("/proc/self/maps", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) ++state.mappings;
  if (file != NULL) fclose(file);
  file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    sscanf(line, "Threads: %d", &state.threads);
  if (file != NULL) fclose(file);
  return state;
}

// Threads that have told may be on their way out.
static int is_as_before(const struct state* before) {
  enum { kStacks = 6 };  // mappings that libc keeps for the next threads
  for (int n = 0; n < 200; ++n) {
    const struct state after = look();
    if (after.descriptors == before->descriptors && after.threads <= before->threads &&
        after.mappings <= before->mappings + kStacks)
      return 1;
    if (n == 199)
      printf("descriptors %d, were %d; mappings %d, were %d; threads %d, were %d\n",
             after.descriptors, before->descriptors, after.mappings, before->mappings,
             after.threads, before->threads);
    usleep(10000);
  }
  return 0;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const int rounds = atoi(arguments[2]);
  for (size_t way = 0; way < sizeof kWays / sizeof *kWays; ++way) {
    if (strcmp(kWays[way].name, arguments[1]) != 0) continue;
    empty = make("/empty");
    full = make("/full");
    sem_init(&told, 0, 0);
    for (int n = 0; n < kRoom; ++n) send_one(full);
    for (int round = 0; round < kWarmUp; ++round) kWays[way].round(round);
    usleep(50000);
    const struct state before = look();
    for (int round = 0; round < rounds; ++round) kWays[way].round(round);
    expect(is_as_before(&before), "something is left");
    expect_count(empty, 0);
    expect_count(full, kRoom);
    for (int n = 0; n < kRoom; ++n) receive_one(full);
    expect(mq_unlink("/empty") == 0 && mq_unlink("/full") == 0, "mq_unlink");
    printf("%s: %d rounds leave nothing\n", arguments[1], rounds);
    return 0;
  }
  return 2;
}
