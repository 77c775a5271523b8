/* Whichever of libc's functions asks: regular files of root, of no size, all one and the same. */
#include "view_check.h"

typedef int stat_function(const char*, void*);
typedef int fstat_function(int, void*);
typedef int fstatat_function(int, const char*, void*, int);
typedef int old_stat_function(int, const char*, void*);
typedef int old_fstat_function(int, int, void*);
typedef int old_fstatat_function(int, int, const char*, void*, int);

/* The version that a 64-bit program compiled for an old glibc passes. */
#if defined(__x86_64__)
enum { STAT_VERSION = 1 };
#else
enum { STAT_VERSION = 0 };
#endif

static const char* path;
static struct stat first;

static void check_status(const char* name, int result, const struct stat* status) {
  mode_t mode = strcmp(path, MSG_FILE) == 0 ? 0444 : 0644;
  if (result != 0) FAIL("%s: expected 0, got %d %s", name, result, strerrorname_np(errno));
  if (status->st_mode != (S_IFREG | mode) || status->st_size != 0 || status->st_nlink != 1 ||
      status->st_uid != 0 || status->st_gid != 0 || status->st_blocks != 0)
    FAIL("%s: expected a file of root, mode %o, size 0, got mode %o, size %ld, links %ld, owner "
         "%u:%u, blocks %ld",
         name, mode, status->st_mode, (long)status->st_size, (long)status->st_nlink, status->st_uid,
         status->st_gid, (long)status->st_blocks);
  if (first.st_ino == 0) first = *status;
  if (status->st_ino != first.st_ino || status->st_dev != first.st_dev)
    FAIL("%s: expected inode %ld of device %lx, got %ld of %lx", name, (long)first.st_ino,
         (long)first.st_dev, (long)status->st_ino, (long)status->st_dev);
}

static void check_statx(const char* name, int result, const struct statx* status) {
  struct stat as_stat = {.st_mode = status->stx_mode,
                         .st_size = status->stx_size,
                         .st_nlink = status->stx_nlink,
                         .st_uid = status->stx_uid,
                         .st_gid = status->stx_gid,
                         .st_blocks = status->stx_blocks,
                         .st_ino = status->stx_ino,
                         .st_dev = first.st_dev};
  CHECK_EQ(status->stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
  CHECK_EQ(status->stx_attributes & STATX_ATTR_MOUNT_ROOT, 0);
  check_status(name, result, &as_stat);
}

static void check_path(void) {
  static const char* const by_path[] = {"stat", "stat64", "lstat", "lstat64"};
  static const char* const by_fd[] = {"fstat", "fstat64"};
  static const char* const at[] = {"fstatat", "fstatat64"};
  static const char* const old_by_path[] = {"__xstat", "__xstat64", "__lxstat", "__lxstat64"};
  static const char* const old_by_fd[] = {"__fxstat", "__fxstat64"};
  static const char* const old_at[] = {"__fxstatat", "__fxstatat64"};
  struct stat status;
  struct statx extended;
  memset(&first, 0, sizeof first);

  int fd = CHECK_OK(open(path, O_RDONLY));
  int handle = CHECK_OK(open(path, O_PATH));
  char byte;
  CHECK_EQ(read(fd, &byte, 1), 1);

  /* `struct stat` is the one of all these only in 64-bit programs. */
  if (sizeof(long) == 8) {
    for (int i = 0; i < 4; i++) {
      stat_function* call = LIBC(stat_function, by_path[i]);
      if (call) check_status(by_path[i], call(path, &status), &status);
      old_stat_function* old = LIBC(old_stat_function, old_by_path[i]);
      if (old) check_status(old_by_path[i], old(STAT_VERSION, path, &status), &status);
    }
    for (int i = 0; i < 2; i++) {
      fstat_function* call = LIBC(fstat_function, by_fd[i]);
      if (call) {
        check_status(by_fd[i], call(fd, &status), &status);
        check_status(by_fd[i], call(handle, &status), &status);
      }
      old_fstat_function* old = LIBC(old_fstat_function, old_by_fd[i]);
      if (old) check_status(old_by_fd[i], old(STAT_VERSION, fd, &status), &status);

      fstatat_function* call_at = LIBC(fstatat_function, at[i]);
      if (call_at) {
        check_status(at[i], call_at(AT_FDCWD, path, &status, 0), &status);
        check_status(at[i], call_at(-1, path, &status, AT_SYMLINK_NOFOLLOW), &status);
        check_status(at[i], call_at(fd, "", &status, AT_EMPTY_PATH), &status);
        check_status(at[i], call_at(handle, "", &status, AT_EMPTY_PATH), &status);
        CHECK_ERRNO(call_at(fd, "", &status, 0), ENOENT);
      }
      old_fstatat_function* old_call = LIBC(old_fstatat_function, old_at[i]);
      if (old_call)
        check_status(old_at[i], old_call(STAT_VERSION, AT_FDCWD, path, &status, 0), &status);
    }
  }
  check_status("stat", stat(path, &status), &status);
  check_status("lstat", lstat(path, &status), &status);
  check_status("fstat", fstat(fd, &status), &status);
  check_statx("statx", statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &extended), &extended);
  check_statx("statx", statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended), &extended);
  check_statx("statx", statx(handle, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended), &extended);
  CHECK_ERRNO(statx(AT_FDCWD, path, 0x80000, STATX_BASIC_STATS, &extended), EINVAL);
  CHECK_ERRNO(fstatat(AT_FDCWD, path, &status, 0x80000), EINVAL);
  /* Where the kernel's struct is libc's. */
  if (sizeof(long) == 8) CHECK_ERRNO(stat(path, NULL), EFAULT);

  /* A copy of the descriptor, also in a child. */
  int copy = CHECK_OK(dup(fd));
  close(fd);
  pid_t child = fork_child();
  if (child == 0) {
    check_status("fstat", fstat(copy, &status), &status);
    _exit(0);
  }
  CHECK_CHILD(child);
  close(copy);
  close(handle);
}

int main(void) {
  path = MSG_FILE;
  check_path();
  ino_t msg = first.st_ino;
  path = MSGMAX_FILE;
  check_path();
  CHECK(first.st_ino != msg);

  /* Files without a name of a program's own stay what they are. */
  FILE* own = tmpfile();
  struct stat status;
  CHECK(own && fputs("own", own) >= 0 && fflush(own) == 0 && fchmod(fileno(own), 0444) == 0);
  CHECK_EQ(fstat(fileno(own), &status), 0);
  CHECK_EQ(status.st_size, 3);
  CHECK_EQ(status.st_nlink, 0);
  fclose(own);
  int memory = CHECK_OK(memfd_create("msg", 0));
  CHECK_EQ(fchmod(memory, 0444), 0);
  CHECK_EQ(write(memory, "own", 3), 3);
  CHECK_EQ(fstat(memory, &status), 0);
  CHECK_EQ(status.st_size, 3);
}
