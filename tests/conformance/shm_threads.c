/*
 * Threads share their process's attachments: any of them may detach what another has attached, the
 * end of a thread detaches nothing, lpid is the process. Many at a time lose none.
 */
#include "shm_check.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 200 };

static int id;
static char* mine;

static void* attach_one(void* unused) {
  (void)unused;
  return ATTACH(id);
}

static void* detach_one(void* address) {
  DETACH(address);
  return NULL;
}

static void* many(void* number) {
  char* kept[8];
  for (int i = 0; i < ROUNDS; i++) {
    for (int j = 0; j < 8; j++) {
      kept[j] = ATTACH(id);
      kept[j][(long)number] = (char)j;
    }
    for (int j = 0; j < 8; j++) DETACH(kept[j]);
  }
  return ATTACH(id);
}

int main(void) {
  id = new_segment(100);
  pthread_t threads[THREADS];
  void* addresses[THREADS];

  CHECK_EQ(pthread_create(&threads[0], NULL, attach_one, NULL), 0);
  CHECK_EQ(pthread_join(threads[0], (void**)&mine), 0);
  CHECK_NATTCH(id, 1);
  CHECK_LPID(id, getpid());
  strcpy(mine, "mine");
  CHECK_EQ(pthread_create(&threads[0], NULL, detach_one, mine), 0);
  CHECK_EQ(pthread_join(threads[0], NULL), 0);
  CHECK_NATTCH(id, 0);
  CHECK_LPID(id, getpid());
  CHECK_ERRNO(shmdt(mine), EINVAL);

  for (long i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, many, (void*)i), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], &addresses[i]), 0);
  CHECK_NATTCH(id, THREADS);
  CHECK_TEXT((char*)addresses[0], "\a\a\a\a");
  for (int i = 0; i < THREADS; i++) DETACH(addresses[i]);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
}
