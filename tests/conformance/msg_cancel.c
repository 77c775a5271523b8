/*
 * msgsnd() and msgrcv() are cancellation points: a blocked call ends and leaves the line, a pending
 * cancel acts before anything is sent or taken. msgget() and msgctl() are none.
 */
#include "msg_check.h"
#include <pthread.h>

static int id;
static int tid;

static void* blocked_receiver(void* unused) {
  struct message message;
  announce(&tid, gettid());
  msgrcv(id, &message, sizeof message.text, 0, 0);
  FAIL("msgrcv: expected the thread to be cancelled, it returned");
  return unused;
}

static void* blocked_sender(void* unused) {
  announce(&tid, gettid());
  send_sized(id, 2, 4, 0);
  FAIL("msgsnd: expected the thread to be cancelled, it returned");
  return unused;
}

static void* pending_receiver(void* unused) {
  struct message message;
  pthread_cancel(pthread_self());
  stat_queue(id);
  REMOVE_QUEUE(new_queue());
  msgrcv(id, &message, sizeof message.text, 0, 0);
  FAIL("msgrcv: expected the pending cancel to act, it returned");
  return unused;
}

static void* pending_sender(void* unused) {
  pthread_cancel(pthread_self());
  send_sized(id, 2, 1, 0);
  FAIL("msgsnd: expected the pending cancel to act, it returned");
  return unused;
}

static void* cancel_disabled(void* unused) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  pthread_cancel(pthread_self());
  CHECK_SEND(id, 3, "ok");
  CHECK_RECV(id, 3, 0, 3, "ok");
  return unused;
}

static void run(void* (*body)(void*), bool blocks, void* want) {
  pthread_t thread;
  void* result;
  tid = 0;
  CHECK_EQ(pthread_create(&thread, NULL, body, NULL), 0);
  if (blocks) {
    while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
    PAUSE_UNTIL_BLOCKED(tid);
    CHECK_EQ(pthread_cancel(thread), 0);
  }
  CHECK_EQ(pthread_join(thread, &result), 0);
  CHECK(result == want);
}

int main(void) {
  id = new_queue();
  set_qbytes(id, 4);
  run(blocked_receiver, true, PTHREAD_CANCELED);
  CHECK_SEND(id, 1, "kept");
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  run(pending_receiver, false, PTHREAD_CANCELED);
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  run(blocked_sender, true, PTHREAD_CANCELED);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "kept");
  run(pending_sender, false, PTHREAD_CANCELED);
  CHECK_NOTHING(id, 0);
  run(cancel_disabled, false, NULL);
  REMOVE_QUEUE(id);
}
