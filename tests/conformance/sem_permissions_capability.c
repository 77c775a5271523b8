/*
 * It is not uid 0 that passes the checks but its capabilities: CAP_IPC_OWNER for access,
 * CAP_SYS_ADMIN for IPC_SET and IPC_RMID, in the effective set at the call.
 */
#include "sem_check.h"
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
    *id = CHECK_OK(semget(0x10d5, 1, IPC_CREAT | 0));
    CHECK_ERRNO(SEMOP(*id, {0, 1, 0}), EACCES);
    _exit(0);
  }
  CHECK_CHILD(owner);

  pid_t root = fork_child();
  if (root == 0) {
    struct semid_ds ds = stat_set(*id);
    CHECK_EQ(SEMOP(*id, {0, 1, SEM_UNDO}), 0);
    set_effective(CAP_IPC_OWNER, false);
    CHECK_ERRNO(SEMOP(*id, {0, 1, 0}), EACCES);
    CHECK_ERRNO(setval(*id, 0, 1), EACCES);
    CHECK_ERRNO(semctl(*id, 0, GETVAL), EACCES);
    CHECK_ERRNO(semget(0x10d5, 1, 0400), EACCES);
    CHECK_EQ(change_set(*id, &ds), 0);
    set_effective(CAP_SYS_ADMIN, false);
    CHECK_ERRNO(change_set(*id, &ds), EPERM);
    CHECK_ERRNO(semctl(*id, 0, IPC_RMID), EPERM);
    set_effective(CAP_IPC_OWNER, true);
    CHECK_VALUE(*id, 0, 1);
    CHECK_ERRNO(semctl(*id, 0, IPC_RMID), EPERM);
    _exit(0);
  }
  CHECK_CHILD(root);
  CHECK_VALUE(*id, 0, 0);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(SEMOP(*id, {0, 0, 0}), EACCES);
    set_effective(CAP_IPC_OWNER, true);
    CHECK_EQ(SEMOP(*id, {0, 0, 0}), 0);
    CHECK_ERRNO(semctl(*id, 0, IPC_RMID), EPERM);
    set_effective(CAP_SYS_ADMIN, true);
    REMOVE_SET(*id);
    _exit(0);
  }
  CHECK_CHILD(stranger);
}
