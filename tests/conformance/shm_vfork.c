/*
 * A child of vfork() runs in its parent's memory: nattch stays as it is, an attachment that it
 * makes is its parent's, and so is one that it detaches. Its exec and its end detach nothing.
 */
#include "shm_check.h"

static char* volatile attached, * volatile before;
static volatile int failed;

int main(int argc, char** argv) {
  if (argc == 2) {
    CHECK_NATTCH(atoi(argv[1]), 2);
    _exit(0);
  }
  int id = new_segment(100);
  before = ATTACH(id);
  char* first = ATTACH(id);
  CHECK_NATTCH(id, 2);

  pid_t child = vfork();
  if (child == 0) {
    struct shmid_ds ds;
    if (shmctl(id, IPC_STAT, &ds) != 0 || ds.shm_nattch != 2) failed = 1;
    attached = shmat(id, NULL, 0);
    if (shmdt(before) != 0) failed = 2;
    if (shmctl(id, IPC_STAT, &ds) != 0 || ds.shm_nattch != 2 || ds.shm_lpid != getpid()) failed = 3;
    strcpy(attached, "child");
    _exit(0);
  }
  CHECK_EQ(waitpid(child, NULL, 0), child);
  CHECK_EQ(failed, 0);
  CHECK_NATTCH(id, 2);
  CHECK_LPID(id, child);
  CHECK_TEXT(attached, "child");
  CHECK_TEXT(first, "child");
  CHECK_ERRNO(shmdt(before), EINVAL);
  DETACH(attached);
  ATTACH(id);

  char text[16];
  snprintf(text, sizeof text, "%d", id);
  char* const arguments[] = {argv[0], text, NULL};
  child = vfork();
  if (child == 0) {
    execv("/proc/self/exe", arguments);
    _exit(1);
  }
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 2);
  CHECK_LPID(id, getpid());
  REMOVE_SEGMENT(id);
}
