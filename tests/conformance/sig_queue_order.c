/*
 * Real-time signals that are queued to a thread which is busy with IPC calls come each once, with
 * their values in the order in which they were sent, whatever they interrupt.
 */
#include "sig_check.h"
#include <sys/resource.h>

enum { SIGNALS = 6000, KINDS = 2 };

static struct sig_objects all;
static pthread_t worker;
static volatile int next[KINDS];
static volatile bool is_over;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)context;
  int kind = number - SIGRTMIN;
  CHECK_EQ(info->si_code, SI_QUEUE);
  CHECK_EQ(info->si_pid, getpid());
  CHECK_EQ(info->si_uid, getuid());
  CHECK_EQ(info->si_value.sival_int, next[kind]);
  next[kind]++;
  if (kind == 1) msgctl(all.queue, IPC_STAT, &(struct msqid_ds){0});
}

static void* work(void* unused) {
  struct sig_message message = {1, "text"};
  struct sembuf up = {0, 1, 0}, down = {0, -1, 0};
  while (!is_over) {
    CHECK_EQ(msgsnd(all.queue, &message, 5, 0), 0);
    CHECK_EQ(msgrcv(all.queue, &message, 5, 0, 0), 5);
    CHECK_EQ(semop(all.set, &up, 1), 0);
    CHECK_EQ(semop(all.set, &down, 1), 0);
    if (mq_send(all.mq, "mq", 3, 1) == 0) CHECK_EQ(mq_receive(all.mq, message.text, 64, NULL), 3);
  }
  return unused;
}

static void send(int kind, int value) {
  /* As many at once as the limit allows. */
  int error;
  while ((error = pthread_sigqueue(worker, SIGRTMIN + kind, (union sigval){value})) == EAGAIN)
    sched_yield();
  CHECK_EQ(error, 0);
}

int main(void) {
  const struct rlimit few = {10, 10};
  sig_open(&all);
  set_info_handler(SIGRTMIN, on_signal, SA_RESTART);
  set_info_handler(SIGRTMIN + 1, on_signal, SA_RESTART);
  CHECK_EQ(pthread_create(&worker, NULL, work, NULL), 0);
  for (int value = 0; value < SIGNALS; value++) {
    for (int kind = 0; kind < KINDS; kind++) send(kind, value);
    if (value % 16 == 0) sched_yield();
    /* From here on there is often no room for one more. */
    if (value == SIGNALS / 2) CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &few));
  }
  while (next[0] < SIGNALS || next[1] < SIGNALS) sleep_ms(1);
  is_over = true;
  CHECK_EQ(pthread_join(worker, NULL), 0);
  CHECK_EQ(next[0], SIGNALS);
  CHECK_EQ(next[1], SIGNALS);
  sig_remove(&all);
}
