/*
 * Threads of one process on one queue: each message is received once, and each sender's messages in
 * its order.
 */
#include "msg_check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { PAIRS = 3, MESSAGES = 300 };

static int id;
static atomic_int received[PAIRS * MESSAGES];

/* Types 1..PAIRS are the senders. */
static void* sender(void* number) {
  struct message message = {.type = 1 + (long)number};
  for (int n = 0; n < MESSAGES; n++) {
    memcpy(message.text, &n, sizeof n);
    CHECK_EQ(msgsnd(id, &message, sizeof n, 0), 0);
  }
  return NULL;
}

static void* receiver(void* unused) {
  int last[PAIRS] = {-1, -1, -1};
  for (int i = 0; i < MESSAGES; i++) {
    struct message message;
    int n;
    CHECK_EQ(msgrcv(id, &message, sizeof message.text, 0, 0), sizeof n);
    memcpy(&n, message.text, sizeof n);
    CHECK(message.type >= 1 && message.type <= PAIRS && n >= 0 && n < MESSAGES);
    CHECK(n > last[message.type - 1]);
    last[message.type - 1] = n;
    received[(message.type - 1) * MESSAGES + n]++;
  }
  return unused;
}

int main(void) {
  pthread_t threads[2 * PAIRS];
  id = new_queue();
  set_qbytes(id, 40);
  for (long i = 0; i < PAIRS; i++) {
    CHECK_EQ(pthread_create(&threads[i], NULL, sender, (void*)i), 0);
    CHECK_EQ(pthread_create(&threads[PAIRS + i], NULL, receiver, NULL), 0);
  }
  for (int i = 0; i < 2 * PAIRS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);

  for (int i = 0; i < PAIRS * MESSAGES; i++) CHECK_EQ(received[i], 1);
  CHECK_EQ(stat_queue(id).msg_qnum, 0);
  CHECK_EQ(stat_queue(id).msg_lspid, getpid());
  REMOVE_QUEUE(id);
}
