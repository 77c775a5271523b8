/*
 * Paths relative to /dev/mqueue lead to its queues: by a descriptor of it, also a copy, and from it
 * as the current folder, also a child's. A regular file that mknod(2) makes there is a queue.
 */
#include "mq_folder.h"
#include <sys/statfs.h>

static void check_folder_calls(int folder) {
  struct stat status;
  CHECK_EQ(fstatat(folder, "q", &status, 0), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0600);
  CHECK_ERRNO(fstatat(folder, "none", &status, 0), ENOENT);
  CHECK_EQ(fstatat(folder, ".", &status, AT_SYMLINK_NOFOLLOW), 0);
  CHECK_EQ(status.st_mode, S_IFDIR | 01777);
  CHECK_EQ(fstatat(folder, "../mqueue/q", &status, 0), 0);
  CHECK_EQ(faccessat(folder, "q", R_OK | W_OK, 0), 0);
  CHECK_ERRNO(faccessat(folder, "none", F_OK, 0), ENOENT);
  CHECK_EQ(fchmodat(folder, "q", 0640, 0), 0);
  CHECK_EQ(fstatat(folder, "q", &status, 0), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0640);
  CHECK_EQ(fchmodat(folder, "q", 0600, 0), 0);
  const struct timespec times[2] = {{50, 60}, {0, UTIME_OMIT}};
  CHECK_EQ(utimensat(folder, "q", times, 0), 0);
  CHECK_EQ(fstatat(folder, "q", &status, 0), 0);
  CHECK_EQ(status.st_atime, 50);
  CHECK(status.st_mtime != 50);
  CHECK_EQ(fchownat(folder, "q", geteuid(), -1, 0), 0);
  CHECK_ERRNO(mkdirat(folder, "folder", 0700), EPERM);
  CHECK_ERRNO(symlinkat("q", folder, "link"), EPERM);
  CHECK_ERRNO(renameat(folder, "q", folder, "other"), EPERM);
  CHECK_EQ(renameat(folder, "q", folder, "q"), 0);
  CHECK_ERRNO(readlinkat(folder, "q", (char[8]){0}, 8), EINVAL);
  CHECK_EQ(mknodat(folder, "made", S_IFREG | 0600, 0), 0);
  CHECK_ERRNO(mknodat(folder, "made", S_IFREG | 0600, 0), EEXIST);
  int made = CHECK_OK(openat(folder, "made", O_RDWR));
  CHECK_EQ(attributes(made).mq_maxmsg, DEFAULT_MAXMSG);
  CHECK_EQ(close(made), 0);
  CHECK_ERRNO(unlinkat(folder, "made", AT_REMOVEDIR), ENOTDIR);
  CHECK_EQ(unlinkat(folder, "made", 0), 0);
  CHECK_ERRNO(unlinkat(folder, "made", 0), ENOENT);
}

int main(void) {
  need_folder();
  umask(0);
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  int folder = CHECK_OK(open(FOLDER, O_RDONLY | O_DIRECTORY));
  check_folder_calls(folder);
  int copy = CHECK_OK(dup(folder));
  CHECK_EQ(close(folder), 0);
  check_folder_calls(copy);
  struct stat status;
  struct statfs filesystem;
  CHECK_EQ(fstat(copy, &status), 0);
  CHECK_EQ(status.st_mode, S_IFDIR | 01777);
  CHECK_EQ(fstatfs(copy, &filesystem), 0);
  CHECK_EQ(filesystem.f_type, MQUEUE_MAGIC);

  CHECK_EQ(chdir("/"), 0);
  check_folder_calls(CHECK_OK(open("dev/mqueue", O_PATH)));
  CHECK_EQ(fchdir(copy), 0);
  check_folder_calls(AT_FDCWD);
  pid_t child = fork_child();
  if (child == 0) {
    check_folder_calls(AT_FDCWD);
    CHECK_EQ(chdir("/"), 0);
    CHECK_ERRNO(access("q", F_OK), ENOENT);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_SEND(CHECK_OK(open("./q", O_WRONLY)), 1, "x");
  CHECK_RECEIVE(mq, 1, "x");

  CHECK_EQ(truncate("q", 33), 0);
  CHECK_EQ(stat("q", &status), 0);
  CHECK_EQ(status.st_size, 33);
  CHECK_ERRNO(truncate("q", -1), EINVAL);
  CHECK_ERRNO(open(".", O_RDWR), EISDIR);
  CHECK_ERRNO(rmdir(FOLDER), EBUSY);
  CHECK_ERRNO(unlink(FOLDER), EISDIR);
  CHECK_EQ(unlink("q"), 0);
  CHECK_ERRNO(mq_unlink("/q"), ENOENT);
}
