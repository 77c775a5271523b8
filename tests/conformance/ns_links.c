/*
 * /proc/PID/ns/ipc: a symbolic link to a file whose number is the namespace's, the same for all
 * processes in it, another one for each namespace; an open one is a file that can't be read or
 * written, and tells its type.
 */
#include "ns_check.h"
#include <linux/nsfs.h>
#include <sys/ioctl.h>

static unsigned long inode_at(const char* path) {
  struct stat status;
  CHECK_EQ(stat(path, &status), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0444);
  CHECK_EQ(status.st_nlink, 1);
  CHECK_EQ(status.st_size, 0);
  CHECK_EQ(status.st_uid, 0);
  return status.st_ino;
}

static void check_same_device(const char* path, const char* other) {
  struct stat a, b;
  CHECK_EQ(stat(path, &a), 0);
  CHECK_EQ(stat(other, &b), 0);
  CHECK_EQ(a.st_dev, b.st_dev);
}

int main(void) {
  char path[64], text[64];
  unsigned long number = OWN_NAMESPACE();
  CHECK_EQ(inode_at("/proc/self/ns/ipc"), (long long)number);
  CHECK_EQ(NAMESPACE_OF("/proc/thread-self/ns/ipc"), (long long)number);
  snprintf(path, sizeof path, "/proc/%d/ns/ipc", getpid());
  CHECK_EQ(NAMESPACE_OF(path), (long long)number);
  CHECK_EQ(inode_at(path), (long long)number);
  snprintf(path, sizeof path, "/proc/%d/task/%d/ns/ipc", getpid(), getpid());
  CHECK_EQ(NAMESPACE_OF(path), (long long)number);
  check_same_device("/proc/self/ns/ipc", "/proc/self/ns/mnt");

  /* From a folder's descriptor, and from the current folder. */
  int folder = CHECK_OK(open("/proc/self", O_RDONLY | O_DIRECTORY));
  struct stat status;
  CHECK_EQ(fstatat(folder, "ns/ipc", &status, 0), 0);
  CHECK_EQ(status.st_ino, (long long)number);
  CHECK_EQ(fstatat(folder, "ns/ipc", &status, AT_SYMLINK_NOFOLLOW), 0);
  CHECK(S_ISLNK(status.st_mode));
  CHECK_EQ(lstat("/proc/self/ns/ipc", &status), 0);
  CHECK(S_ISLNK(status.st_mode));
  int opened = CHECK_OK(openat(folder, "ns/ipc", O_RDONLY));
  CHECK_EQ(fstat(opened, &status), 0);
  CHECK_EQ(status.st_ino, (long long)number);
  CHECK_EQ(status.st_mode, S_IFREG | 0444);
  CHECK_EQ(chdir("/proc/self/ns"), 0);
  CHECK_EQ(NAMESPACE_OF("ipc"), (long long)number);
  CHECK_EQ(NAMESPACE_OF("../ns/ipc"), (long long)number);
  CHECK_EQ(chdir("/"), 0);

  /* What readlink(2) cuts off; what an open one's own link says. */
  CHECK_EQ(readlink("/proc/self/ns/ipc", text, 5), 5);
  CHECK_EQ(memcmp(text, "ipc:[", 5), 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", opened);
  CHECK_EQ(NAMESPACE_OF(path), (long long)number);

  CHECK_EQ(ioctl(opened, NS_GET_NSTYPE), CLONE_NEWIPC);
  CHECK_ERRNO(ioctl(opened, NS_GET_PARENT), EINVAL);
  CHECK_ERRNO(ioctl(opened, NS_GET_OWNER_UID, text), EINVAL);
  int owner = CHECK_OK(ioctl(opened, NS_GET_USERNS));
  CHECK_EQ(ioctl(owner, NS_GET_NSTYPE), CLONE_NEWUSER);
  close(owner);

  CHECK_ERRNO(open("/proc/self/ns/ipc", O_RDONLY | O_DIRECTORY), ENOTDIR);
  CHECK_ERRNO(open("/proc/self/ns/ipc/", O_RDONLY), ENOTDIR);
  CHECK_ERRNO(open("/proc/self/ns/ipc", O_CREAT | O_EXCL | O_RDONLY, 0600), EEXIST);
  CHECK_EQ(access("/proc/self/ns/ipc", R_OK), 0);
  CHECK_ERRNO(NAMESPACE_OF("/proc/self/ns/ipc") == number ? open("/proc/999999999/ns/ipc", O_RDONLY)
                                                          : 0,
              ENOENT);

  MOVE_TO_NEW();
  unsigned long other = OWN_NAMESPACE();
  CHECK(other != number);
  CHECK_EQ(inode_at("/proc/self/ns/ipc"), (long long)other);
  CHECK_EQ(fstat(opened, &status), 0);
  CHECK_EQ(status.st_ino, (long long)number);
  snprintf(path, sizeof path, "/proc/%d/ns/ipc", getppid());
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(OWN_NAMESPACE(), (long long)other);
    snprintf(path, sizeof path, "/proc/%d/ns/ipc", getppid());
    CHECK_EQ(NAMESPACE_OF(path), (long long)other);
    CHECK_EQ(setns(opened, 0), 0);
    CHECK_EQ(OWN_NAMESPACE(), (long long)number);
    CHECK_EQ(NAMESPACE_OF(path), (long long)other);
    _exit(0);
  }
  CHECK_CHILD(child);
  close(opened);
  close(folder);
}
