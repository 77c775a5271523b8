/*
 * A program with a SIGSEGV handler of its own, on an alternate stack, that makes its guarded memory
 * accessible: it gets its faults and no others, and is not asked when a call meets such memory.
 */
#include "sig_check.h"

static struct sig_objects all;
static char* guarded;
static volatile int faults;
static char stack_room[1 << 16];

static bool is_on_stack(const void* address) {
  return (const char*)address >= stack_room &&
         (const char*)address < stack_room + sizeof stack_room;
}

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)context;
  char here;
  CHECK_EQ(number, SIGSEGV);
  CHECK_EQ(info->si_code, SEGV_ACCERR);
  CHECK((char*)info->si_addr == guarded + 100);
  CHECK(is_on_stack(&here));
  faults++;
  CHECK_OK(mprotect(guarded, 4096, PROT_READ | PROT_WRITE));
}

static void check_shown(void) {
  struct sigaction shown;
  CHECK_OK(sigaction(SIGSEGV, NULL, &shown));
  CHECK(shown.sa_sigaction == on_fault);
  CHECK_EQ(shown.sa_flags & (SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART),
           SA_SIGINFO | SA_ONSTACK);
  CHECK(sigismember(&shown.sa_mask, SIGUSR1));
  CHECK(!sigismember(&shown.sa_mask, SIGUSR2));
  CHECK(!sigismember(&shown.sa_mask, SIGBUS));
}

int main(void) {
  stack_t stack = {.ss_sp = stack_room, .ss_size = sizeof stack_room};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1);
  CHECK_OK(sigaltstack(&stack, NULL));
  CHECK_OK(sigaction(SIGSEGV, &action, NULL));
  sig_open(&all);
  check_shown();
  guarded = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(guarded != MAP_FAILED);
  for (int round = 1; round <= 3; round++) {
    /* The kernel does not ask the program whether it would give access. */
    CHECK_ERRNO(msgsnd(all.queue, guarded, 8, 0), EFAULT);
    CHECK_ERRNO(semop(all.set, (struct sembuf*)guarded, 1), EFAULT);
    CHECK_ERRNO(mq_send(all.mq, guarded, 8, 0), EFAULT);
    CHECK_EQ(faults, round - 1);
    *(volatile char*)(guarded + 100) = 1;
    CHECK_EQ(faults, round);
    sig_bad_pointers(&all);
    CHECK_EQ(faults, round);
    struct sig_message* message = (struct sig_message*)guarded;
    message->type = 1;
    CHECK_EQ(msgsnd(all.queue, message, 8, 0), 0);
    CHECK_EQ(msgrcv(all.queue, message, 8, 0, 0), 8);
    CHECK_OK(mprotect(guarded, 4096, PROT_READ));
    CHECK_EQ(msgsnd(all.queue, message, 8, 0), 0);
    CHECK_ERRNO(msgrcv(all.queue, message, 8, 0, 0), EFAULT);
    CHECK_OK(mprotect(guarded, 4096, PROT_NONE));
  }
  check_shown();
  sig_remove(&all);
}
