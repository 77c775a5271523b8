/*
 * A program that catches the overflow of its stack, on an alternate one, and goes on behind it; IPC
 * calls, and a pointer beyond the stack's end, before, in its handler and afterwards.
 */
#include "sig_check.h"
#include <sys/resource.h>

enum { ROUNDS = 3, STACK = 256 << 10 };

static struct sig_objects all;
static sigjmp_buf escape;
static volatile int overflows;
static char* lowest;

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)context;
  CHECK_EQ(number, SIGSEGV);
  CHECK((char*)info->si_addr < lowest && (char*)info->si_addr >= lowest - 4096);
  sig_bad_pointers(&all);
  overflows++;
  siglongjmp(escape, 1);
}

static int dig(volatile int depth) {
  volatile char room[512];
  room[0] = (char)depth;
  return depth == INT_MAX ? 0 : dig(depth + 1) + room[0];
}

static void* thread(void* unused) {
  stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16}, shown;
  CHECK_OK(sigaltstack(&stack, NULL));
  for (volatile int round = 0; round < ROUNDS; round++) {
    CHECK_ERRNO(msgsnd(all.queue, lowest - 8, 8, 0), EFAULT);
    if (sigsetjmp(escape, 1) == 0) dig(0);
    CHECK_EQ(overflows, round + 1);
    CHECK_OK(sigaltstack(NULL, &shown));
    CHECK_EQ(shown.ss_flags, 0);
    CHECK(!is_blocked(SIGSEGV));
    sig_bad_pointers(&all);
  }
  return unused;
}

int main(void) {
  pthread_attr_t attributes;
  pthread_t id;
  sig_open(&all);
  set_info_handler(SIGSEGV, on_fault, SA_ONSTACK);
  char* memory = mmap(NULL, STACK + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  lowest = memory + 4096;
  CHECK_OK(mprotect(lowest, STACK, PROT_READ | PROT_WRITE));
  CHECK_EQ(pthread_attr_init(&attributes), 0);
  CHECK_EQ(pthread_attr_setstack(&attributes, lowest, STACK), 0);
  CHECK_EQ(pthread_create(&id, &attributes, thread, NULL), 0);
  CHECK_EQ(pthread_join(id, NULL), 0);
  CHECK_EQ(overflows, ROUNDS);
  sig_remove(&all);
}
