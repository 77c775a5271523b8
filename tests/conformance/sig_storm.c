/*
 * Signals rain on threads that make IPC calls of all families, in processes some of which are
 * killed. Handlers make calls as well, those of one thread leave by siglongjmp(). Afterwards each
 * queued signal has come, each message has come once and in its order, semaphores and attachments
 * are what they were before, and nobody waits anywhere.
 */
#include "sig_check.h"
#include <sys/resource.h>

enum { PROCESSES = 2, SIGNALS = 20000, BURST = 24 };
enum { LINE_TYPE = 1 };

/* A type of the thread's own. */
static long type_of_handler(void) { return 4l * gettid(); }
static long type_of_echo(void) { return 4l * gettid() + 1; }

/* What the processes share. */
struct board {
  int owner; /* who has the semaphore that locks */
  int ended; /* processes that have come to their end */
  unsigned seed;
  long signals, jumps; /* that have been handled, or made */
};
static struct board* board;
static int queue, set, segment; /* of all */
static int own_queue, jump_queue;
static mqd_t own_mq;
static volatile bool is_over;
static int handled;
static __thread sigjmp_buf escape;
static __thread volatile bool may_jump;

struct numbered {
  long type;
  long number;
};

/* A call that blocks, until it is done. */
#define UNTIL_DONE(call)                                                                           \
  do {                                                                                             \
    while ((call) < 0)                                                                             \
      if (errno != EINTR)                                                                          \
        FAIL("%s: expected success or EINTR, got %s", #call, strerrorname_np(errno));              \
  } while (0)

static void on_queued(int number, siginfo_t* info, void* context) {
  int saved = errno;
  (void)number;
  (void)info;
  (void)context;
  struct numbered message = {type_of_handler(), 42};
  struct sembuf up = {1, 1, SEM_UNDO | IPC_NOWAIT}, down = {1, -1, SEM_UNDO | IPC_NOWAIT};
  struct msqid_ds ds;
  /* Nested in another run of this handler it may take that one's. */
  if (msgsnd(queue, &message, sizeof message.number, IPC_NOWAIT) == 0) {
    CHECK_EQ(msgrcv(queue, &message, sizeof message.number, message.type, IPC_NOWAIT),
             sizeof message.number);
    CHECK_EQ(message.number, 42);
  }
  CHECK_EQ(semop(set, &up, 1), 0);
  CHECK_EQ(semop(set, &down, 1), 0);
  CHECK_OK(msgctl(queue, IPC_STAT, &ds));
  CHECK_ERRNO(msgsnd(queue, (void*)8, 8, 0), EFAULT);
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
  errno = saved;
}

static void on_plain(int number) { (void)number; }

static void on_jump(int number) {
  if (may_jump) siglongjmp(escape, number);
}

static void* echo(void* unused) {
  struct numbered message;
  for (long n = 0; !is_over; n++) {
    message = (struct numbered){type_of_echo(), n};
    UNTIL_DONE(msgsnd(queue, &message, sizeof n, 0));
    UNTIL_DONE(msgrcv(queue, &message, sizeof n, type_of_echo(), 0));
    CHECK_EQ(message.number, n);
  }
  return unused;
}

static void* send_numbers(void* unused) {
  for (long n = 0;; n++) {
    struct numbered message = {LINE_TYPE, is_over ? -1 : n};
    UNTIL_DONE(msgsnd(own_queue, &message, sizeof n, 0));
    UNTIL_DONE(mq_send(own_mq, (char*)&message.number, sizeof n, 0));
    if (message.number < 0) return unused;
  }
}

static void* receive_numbers(void* by_mq) {
  struct numbered message;
  for (long n = 0;; n++) {
    if (by_mq == NULL) {
      UNTIL_DONE(msgrcv(own_queue, &message, sizeof n, 0, 0));
    } else {
      UNTIL_DONE(mq_receive(own_mq, (char*)&message.number, sizeof n, NULL));
    }
    if (message.number < 0) return by_mq;
    CHECK_EQ(message.number, n);
  }
}

static void* lock(void* unused) {
  struct sembuf down = {0, -1, SEM_UNDO}, up = {0, 1, SEM_UNDO};
  int me = gettid();
  while (!is_over) {
    UNTIL_DONE(semop(set, &down, 1));
    __atomic_store_n(&board->owner, me, __ATOMIC_SEQ_CST);
    CHECK_OK(semctl(set, 0, GETVAL));
    CHECK_EQ(__atomic_load_n(&board->owner, __ATOMIC_SEQ_CST), me);
    UNTIL_DONE(semop(set, &up, 1));
  }
  return unused;
}

static void* attach(void* unused) {
  while (!is_over) {
    char* address = shmat(segment, NULL, 0);
    CHECK(address != (void*)-1);
    address[gettid() % 4096] = 1;
    CHECK_EQ(shmdt(address), 0);
  }
  return unused;
}

static void* jump(void* unused) {
  struct numbered message;
  /* Two that sleep, if nothing is there, and one that undoes what it did. */
  struct sembuf wait = {2, -1, 0}, change[2] = {{3, 1, SEM_UNDO}, {3, -1, SEM_UNDO}};
  for (volatile int n = 0; !is_over; n++) {
    message = (struct numbered){1, n};
    if (sigsetjmp(escape, 1) != 0) {
      __atomic_add_fetch(&board->jumps, 1, __ATOMIC_SEQ_CST);
      continue;
    }
    may_jump = true;
    switch (n % 5) {
      case 0: msgsnd(jump_queue, &message, sizeof message.number, IPC_NOWAIT); break;
      case 1: msgrcv(jump_queue, &message, sizeof message.number, 0, IPC_NOWAIT); break;
      case 2: msgrcv(jump_queue, &message, sizeof message.number, 77, 0); break;
      case 3: semop(set, &wait, 1); break;
      case 4: semop(set, change, 2); break;
    }
    may_jump = false;
  }
  may_jump = false;
  return unused;
}

static void* (*const kinds[])(void*) = {
    echo, send_numbers, receive_numbers, receive_numbers, lock, attach, jump};
enum { THREADS = sizeof kinds / sizeof kinds[0] };

static void rain(const pthread_t* threads, int signals) {
  unsigned seed = board->seed + getpid();
  for (int sent = 0; sent < signals;) {
    pthread_t to = threads[rand_r(&seed) % THREADS];
    int error = pthread_sigqueue(to, SIGRTMIN + sent % 2, (union sigval){sent});
    if (error == 0) sent++;
    if (error == EAGAIN || sent % BURST == 0) sched_yield();
    if (sent % 3 == 0) CHECK_EQ(pthread_kill(to, SIGUSR1), 0);
    CHECK_EQ(pthread_kill(threads[THREADS - 1], SIGUSR2), 0);
  }
}

/* One process: all threads, and as many signals for them. */
static void process(int signals) {
  pthread_t threads[THREADS];
  struct mq_attr room = {.mq_maxmsg = 3, .mq_msgsize = sizeof(long)};
  char name[32];
  snprintf(name, sizeof name, "/storm-%d", getpid());
  own_mq = CHECK_OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &room));
  CHECK_OK(mq_unlink(name));
  own_queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  jump_queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  struct msqid_ds small;
  CHECK_OK(msgctl(own_queue, IPC_STAT, &small));
  small.msg_qbytes = 4 * sizeof(long);
  CHECK_OK(msgctl(own_queue, IPC_SET, &small));
  for (int n = 0; n < THREADS; n++)
    CHECK_EQ(pthread_create(threads + n, NULL, kinds[n], n == 3 ? "mq" : NULL), 0);
  rain(threads, signals);
  while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) < signals) sleep_ms(1);
  is_over = true;
  for (int n = 0; n < THREADS - 1; n++) CHECK_EQ(pthread_join(threads[n], NULL), 0);
  /* It may be asleep for good. */
  int joined;
  while ((joined = pthread_tryjoin_np(threads[THREADS - 1], NULL)) == EBUSY) {
    pthread_kill(threads[THREADS - 1], SIGUSR2);
    sleep_ms(1);
  }
  CHECK_EQ(joined, 0);
  CHECK_EQ(handled, signals);
  CHECK_OK(msgctl(own_queue, IPC_STAT, &small));
  CHECK_EQ(small.msg_qnum, 0);
  CHECK_EQ(small.msg_cbytes, 0);
  CHECK_OK(msgctl(jump_queue, IPC_STAT, &small));
  CHECK_EQ(small.msg_cbytes, small.msg_qnum * sizeof(long));
  CHECK_OK(msgctl(own_queue, IPC_RMID, NULL));
  CHECK_OK(msgctl(jump_queue, IPC_RMID, NULL));
  __atomic_add_fetch(&board->signals, handled, __ATOMIC_SEQ_CST);
}

static pid_t start(int signals) {
  pid_t child = fork_child();
  if (child > 0) return child;
  process(signals);
  __atomic_add_fetch(&board->ended, 1, __ATOMIC_SEQ_CST);
  _exit(0);
}

int main(void) {
  board = shared_memory(sizeof *board);
  board->seed = (unsigned)time(NULL);
  printf("seed %u\n", board->seed);
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 4, 0600));
  segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  CHECK_OK(semctl(set, 0, SETVAL, 1));
  /* Nobody jumps out of the one that counts. */
  struct sigaction counting = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigemptyset(&counting.sa_mask);
  sigaddset(&counting.sa_mask, SIGUSR2);
  CHECK_OK(sigaction(SIGRTMIN, &counting, NULL));
  counting.sa_flags = SA_SIGINFO;
  CHECK_OK(sigaction(SIGRTMIN + 1, &counting, NULL));
  set_handler(SIGUSR1, on_plain, SA_RESTART);
  set_handler(SIGUSR2, on_jump, 0);

  pid_t children[PROCESSES];
  for (int n = 0; n < PROCESSES; n++) children[n] = start(SIGNALS);
  while (__atomic_load_n(&board->ended, __ATOMIC_SEQ_CST) < PROCESSES) {
    pid_t victim = start(INT_MAX);
    sleep_ms(10 + rand_r(&board->seed) % 40);
    KILL_CHILD(victim);
  }
  for (int n = 0; n < PROCESSES; n++) CHECK_CHILD(children[n]);
  CHECK_EQ(board->signals, PROCESSES * SIGNALS);
  CHECK(board->jumps > 0);

  CHECK_EQ(semctl(set, 0, GETVAL), 1);
  CHECK_EQ(semctl(set, 1, GETVAL), 0);
  CHECK_EQ(semctl(set, 2, GETVAL), 0);
  CHECK_EQ(semctl(set, 3, GETVAL), 0);
  for (int n = 0; n < 4; n++) {
    CHECK_EQ(semctl(set, n, GETNCNT), 0);
    CHECK_EQ(semctl(set, n, GETZCNT), 0);
  }
  struct shmid_ds ds;
  CHECK_OK(shmctl(segment, IPC_STAT, &ds));
  CHECK_EQ(ds.shm_nattch, 0);
  /* Of those that were killed between sending and receiving some are left, each whole. */
  struct numbered message;
  ssize_t size;
  while ((size = msgrcv(queue, &message, sizeof message.number, 0, IPC_NOWAIT)) >= 0)
    CHECK_EQ(size, sizeof message.number);
  int error = errno;
  CHECK_EQ(error, ENOMSG);
  CHECK_OK(msgctl(queue, IPC_RMID, NULL));
  CHECK_OK(semctl(set, 0, IPC_RMID));
  CHECK_OK(shmctl(segment, IPC_RMID, NULL));
}
