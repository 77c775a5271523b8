/*
 * What a handler writes into its context counts when it returns, also if the signal came in the
 * midst of an IPC call; and a call that a handler leaves by siglongjmp() has happened or has not.
 */
#include "sig_check.h"
#include <sys/time.h>
#include <ucontext.h>

enum { ROUNDS = 300 };

static struct sig_objects all;
static volatile int runs;
static sigjmp_buf escape;

static void block_by_context(int number, siginfo_t* info, void* context) {
  (void)number;
  (void)info;
  ucontext_t* frame = context;
  if (sigismember(&frame->uc_sigmask, SIGUSR2)) return;
  sigaddset(&frame->uc_sigmask, SIGUSR2);
  runs++;
}

static void jump(int number) {
  runs++;
  siglongjmp(escape, number);
}

static void tick(long microseconds) {
  const struct itimerval every = {{0, microseconds}, {0, microseconds}};
  CHECK_OK(setitimer(ITIMER_REAL, &every, NULL));
}

static void make_calls(void) {
  struct sig_message message = {1, "text"};
  struct sembuf up = {0, 1, 0}, down = {0, -1, 0};
  CHECK_EQ(msgsnd(all.queue, &message, 5, 0), 0);
  CHECK_EQ(msgrcv(all.queue, &message, 5, 0, 0), 5);
  CHECK_EQ(semop(all.set, &up, 1), 0);
  CHECK_EQ(semop(all.set, &down, 1), 0);
}

static void edit(void) {
  set_info_handler(SIGALRM, block_by_context, 0);
  tick(500);
  for (int n = 0; n < ROUNDS; n++) {
    int before = runs;
    while (runs == before) make_calls();
    CHECK(is_blocked(SIGUSR2));
    set_mask(SIG_UNBLOCK, SIGUSR2);
  }
  tick(0);
}

static void leave(void) {
  runs = 0;
  set_handler(SIGALRM, jump, 0);
  while (runs < ROUNDS) {
    if (sigsetjmp(escape, 1) == 0) {
      tick(300);
      for (;;) make_calls();
    }
    tick(0);
    CHECK(!is_blocked(SIGALRM));
    /* At most one message is there, and it is whole. */
    struct sig_message message;
    struct msqid_ds ds;
    CHECK_OK(msgctl(all.queue, IPC_STAT, &ds));
    CHECK(ds.msg_qnum <= 1);
    CHECK_EQ(ds.msg_cbytes, ds.msg_qnum * 5);
    if (ds.msg_qnum == 1) CHECK_EQ(msgrcv(all.queue, &message, 64, 1, IPC_NOWAIT), 5);
    int value = CHECK_OK(semctl(all.set, 0, GETVAL));
    CHECK(value == 0 || value == 1);
    CHECK_OK(semctl(all.set, 0, SETVAL, 0));
  }
}

int main(void) {
  sig_open(&all);
  edit();
  leave();
  sig_bad_pointers(&all);
  sig_remove(&all);
}
