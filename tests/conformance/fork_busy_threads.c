/*
 * A program forks, by fork, _Fork and by number, while its other threads are inside IPC calls of
 * all kinds and asleep in them: each child can make all calls at once, and its threads too.
 */
#include "process_check.h"
#include <mqueue.h>
#include <pthread.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { THREADS = 4, FORKS = 150 };

struct text {
  long type;
  char text[8];
};

static int queue, never, set, segment;
static mqd_t messages;
static int stop;

static void use_all(long type) {
  struct text text = {type, "x"};
  CHECK_EQ(msgsnd(queue, &text, sizeof text.text, 0), 0);
  CHECK_EQ(msgrcv(queue, &text, sizeof text.text, type, 0), (int)sizeof text.text);
  struct sembuf operations[] = {{0, 1, SEM_UNDO}, {0, -1, SEM_UNDO}};
  CHECK_EQ(semop(set, operations, 2), 0);
  char* memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  memory[type % 4096] = 1;
  CHECK_EQ(shmdt(memory), 0);
  CHECK_EQ(mq_send(messages, "m", 1, 1), 0);
  char room[8];
  CHECK_EQ(mq_receive(messages, room, sizeof room, NULL), 1);
}

static void* work(void* unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) use_all(gettid());
  return unused;
}

static void* sleep_in_call(void* way) {
  struct text text;
  struct sembuf operation = {1, -1, 0};
  if (way != NULL) semop(set, &operation, 1);
  msgrcv(never, &text, sizeof text.text, 0, 0);
  FAIL("a sleeper: expected to sleep on, it was woken");
}

static void* use_once(void* unused) {
  use_all(gettid());
  return unused;
}

static pid_t make_child(int way) {
  switch (way % 3) {
    case 0: return fork();
    case 1: return _Fork();
    default: return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  }
}

int main(void) {
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  never = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 2, 0600));
  segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  char name[32];
  snprintf(name, sizeof name, "/fork-%d", getpid());
  struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8};
  messages = CHECK_OK(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes));
  CHECK_EQ(mq_unlink(name), 0);
  pthread_t threads[THREADS], sleeper;
  CHECK_EQ(pthread_create(&sleeper, NULL, sleep_in_call, NULL), 0);
  CHECK_EQ(pthread_create(&sleeper, NULL, sleep_in_call, &queue), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, work, NULL), 0);
  for (int i = 0; i < FORKS; i++) {
    pid_t child = CHECK_OK(make_child(i));
    if (child == 0) {
      memset(check_children, 0, sizeof check_children);
      start_watchdog();
      use_all(getpid());
      /* A child of _Fork or of a number may not start threads if libc's locks were held. */
      if (i % 3 == 0) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, use_once, NULL), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
      }
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  announce(&stop, 1);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK_EQ(semctl(set, 0, GETVAL), 0);
  struct shmid_ds state;
  CHECK_EQ(shmctl(segment, IPC_STAT, &state), 0);
  CHECK_EQ(state.shm_nattch, 0);
  struct msqid_ds left;
  CHECK_EQ(msgctl(queue, IPC_STAT, &left), 0);
  CHECK_EQ(left.msg_qnum, 0);
}
