/*
 * A child of clone(2) with CLONE_VM, though a process of its own, shares the attachments: nattch is
 * not raised, either may detach, and they end with the last of the two. lpid is who did it.
 */
#include "shm_check.h"
#include <sched.h>

static int id;
static char* volatile parents, * volatile childs;
static int stage;

static int child_main(void* unused) {
  (void)unused;
  struct shmid_ds ds;
  if (shmctl(id, IPC_STAT, &ds) != 0 || ds.shm_nattch != 1) return 2;
  childs = shmat(id, NULL, 0);
  if (shmdt(parents) != 0) return 3;
  if (shmctl(id, IPC_STAT, &ds) != 0 || ds.shm_nattch != 1 || ds.shm_lpid != getpid()) return 4;
  strcpy(childs, "child");
  announce(&stage, 1);
  await(&stage, 2);
  return 0;
}

static int sleep_on(void* unused) {
  for (;;) pause();
  return unused != NULL;
}

int main(void) {
  static char stack[64 * 1024] __attribute__((aligned(16)));
  id = new_segment(100);
  parents = ATTACH(id);
  pid_t child = clone(child_main, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
  if (child < 0) FAIL("clone: expected a child, got %s", strerrorname_np(errno));
  check_children[0] = child;
  while (__atomic_load_n(&stage, __ATOMIC_SEQ_CST) != 1 && task_state(child) != 'Z') sleep_ms(1);
  CHECK_NATTCH(id, 1);
  CHECK_LPID(id, child);
  CHECK_ERRNO(shmdt(parents), EINVAL);
  if (childs) CHECK_TEXT(childs, "child");
  announce(&stage, 2);
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 1);
  DETACH(childs);
  CHECK_NATTCH(id, 0);
  CHECK_LPID(id, getpid());

  /* The one that lives longer keeps them: here the child of a process that has ended. */
  int* last = shared_memory(sizeof *last);
  pid_t middle = fork_child();
  if (middle == 0) {
    ATTACH(id);
    *last = clone(sleep_on, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    _exit(*last < 0);
  }
  CHECK_CHILD(middle);
  check_children[0] = *last;
  CHECK_NATTCH(id, 1);
  kill(*last, SIGKILL);
  while (stat_segment(id).shm_nattch != 0) sleep_ms(1);
  CHECK_LPID(id, *last);
  REMOVE_SEGMENT(id);
}
