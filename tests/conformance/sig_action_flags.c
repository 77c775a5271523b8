/*
 * SA_RESETHAND, SA_NODEFER, sa_mask and SA_ONSTACK mean for handlers that interrupt IPC calls,
 * running or blocked, what they mean elsewhere; and the information that comes with a signal is its
 * sender's.
 */
#include "sig_check.h"

static struct sig_objects all;
static volatile int runs, depth, deepest;
static char stack_room[1 << 15];
static volatile bool was_on_stack, stays_on_stack;
static siginfo_t last;

static void note(int number) {
  char here;
  (void)number;
  if (++depth > deepest) deepest = depth;
  was_on_stack = &here >= stack_room && &here < stack_room + sizeof stack_room;
  stack_t shown;
  CHECK_OK(sigaltstack(NULL, &shown));
  CHECK_EQ(shown.ss_flags & SS_ONSTACK, was_on_stack ? SS_ONSTACK : 0);
  sig_bad_pointers(&all);
  runs++;
  depth--;
}

static void again(int number) {
  if (++depth > deepest) deepest = depth;
  if (runs++ == 0) raise(number);
  depth--;
}

static void on_info(int number, siginfo_t* info, void* context) {
  (void)number;
  (void)context;
  last = *info;
  runs++;
}

static void semop_once(int signal_number, int code, void (*sends)(pid_t child, int number)) {
  pid_t child = fork_child();
  if (child == 0) {
    struct sembuf down = {0, -1, 0};
    runs = 0;
    CHECK_ERRNO(semop(all.set, &down, 1), EINTR);
    CHECK_EQ(runs, 1);
    CHECK_EQ(last.si_signo, signal_number);
    CHECK_EQ(last.si_pid, getppid());
    CHECK_EQ(last.si_code, code);
    if (code == SI_QUEUE) CHECK_EQ(last.si_value.sival_int, 4711);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  sends(child, signal_number);
  CHECK_CHILD(child);
}

static void by_kill(pid_t child, int number) { kill(child, number); }
static void by_queue(pid_t child, int number) {
  sigqueue(child, number, (union sigval){.sival_int = 4711});
}

static void one_shot(void) {
  struct sigaction shown;
  set_handler(SIGUSR1, note, (int)SA_RESETHAND | SA_RESTART);
  raise(SIGUSR1);
  CHECK_EQ(runs, 1);
  CHECK_OK(sigaction(SIGUSR1, NULL, &shown));
  CHECK(shown.sa_handler == SIG_DFL);
  raise(SIGUSR1); /* deadly */
}

static void nested(int flags, int want) {
  runs = deepest = 0;
  set_handler(SIGUSR1, again, flags);
  raise(SIGUSR1);
  CHECK_EQ(runs, 2);
  CHECK_EQ(deepest, want);
  runs = deepest = 0;
}

static void on_stacks(void) {
  stack_t stack = {.ss_sp = stack_room, .ss_size = sizeof stack_room}, shown;
  CHECK_OK(sigaltstack(&stack, NULL));
  set_handler(SIGUSR1, note, SA_ONSTACK);
  raise(SIGUSR1);
  CHECK(was_on_stack);
  set_handler(SIGUSR1, note, 0);
  raise(SIGUSR1);
  CHECK(!was_on_stack);
  CHECK_OK(sigaltstack(NULL, &shown));
  CHECK(shown.ss_sp == stack_room);
  CHECK_EQ(shown.ss_flags, 0);
  stack.ss_flags = SS_DISABLE;
  CHECK_OK(sigaltstack(&stack, NULL));
  sig_bad_pointers(&all);
}

/* A timer's signals tell which one it was, in the midst of running calls. */
static void by_timer(void) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3};
  const struct itimerspec soon = {{0, 300000}, {0, 300000}};
  event.sigev_value.sival_int = 815;
  set_info_handler(SIGRTMIN + 3, on_info, SA_RESTART);
  CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  runs = 0;
  CHECK_OK(timer_settime(timer, 0, &soon, NULL));
  while (runs < 200) {
    struct sembuf change = {0, 1, 0};
    CHECK_EQ(semop(all.set, &change, 1), 0);
    change.sem_op = -1;
    CHECK_EQ(semop(all.set, &change, 1), 0);
    if (runs == 0) continue;
    CHECK_EQ(last.si_code, SI_TIMER);
    CHECK_EQ(last.si_value.sival_int, 815);
    CHECK(last.si_overrun >= 0);
  }
  CHECK_OK(timer_delete(timer));
}

int main(void) {
  sig_open(&all);
  set_info_handler(SIGUSR1, on_info, SA_RESTART);
  set_info_handler(SIGRTMIN + 3, on_info, SA_RESTART);
  semop_once(SIGUSR1, SI_USER, by_kill);
  semop_once(SIGRTMIN + 3, SI_QUEUE, by_queue);
  CHECK_EQ(end_of_child(one_shot), -SIGUSR1);
  nested(0, 1);
  nested(SA_NODEFER, 2);
  on_stacks();
  by_timer();
  sig_remove(&all);
}
