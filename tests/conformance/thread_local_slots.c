/*
 * Thread-local storage serves one thread after the other, and destructors of a thread's values make
 * IPC calls at its very end, in each of their rounds.
 */
#include "process_check.h"
#include <pthread.h>

enum { THREADS = 300, KEYS = 100 };

struct text {
  long type;
  char text[8];
};

static int queue;
static pthread_key_t keys[KEYS];
static __thread int calls;

static void at_end(void* value) {
  struct text text = {1, "d"};
  CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
  /* Once more, in the next round. */
  if ((long)value > 1) CHECK_EQ(pthread_setspecific(keys[0], (void*)((long)value - 1)), 0);
}

static void* run(void* unused) {
  CHECK_EQ(calls, 0);
  calls = 1;
  for (int i = 0; i < KEYS; i++) CHECK(pthread_getspecific(keys[i]) == NULL);
  struct text text = {2, "t"};
  CHECK_EQ(msgsnd(queue, &text, 1, 0), 0);
  CHECK_EQ(msgrcv(queue, &text, 1, 2, 0), 1);
  CHECK_EQ(pthread_setspecific(keys[0], (void*)2), 0);
  CHECK_EQ(pthread_setspecific(keys[KEYS - 1], (void*)1), 0);
  return unused;
}

/* The first call of such a thread is that of its destructor. */
static void* run_without_call(void* unused) {
  CHECK_EQ(pthread_setspecific(keys[KEYS / 2], (void*)1), 0);
  return unused;
}

int main(void) {
  queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  for (int i = 0; i < KEYS; i++) CHECK_EQ(pthread_key_create(&keys[i], at_end), 0);
  struct text text;
  for (int i = 0; i < THREADS; i++) {
    pthread_t threads[2];
    CHECK_EQ(pthread_create(&threads[0], NULL, run, NULL), 0);
    CHECK_EQ(pthread_create(&threads[1], NULL, run_without_call, NULL), 0);
    for (int j = 0; j < 2; j++) CHECK_EQ(pthread_join(threads[j], NULL), 0);
    for (int j = 0; j < 4; j++) CHECK_EQ(msgrcv(queue, &text, 1, 1, IPC_NOWAIT), 1);
    CHECK_ERRNO(msgrcv(queue, &text, 1, 0, IPC_NOWAIT), ENOMSG);
  }
}
