/*
 * A program that makes calls of all kinds, with threads, children, handlers and bad pointers, and
 * checks what it gets: to be run beside other libraries that are preloaded or built in.
 *
 *     all_calls            prints "fine"
 *     all_calls overflow   ... and writes behind a block of memory before that
 */
#include <errno.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, CALLS = 500, SIZE = 100000 };
enum { YEAR_2020 = 1577836800 };

struct text {
  long type;
  char text[64];
};

static int queue, set, segment;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      printf("line %d: expected %s (errno %d)\n", __LINE__, #condition, errno);                    \
      fflush(stdout);                                                                              \
      _exit(1);                                                                                    \
    }                                                                                              \
  } while (0)

static void* work(void* number) {
  for (int i = 0; i < CALLS; i++) {
    struct text* text = malloc(sizeof *text);
    text->type = (long)number;
    memset(text->text, i, sizeof text->text);
    CHECK(msgsnd(queue, text, sizeof text->text, 0) == 0);
    CHECK(msgrcv(queue, text, sizeof text->text, (long)number, 0) == sizeof text->text);
    CHECK(text->text[63] == (char)i);
    free(text);
    struct sembuf operations[] = {{0, 1, SEM_UNDO}, {0, -1, SEM_UNDO}};
    CHECK(semop(set, operations, 2) == 0);
  }
  return number;
}

static void in_threads(void) {
  pthread_t threads[THREADS];
  for (long i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, work, (void*)(i + 1)) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void in_child(void) {
  char* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  memset(memory, 1, SIZE);
  pid_t child = fork();
  if (child == 0) {
    struct sembuf take = {0, 5, SEM_UNDO};
    CHECK(semop(set, &take, 1) == 0 && memory[SIZE - 1] == 1);
    in_threads();
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(semctl(set, 0, GETVAL) == 0);
  CHECK(shmdt(memory) == 0);
}

static void on_alarm(int number) {
  struct text text = {9, "from the handler"};
  const int saved = errno;
  CHECK(number == SIGALRM && msgsnd(queue, &text, 1, 0) == 0);
  errno = saved;
}

static void interrupted(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  struct text text;
  const struct itimerval soon = {.it_value = {0, 100000}};
  CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
  CHECK(msgrcv(queue, &text, sizeof text.text, 8, 0) == -1 && errno == EINTR);
  CHECK(msgrcv(queue, &text, sizeof text.text, 9, 0) == 1);
}

static void bad_pointer(void) {
  void* volatile bad = (void*)8;
  CHECK(msgsnd(queue, bad, 4, 0) == -1 && errno == EFAULT);
}

/* Whatever time the program is told: the kernel's own, which goes on. */
static void real_time(void) {
  struct msqid_ds state;
  CHECK(msgctl(queue, IPC_STAT, &state) == 0 && state.msg_stime > YEAR_2020);
  const struct timespec moment = {0, 50000000};
  struct sembuf take = {0, -1, 0};
  CHECK(semtimedop(set, &take, 1, &moment) == -1 && errno == EAGAIN);
}

static void by_queue(void) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 8};
  mqd_t messages = mq_open("/all_calls", O_CREAT | O_RDWR, 0600, &attributes);
  CHECK(messages >= 0 && mq_unlink("/all_calls") == 0);
  char text[8];
  CHECK(mq_send(messages, "m", 1, 3) == 0 && mq_receive(messages, text, sizeof text, NULL) == 1);
  CHECK(mq_close(messages) == 0);
}

static void started(void) { CHECK(system("ipcs -q >/dev/null") == 0); }

int main(int argc, char** argv) {
  queue = msgget(IPC_PRIVATE, 0600);
  set = semget(IPC_PRIVATE, 1, 0600);
  segment = shmget(IPC_PRIVATE, SIZE, 0600);
  CHECK(queue >= 0 && set >= 0 && segment >= 0);
  in_threads();
  in_child();
  interrupted();
  bad_pointer();
  real_time();
  by_queue();
  started();
  char* volatile block = malloc(10);
  if (argc > 1 && strcmp(argv[1], "overflow") == 0) block[10] = 1;
  free(block);
  CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0);
  CHECK(shmctl(segment, IPC_RMID, NULL) == 0);
  puts("fine");
  return 0;
}
