/* What open(2) says of each flag for the files that nobody is to write to, as root and as another.
 */
#include "view_check.h"

static void check_everybody(const char* path) {
  static const struct {
    int flags, error;
  } cases[] = {
      {O_RDONLY, 0},
      {O_RDONLY | O_CREAT, 0},
      {O_RDONLY | O_EXCL, 0},
      {O_RDONLY | O_NOFOLLOW, 0},
      {O_RDONLY | O_NONBLOCK, 0},
      {O_RDONLY | O_APPEND, 0},
      {O_RDONLY | O_SYNC, 0},
      {O_RDONLY | O_NOCTTY, 0},
      {O_PATH, 0},
      {O_PATH | O_CREAT | O_EXCL | O_TRUNC | O_RDWR, 0},
      {O_RDONLY | O_CREAT | O_EXCL, EEXIST},
      {O_WRONLY | O_CREAT | O_EXCL, EEXIST},
      {O_RDONLY | O_DIRECTORY, ENOTDIR},
      {O_PATH | O_DIRECTORY, ENOTDIR},
      {O_WRONLY | O_DIRECTORY, ENOTDIR},
      {O_TMPFILE | O_RDWR, ENOTDIR},
      {O_TMPFILE | O_RDONLY, EINVAL},
      {O_RDONLY | O_DIRECT, EINVAL},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    int fd = open(path, cases[i].flags, 0600);
    int error = fd < 0 ? errno : 0;
    if (error != cases[i].error)
      FAIL("open %s flags 0%o: expected %s, got %s", path, cases[i].flags,
           strerrorname_np(cases[i].error), strerrorname_np(error));
    if (fd < 0) continue;
    int kept = O_ACCMODE | O_PATH | O_NONBLOCK | O_APPEND | O_SYNC;
    int want = cases[i].flags & O_PATH ? O_PATH : cases[i].flags & kept;
    CHECK_EQ(fcntl(fd, F_GETFL) & kept, want);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
    char byte;
    if (cases[i].flags & O_PATH)
      CHECK_ERRNO(read(fd, &byte, 1), EBADF);
    else
      CHECK_EQ(read(fd, &byte, 1), 1);
    CHECK_EQ(close(fd), 0);
  }
  /* Through a descriptor that is good for nothing else. */
  char link[64], byte;
  int fd = CHECK_OK(open(path, O_PATH | O_CLOEXEC));
  CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  sprintf(link, "/proc/self/fd/%d", fd);
  int again = CHECK_OK(open(link, O_RDONLY));
  CHECK_EQ(read(again, &byte, 1), 1);
  close(again);
  close(fd);
}

static void check_writers(const char* path, int error) {
  CHECK_ERRNO(open(path, O_WRONLY), error);
  CHECK_ERRNO(open(path, O_RDWR), error);
  CHECK_ERRNO(open(path, O_RDONLY | O_TRUNC), error);
  CHECK_ERRNO(open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600), error);
  CHECK_ERRNO(creat(path, 0600), error);
  CHECK(fopen(path, "w") == NULL && errno == error);
  CHECK(fopen(path, "r+") == NULL && errno == error);
  CHECK(fopen(path, "a") == NULL && errno == error);
}

int main(void) {
  NEED_ROOT();
  check_everybody(MSG_FILE);
  check_everybody(MSGMAX_FILE);

  /* Root may open what it cannot write. */
  int fd = CHECK_OK(open(MSG_FILE, O_WRONLY | O_TRUNC));
  CHECK_ERRNO(write(fd, "x", 1), EIO);
  char byte;
  CHECK_ERRNO(read(fd, &byte, 1), EBADF);
  close(fd);
  close(CHECK_OK(creat(MSG_FILE, 0600)));
  fd = CHECK_OK(open(MSG_FILE, O_RDWR));
  CHECK_EQ(read(fd, &byte, 1), 1);
  CHECK_ERRNO(write(fd, "x", 1), EIO);
  CHECK_ERRNO(pwrite(fd, "x", 1, 0), ESPIPE);
  close(fd);
  close(CHECK_OK(open(MSG_FILE, O_RDONLY | O_NOATIME)));
  CHECK_ERRNO(open(MSG_FILE, O_WRONLY | O_DIRECT), EINVAL);
  CHECK_ERRNO(open(MSGMAX_FILE, O_WRONLY | O_DIRECT), EINVAL);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(10001, 10001, 0);
    check_everybody(MSG_FILE);
    check_everybody(MSGMAX_FILE);
    check_writers(MSG_FILE, EACCES);
    check_writers(MSGMAX_FILE, EACCES);
    CHECK_ERRNO(open(MSG_FILE, O_WRONLY | O_DIRECT), EACCES);
    CHECK_ERRNO(open(MSGMAX_FILE, O_WRONLY | O_DIRECT), EACCES);
    CHECK_ERRNO(open(MSG_FILE, O_RDONLY | O_NOATIME), EPERM);
    _exit(0);
  }
  CHECK_CHILD(stranger);
}
