/*
 * cpid and lpid are told in the reader's PID namespace, 0 when the process is not visible there;
 * also in /proc/sysvipc/shm, though the /proc is another namespace's.
 */
#include "shm_check.h"
#include <sched.h>

static void check_in_proc(int id, pid_t cpid, pid_t lpid) {
  char text[4096];
  read_text("/proc/sysvipc/shm", text, sizeof text);
  for (char* line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
    int got[3];
    CHECK_EQ(sscanf(line, "%*d %d %*o %*u %d %d", &got[0], &got[1], &got[2]), 3);
    if (got[0] != id) continue;
    CHECK_EQ(got[1], cpid);
    CHECK_EQ(got[2], lpid);
    return;
  }
  FAIL("segment %d: expected its line", id);
}

int main(void) {
  int id = new_segment(100);
  char* p = ATTACH(id);
  pid_t self = getpid();
  if (unshare(CLONE_NEWPID) != 0) SKIP("needs the right to make a PID namespace");

  int* made = shared_memory(sizeof *made);
  pid_t inside = fork_child();
  if (inside == 0) {
    CHECK_EQ(getpid(), 1);
    CHECK_EQ(stat_segment(id).shm_cpid, 0);
    CHECK_LPID(id, 0);
    check_in_proc(id, 0, 0);
    DETACH(p);
    CHECK_LPID(id, 1);
    check_in_proc(id, 0, 1);
    *made = new_segment(1);
    CHECK_EQ(stat_segment(*made).shm_cpid, 1);
    pid_t child = fork_child();
    if (child == 0) {
      ATTACH(*made);
      _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_LPID(*made, child);
    _exit(0);
  }
  CHECK_CHILD(inside);
  CHECK_EQ(stat_segment(id).shm_cpid, self);
  CHECK_LPID(id, inside);
  check_in_proc(id, self, inside);
  CHECK_EQ(stat_segment(*made).shm_cpid, inside);
  int grandchild = stat_segment(*made).shm_lpid;
  CHECK(grandchild != 0 && grandchild != inside);
  DETACH(p);
  REMOVE_SEGMENT(id);
  REMOVE_SEGMENT(*made);
}
