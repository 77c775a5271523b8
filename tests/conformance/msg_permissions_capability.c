/*
 * It is not uid 0 that passes the checks but its capabilities: CAP_IPC_OWNER for access,
 * CAP_SYS_ADMIN for IPC_SET and IPC_RMID, in the effective set at the call. And any user with the
 * capability passes.
 */
#include "msg_check.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { OWNER = 10001, STRANGER = 10003 };

static void set_effective(int capability, bool on) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  CHECK_EQ(syscall(SYS_capget, &header, data), 0);
  if (on)
    data[capability / 32].effective |= 1u << capability % 32;
  else
    data[capability / 32].effective &= ~(1u << capability % 32);
  CHECK_EQ(syscall(SYS_capset, &header, data), 0);
}

int main(void) {
  NEED_ROOT();
  if (!has_capability(CAP_IPC_OWNER) || !has_capability(CAP_SYS_ADMIN))
    SKIP("needs CAP_IPC_OWNER and CAP_SYS_ADMIN, to drop them");
  int* id = shared_memory(sizeof *id);
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, OWNER, 0);
    *id = CHECK_OK(msgget(0x10cb, IPC_CREAT | 0));
    _exit(0);
  }
  CHECK_CHILD(owner);

  pid_t root = fork_child();
  if (root == 0) {
    struct msqid_ds ds = stat_queue(*id);
    CHECK_SEND(*id, 1, "x");
    set_effective(CAP_IPC_OWNER, false);
    CHECK_ERRNO(send_sized(*id, 1, 1, 0), EACCES);
    CHECK_ERRNO(msgget(0x10cb, 0400), EACCES);
    CHECK_ERRNO(msgctl(*id, IPC_STAT, &ds), EACCES);
    CHECK_EQ(msgctl(*id, IPC_SET, &ds), 0);
    set_effective(CAP_SYS_ADMIN, false);
    CHECK_ERRNO(msgctl(*id, IPC_SET, &ds), EPERM);
    CHECK_ERRNO(msgctl(*id, IPC_RMID, NULL), EPERM);
    set_effective(CAP_IPC_OWNER, true);
    CHECK_RECV(*id, 0, IPC_NOWAIT, 1, "x");
    CHECK_ERRNO(msgctl(*id, IPC_RMID, NULL), EPERM);
    _exit(0);
  }
  CHECK_CHILD(root);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(send_sized(*id, 1, 1, 0), EACCES);
    set_effective(CAP_IPC_OWNER, true);
    CHECK_SEND(*id, 1, "y");
    CHECK_ERRNO(msgctl(*id, IPC_RMID, NULL), EPERM);
    set_effective(CAP_SYS_ADMIN, true);
    CHECK_EQ(msgctl(*id, IPC_RMID, NULL), 0);
    _exit(0);
  }
  CHECK_CHILD(stranger);
}
