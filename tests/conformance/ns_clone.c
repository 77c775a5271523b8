/*
 * clone(2) with CLONE_NEWIPC: the child begins in a namespace of its own, its parent stays.
 */
#include "ns_check.h"

enum { KEY = 0x6e53, STACK = 65536 };

static int first_queue(void* context) {
  (void)context;
  memset(check_children, 0, sizeof check_children);
  CHECK_ERRNO(msgget(KEY, 0), ENOENT);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
  CHECK_EQ(msgsnd(0, &(struct {
                    long type;
                    char text[4];
                  }){1, "abc"},
                  4, 0),
           0);
  return 0;
}

static int same_queue(void* context) {
  (void)context;
  CHECK_EQ(msgget(KEY, 0), 1);
  CHECK_EQ(msgsnd(1, &(struct {
                    long type;
                    char text[4];
                  }){1, "abc"},
                  4, 0),
           0);
  return 0;
}

static void run(int (*function)(void*), int flags) {
  static char stack[STACK] __attribute__((aligned(16)));
  pid_t child = clone(function, stack + STACK, flags | SIGCHLD, NULL);
  if (child < 0 && errno == EPERM) SKIP("needs the right to make an IPC namespace");
  CHECK_OK(child);
  CHECK_CHILD(child);
}

int main(void) {
  CHECK_EQ(msgget(IPC_PRIVATE, 0600), 0);
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 1);
  unsigned long own = OWN_NAMESPACE();
  run(first_queue, CLONE_NEWIPC);
  run(first_queue, CLONE_NEWIPC | CLONE_NEWUTS);
  run(first_queue, CLONE_NEWIPC | CLONE_VM | CLONE_VFORK);
  run(same_queue, 0);
  CHECK_EQ(OWN_NAMESPACE(), (long long)own);
  static char stack[STACK];
  CHECK_ERRNO(clone(same_queue, stack + STACK, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, NULL),
              EINVAL);

  /* By number: the child returns. */
#if defined __x86_64__
  pid_t child = CHECK_OK(syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, NULL, NULL, NULL, NULL));
  if (child == 0) _exit(first_queue(NULL));
  CHECK_CHILD(child);
#endif
  CHECK_EQ(msgget(KEY, 0), 1);
  struct msqid_ds status;
  CHECK_EQ(msgctl(1, IPC_STAT, &status), 0);
  CHECK_EQ(status.msg_qnum, 1);
}
