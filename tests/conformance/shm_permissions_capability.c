/*
 * It is not uid 0 that passes the checks but its capabilities: CAP_IPC_OWNER for access,
 * CAP_SYS_ADMIN for IPC_SET and IPC_RMID, CAP_IPC_LOCK for SHM_LOCK, in the effective set at the
 * call. What is attached stays accessible.
 */
#include "shm_check.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { KEY = 0x10ef, OWNER = 10001, STRANGER = 10003 };

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
  if (!has_capability(CAP_IPC_OWNER) || !has_capability(CAP_SYS_ADMIN) ||
      !has_capability(CAP_IPC_LOCK))
    SKIP("needs CAP_IPC_OWNER, CAP_SYS_ADMIN and CAP_IPC_LOCK, to drop them");
  int* id = shared_memory(sizeof *id);
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, OWNER, 0);
    *id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0));
    CHECK_ERRNO(shmat(*id, NULL, SHM_RDONLY), EACCES);
    _exit(0);
  }
  CHECK_CHILD(owner);

  pid_t root = fork_child();
  if (root == 0) {
    struct shmid_ds ds = stat_segment(*id);
    char* p = ATTACH(*id);
    DETACH(SHMAT(*id, NULL, SHM_EXEC));
    set_effective(CAP_IPC_OWNER, false);
    CHECK_ERRNO(shmat(*id, NULL, SHM_RDONLY), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, 0400), EACCES);
    CHECK_ERRNO(shmctl(*id, IPC_STAT, &ds), EACCES);
    CHECK_STORE(p, 0);
    DETACH(p);
    CHECK_EQ(shmctl(*id, IPC_SET, &ds), 0);
    CHECK_EQ(shmctl(*id, SHM_LOCK, NULL), 0);
    set_effective(CAP_SYS_ADMIN, false);
    CHECK_ERRNO(shmctl(*id, IPC_SET, &ds), EPERM);
    CHECK_ERRNO(shmctl(*id, IPC_RMID, NULL), EPERM);
    CHECK_EQ(shmctl(*id, SHM_UNLOCK, NULL), 0);
    set_effective(CAP_IPC_LOCK, false);
    CHECK_ERRNO(shmctl(*id, SHM_LOCK, NULL), EPERM);
    CHECK_ERRNO(shmctl(*id, SHM_UNLOCK, NULL), EPERM);
    set_effective(CAP_IPC_OWNER, true);
    DETACH(ATTACH(*id));
    CHECK_ERRNO(shmctl(*id, IPC_RMID, NULL), EPERM);
    _exit(0);
  }
  CHECK_CHILD(root);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(shmat(*id, NULL, 0), EACCES);
    set_effective(CAP_IPC_OWNER, true);
    DETACH(ATTACH(*id));
    CHECK_ERRNO(shmctl(*id, SHM_LOCK, NULL), EPERM);
    CHECK_ERRNO(shmctl(*id, IPC_RMID, NULL), EPERM);
    set_effective(CAP_SYS_ADMIN, true);
    CHECK_EQ(shmctl(*id, IPC_RMID, NULL), 0);
    _exit(0);
  }
  CHECK_CHILD(stranger);
  CHECK_DESTROYED(*id);
}
