/*
 * clone(2) with CLONE_NEWIPC: the child begins in a namespace of its own, its parent stays.
 */
#include "ns_check.h"
#include <linux/sched.h>

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

/* The child moves on, and makes something everywhere. */
static int move_on(void* unused) {
  for (int n = 0; n < 5; n++) {
    MOVE_TO_NEW();
    first_queue(unused);
  }
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
  run(move_on, 0);
  run(move_on, CLONE_NEWIPC);
  CHECK_EQ(OWN_NAMESPACE(), (long long)own);
  static char stack[STACK];
  CHECK_ERRNO(clone(same_queue, stack + STACK, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, NULL),
              EINVAL);

  /* By number: the child returns. */
  pid_t child;
#if defined __x86_64__
  child = CHECK_OK(syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, NULL, NULL, NULL, NULL));
  if (child == 0) _exit(first_queue(NULL));
  CHECK_CHILD(child);
#endif

  /* With memory of its own, and with its parent's. */
  struct clone_args arguments = {.flags = CLONE_NEWIPC, .exit_signal = SIGCHLD};
  child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child >= 0 || errno != ENOSYS) {
    if (child == 0) _exit(first_queue(NULL));
    CHECK_CHILD(CHECK_OK(child));
    arguments.flags = 0;
    child = CHECK_OK(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (child == 0) _exit(same_queue(NULL));
    CHECK_CHILD(child);
    arguments.flags = CLONE_NEWIPC | CLONE_SYSVSEM;
    CHECK_ERRNO(syscall(SYS_clone3, &arguments, sizeof arguments), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone3, &arguments, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone3, (void*)1, sizeof arguments), EFAULT);
    CHECK_EQ(msgrcv(1, &(struct {
                      long type;
                      char text[4];
                    }){0},
                    4, 0, IPC_NOWAIT),
             4);
  }
  CHECK_EQ(msgget(KEY, 0), 1);
  struct msqid_ds status;
  CHECK_EQ(msgctl(1, IPC_STAT, &status), 0);
  CHECK_EQ(status.msg_qnum, 1);
}
