/*
 * Threads that come and go, 20,000 of them, each with calls of all kinds: by return, by
 * pthread_exit, cancelled while they wait, detached. Nothing of them stays: no waiter, no memory.
 */
#include "process_check.h"
#include <pthread.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { ROUNDS = 100, POOL = 200, TYPES = 4 };

struct text {
  long type;
  char text[8];
};

static int queue, set, segment, never;

static void use_all(void) {
  struct text text = {1 + gettid(), "x"};
  CHECK_EQ(msgsnd(queue, &text, sizeof text.text, 0), 0);
  CHECK_EQ(msgrcv(queue, &text, sizeof text.text, text.type, 0), (int)sizeof text.text);
  struct sembuf operations[] = {{0, 1, 0}, {0, -1, 0}};
  CHECK_EQ(semop(set, operations, 2), 0);
  int* attached = shmat(segment, NULL, 0);
  CHECK(attached != (void*)-1);
  __atomic_fetch_add(attached, 1, __ATOMIC_SEQ_CST);
  CHECK_EQ(shmdt(attached), 0);
}

static void* run(void* number) {
  long way = (long)number % TYPES;
  use_all();
  if (way == 1) pthread_exit(NULL);
  if (way == 2) {
    struct text text;
    msgrcv(never, &text, sizeof text.text, 0, 0);
    FAIL("msgrcv: expected to be cancelled, it returned");
  }
  return NULL;
}

static long kilobytes(void) {
  char text[4096];
  read_text("/proc/self/status", text, sizeof text);
  long value = -1;
  const char* line = strstr(text, "\nVmRSS:");
  CHECK(line != NULL && sscanf(line, "\nVmRSS: %ld", &value) == 1);
  return value;
}

static long mappings(void) {
  FILE* maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  long lines = 0;
  for (int c; (c = fgetc(maps)) != EOF;) lines += c == '\n';
  fclose(maps);
  return lines;
}

static void one_round(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  pthread_t threads[POOL];
  int detached = 0;
  for (long i = 0; i < POOL; i++) {
    CHECK_EQ(pthread_create(&threads[i], &attributes, run, (void*)i), 0);
    if (i % TYPES == 3) CHECK_EQ((detached++, pthread_detach(threads[i])), 0);
    if (i % TYPES == 2) CHECK_EQ(pthread_cancel(threads[i]), 0);
  }
  for (long i = 0; i < POOL; i++) {
    if (i % TYPES != 3) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  }
  pthread_attr_destroy(&attributes);
}

int main(void) {
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  never = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
  segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  int* count = shmat(segment, NULL, 0);
  CHECK(count != (void*)-1);
  for (int i = 0; i < 10; i++) one_round();
  const long memory = kilobytes(), pieces = mappings();
  for (int i = 10; i < ROUNDS; i++) one_round();
  /* Detached ones may be at their end still. Cancelled ones may not have come to it. */
  for (int i = 0; i < 1000 && __atomic_load_n(count, __ATOMIC_SEQ_CST) < ROUNDS * POOL / 2; i++)
    sleep_ms(1);
  struct shmid_ds state;
  do {
    sleep_ms(1);
    CHECK_EQ(shmctl(segment, IPC_STAT, &state), 0);
  } while (state.shm_nattch != 1);
  if (kilobytes() > memory + 4096) FAIL("memory: %ld KiB became %ld", memory, kilobytes());
  /* Stacks are kept for later threads, and those of a round may overlap the next. */
  if (mappings() > pieces + 4 * POOL) FAIL("mappings: %ld became %ld", pieces, mappings());
  struct msqid_ds messages;
  CHECK_EQ(msgctl(never, IPC_STAT, &messages), 0);
  CHECK_EQ(messages.msg_qnum, 0);
}
