#include "namespace.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool write_file(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_fine = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  return is_fine;
}

bool namespace_enter_fresh(bool* needed_user_namespace) {
  char uid_map[48];
  char gid_map[48];
  const unsigned uid = geteuid();
  const unsigned gid = getegid();
  *needed_user_namespace = false;
  if (unshare(CLONE_NEWIPC) == 0) return true;
  *needed_user_namespace = true;
  snprintf(uid_map, sizeof(uid_map), "%u %u 1", uid, uid);
  snprintf(gid_map, sizeof(gid_map), "%u %u 1", gid, gid);
  return unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0 && write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", uid_map) && write_file("/proc/self/gid_map", gid_map);
}

bool namespace_drop_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) return false;
  // A worker needs this one to raise its priority; no IPC call looks at it.
  const unsigned kept = sets[0].permitted & (1U << CAP_SYS_NICE);
  memset(sets, 0, sizeof(sets));
  sets[0].permitted = sets[0].effective = kept;
  // Or root would have them all again after exec.
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_capset, &header, sets) == 0;
}
