/*
 * Capabilities of a new user namespace hold in the IPC namespaces that are made in it, not in the
 * one that was there before.
 */
#include "ns_check.h"

enum { KEY = 0x6e55 };

static void expect_allowed(void) {
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0), 0);
  CHECK_EQ(msgget(KEY, 0600), 0);
  CHECK_EQ(msgctl(0, IPC_RMID, NULL), 0);
}

int main(void) {
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0), 0);
  if (msgget(KEY, 0600) != 0) SKIP("needs CAP_IPC_OWNER");
  int* stage = shared_memory(sizeof *stage);
  for (int together = 0; together < 2; together++) {
    pid_t child = fork_child();
    if (child == 0) {
      if (unshare(together ? CLONE_NEWUSER | CLONE_NEWIPC : CLONE_NEWUSER) != 0) {
        announce(stage, 9);
        _exit(0);
      }
      if (together == 0) {
        CHECK(has_capability(15));
        CHECK_ERRNO(msgget(KEY, 0600), EACCES);
        CHECK_EQ(unshare(CLONE_NEWIPC), 0);
      }
      expect_allowed();
      _exit(0);
    }
    CHECK_CHILD(child);
    if (*stage == 9) SKIP("no user namespaces here");
  }
  expect_allowed();
}
