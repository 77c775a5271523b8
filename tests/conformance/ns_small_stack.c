/*
 * Handlers on a stack of the usual 8 KiB: that of SIGCHLD waits for a child that was killed in a
 * namespace of its own, that of SIGUSR1 ends a process that is the last in one.
 */
#include "ns_check.h"
#include <signal.h>

enum { STACK = 8192, STATUS = 5 };

static volatile sig_atomic_t reaped;

static void reap(int signal) {
  (void)signal;
  reaped = wait(NULL) > 0;
}

static void end(int signal) {
  (void)signal;
  _exit(STATUS);
}

/* With a page below that must not be met. */
static void use_small_stack(void) {
  long page = sysconf(_SC_PAGESIZE);
  char* memory =
      mmap(NULL, page + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  CHECK_OK(mprotect(memory, page, PROT_NONE));
  stack_t stack = {.ss_sp = memory + page, .ss_size = STACK};
  CHECK_OK(sigaltstack(&stack, NULL));
}

static void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
  CHECK_OK(sigaction(signal, &action, NULL));
}

int main(void) {
  MOVE_TO_NEW();
  use_small_stack();
  handle(SIGCHLD, reap);
  pid_t killed = fork();
  CHECK(killed >= 0);
  if (killed == 0) {
    CHECK_EQ(unshare(CLONE_NEWIPC), 0);
    kill(getpid(), SIGKILL);
  }
  for (int n = 0; n < 1000 && !reaped; n++) sleep_ms(5);
  CHECK(reaped);

  CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
  pid_t last = fork();
  CHECK(last >= 0);
  if (last == 0) {
    CHECK_EQ(unshare(CLONE_NEWIPC), 0);
    handle(SIGUSR1, end);
    CHECK_OK(raise(SIGUSR1));
  }
  int status;
  CHECK_EQ(waitpid(last, &status, 0), last);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == STATUS);
}
