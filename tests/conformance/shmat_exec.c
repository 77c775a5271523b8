/*
 * SHM_EXEC attaches for execution, too, also with SHM_RDONLY. Without it code in a segment does not
 * run: SIGSEGV, and mprotect() may give the right later.
 */
#include "shm_check.h"

/* What the code of `ret` in this memory does when called. */
static int signal_of_call(void* code) {
  struct sigaction action = {.sa_handler = on_bad_access}, segv;
  sigaction(SIGSEGV, &action, &segv);
  int signal_number = sigsetjmp(access_failed, 1);
  if (signal_number == 0) ((void (*)(void))code)();
  sigaction(SIGSEGV, &segv, NULL);
  return signal_number;
}

int main(void) {
#ifndef __x86_64__
  SKIP("code of x86-64");
#else
  int id = CHECK_OK(shmget(IPC_PRIVATE, 1, 0700));
  char* data = ATTACH(id);
  *data = (char)0xc3;
  CHECK_EQ(signal_of_call(data), SIGSEGV);
  char* code = SHMAT(id, NULL, SHM_EXEC);
  CHECK_EQ(signal_of_call(code), 0);
  CHECK_STORE(code, 0);
  char* only = SHMAT(id, NULL, SHM_EXEC | SHM_RDONLY);
  CHECK_EQ(signal_of_call(only), 0);
  CHECK_STORE(only, SIGSEGV);
  CHECK_NATTCH(id, 3);

  CHECK_EQ(mprotect(code, pages(1), PROT_READ), 0);
  CHECK_EQ(signal_of_call(code), SIGSEGV);
  CHECK_EQ(mprotect(data, pages(1), PROT_READ | PROT_EXEC), 0);
  CHECK_EQ(signal_of_call(data), 0);
  DETACH(data);
  DETACH(code);
  DETACH(only);
  REMOVE_SEGMENT(id);
#endif
}
