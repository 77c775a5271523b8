/*
 * Threads that send and receive over one descriptor at the same time lose no message and get none
 * twice; each sender's messages of one priority come out in its order.
 */
#include "mq_check.h"
#include <pthread.h>

enum { SENDERS = 3, RECEIVERS = 3, EACH = 500 };

static mqd_t mq;
static int seen[SENDERS][EACH];

static void* send_all(void* sender) {
  for (int i = 0; i < EACH; i++) {
    int message[2] = {(int)(long)sender, i};
    CHECK_EQ(mq_send(mq, (char*)message, sizeof message, i % 3), 0);
  }
  return NULL;
}

static void* receive_all(void* unused) {
  int last[SENDERS][3];
  memset(last, -1, sizeof last);
  for (;;) {
    int message[2];
    unsigned priority;
    CHECK_EQ(mq_receive(mq, (char*)message, sizeof message, &priority), sizeof message);
    if (message[0] < 0) return unused;
    CHECK_EQ(priority, message[1] % 3);
    CHECK(last[message[0]][priority] < message[1]);
    last[message[0]][priority] = message[1];
    __atomic_fetch_add(&seen[message[0]][message[1]], 1, __ATOMIC_SEQ_CST);
  }
}

int main(void) {
  pthread_t senders[SENDERS], receivers[RECEIVERS];
  mq = NEW_QUEUE("/q", 4, 8);
  for (long i = 0; i < RECEIVERS; i++)
    CHECK_EQ(pthread_create(&receivers[i], NULL, receive_all, NULL), 0);
  for (long i = 0; i < SENDERS; i++)
    CHECK_EQ(pthread_create(&senders[i], NULL, send_all, (void*)i), 0);
  for (int i = 0; i < SENDERS; i++) CHECK_EQ(pthread_join(senders[i], NULL), 0);
  const int end[2] = {-1, 0};
  for (int i = 0; i < RECEIVERS; i++) CHECK_EQ(mq_send(mq, (const char*)end, sizeof end, 0), 0);
  for (int i = 0; i < RECEIVERS; i++) CHECK_EQ(pthread_join(receivers[i], NULL), 0);
  for (int i = 0; i < SENDERS; i++)
    for (int n = 0; n < EACH; n++) CHECK_EQ(seen[i][n], 1);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
