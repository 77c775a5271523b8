/*
 * What one process stores another loads, at whatever address each has it: atomic counters lose
 * nothing, plain data is there once a flag says so, between processes that attached on their own.
 */
#include "shm_check.h"

enum { PROCESSES = 4, ROUNDS = 20000 };

struct shared {
  unsigned long count, turns[PROCESSES];
  int turn;
  char text[64];
};

int main(void) {
  int id = new_segment(sizeof(struct shared));
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork_child();
    if (children[i] == 0) {
      /* Each at another address. */
      mmap(NULL, pages(1 + i), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      struct shared* shared = (struct shared*)ATTACH(id);
      for (int n = 0; n < ROUNDS; n++) {
        __atomic_add_fetch(&shared->count, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&shared->turns[n % PROCESSES], 1, __ATOMIC_RELAXED);
      }
      await(&shared->turn, i);
      char text[64];
      snprintf(text, sizeof text, "from %d", i - 1);
      if (i > 0) CHECK_TEXT(shared->text, text);
      snprintf(shared->text, sizeof shared->text, "from %d", i);
      announce(&shared->turn, i + 1);
      _exit(0);
    }
  }
  for (int i = 0; i < PROCESSES; i++) CHECK_CHILD(children[i]);
  struct shared* shared = (struct shared*)ATTACH(id);
  CHECK_EQ(shared->count, PROCESSES * ROUNDS);
  for (int i = 0; i < PROCESSES; i++) CHECK_EQ(shared->turns[i], ROUNDS);
  CHECK_TEXT(shared->text, "from 3");
  DETACH(shared);
  REMOVE_SEGMENT(id);
}
