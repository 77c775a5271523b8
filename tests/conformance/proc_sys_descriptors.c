/*
 * Descriptors of /proc/sys: what is read and written at which position, by copies, in children and
 * over exec. Behind the start nothing is read, and what is written is taken without effect.
 */
#include "msg_check.h"
#include "sysctl_check.h"
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void check_positions(void) {
  int fd = CHECK_OK(open(MSGMAX_FILE, O_RDWR | O_TRUNC | O_APPEND | O_CREAT, 0600));
  char text[32];
  CHECK_EQ(read(fd, text, 2), 2);
  CHECK_EQ(read(fd, text, sizeof text), 0);
  CHECK_EQ(WRITE(fd, "nonsense"), 8);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
  CHECK_EQ(PWRITE(fd, "nonsense", 1), 8);
  CHECK_EQ(PWRITE(fd, "100", 0), 3);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
  CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
  CHECK_EQ(read(fd, text, sizeof text), 4);
  CHECK(memcmp(text, "100\n", 4) == 0);
  CHECK_EQ(pread(fd, text, sizeof text, 0), 4);
  CHECK_EQ(pread(fd, text, sizeof text, 1), 0);
  CHECK_ERRNO(pread(fd, text, 1, -1), EINVAL);
  CHECK_ERRNO(pwrite(fd, "1", 1, -1), EINVAL);
  CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
  CHECK_EQ(ftruncate(fd, 7), 0);
  CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
  CHECK_ERRNO(fchmod(fd, 0600), EPERM);

  /* One call is one text, of however many pieces. */
  struct iovec pieces[] = {{"1", 1}, {"", 0}, {"01\n", 3}};
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(writev(fd, pieces, 3), 4);
  CHECK_FILE(MSGMAX_FILE, "101\n");
  CHECK_EQ(pwritev(fd, pieces, 1, 0), 1);
  CHECK_FILE(MSGMAX_FILE, "1\n");
  char first[1], rest[32];
  struct iovec parts[] = {{first, 1}, {rest, sizeof rest}};
  CHECK_EQ(PWRITE(fd, "102", 0), 3);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(readv(fd, parts, 2), 4);
  CHECK(first[0] == '1' && memcmp(rest, "02\n", 3) == 0);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_ERRNO(write(fd, end_of_memory(), 1), EFAULT);
  CHECK_ERRNO(read(fd, end_of_memory(), 1), EFAULT);

  /* By number, and through /proc. */
  CHECK_EQ(syscall(SYS_write, fd, "103", 3L), 3);
  CHECK_FILE(MSGMAX_FILE, "103\n");
  CHECK_EQ(syscall(SYS_lseek, fd, 0L, SEEK_SET), 0);
  CHECK_EQ(syscall(SYS_read, fd, text, sizeof text), 4);
  CHECK(memcmp(text, "103\n", 4) == 0);
  char link[64];
  sprintf(link, "/proc/self/fd/%d", fd);
  int again = CHECK_OK(open(link, O_WRONLY));
  CHECK_ERRNO(WRITE(again, "word"), EINVAL);
  CHECK_EQ(WRITE(again, "104"), 3);
  CHECK_FILE(MSGMAX_FILE, "104\n");
  close(again);
  CHECK_EQ(close(fd), 0);
  CHECK_ERRNO(WRITE(fd, "1"), EBADF);

  fd = CHECK_OK(open(MSGMAX_FILE, O_RDONLY));
  CHECK_ERRNO(WRITE(fd, "1"), EBADF);
  close(fd);
  fd = CHECK_OK(open(MSGMAX_FILE, O_WRONLY));
  CHECK_ERRNO(read(fd, text, 1), EBADF);
  close(fd);
}

/* Copies have one position; descriptors that were opened twice have two. */
static void check_copies(void) {
  int fd = CHECK_OK(open(MSGMAX_FILE, O_RDWR)), other = CHECK_OK(open(MSGMAX_FILE, O_RDWR));
  int copy = CHECK_OK(dup(fd)), numbered = CHECK_OK(fcntl(fd, F_DUPFD_CLOEXEC, 100));
  CHECK_EQ(WRITE(copy, "200\n"), 4);
  CHECK_EQ(WRITE(numbered, "201\n"), 4);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
  char text[32];
  CHECK_EQ(read(other, text, sizeof text), 4);
  CHECK(memcmp(text, "200\n", 4) == 0);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(WRITE(copy, "202"), 3);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_EQ(lseek(numbered, 0, SEEK_CUR), 3);
  CHECK_FILE(MSGMAX_FILE, "202\n");
  /* The number of another file is that file's. */
  int null = CHECK_OK(open("/dev/null", O_RDWR));
  CHECK_EQ(dup2(null, copy), copy);
  CHECK_EQ(WRITE(copy, "nonsense"), 8);
  CHECK_EQ(read(copy, text, 1), 0);
  close(null);
  close(fd);
  close(other);
  close(copy);
  close(numbered);
}

static void check_exec(const char* program) {
  for (int target = 1; target <= 40; target += 39) {
    pid_t child = fork_child();
    if (child == 0) {
      int fd = CHECK_OK(open(MSGMAX_FILE, O_RDWR | O_CLOEXEC));
      CHECK_OK(dup2(fd, target));
      char number[8];
      sprintf(number, "%d", target);
      execl("/proc/self/exe", program, number, (char*)NULL);
      FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
    }
    CHECK_CHILD(child);
    CHECK_FILE(MSGMAX_FILE, target == 1 ? "301\n" : "340\n");
  }
}

int main(int argc, char** argv) {
  if (argc == 2) {
    int fd = atoi(argv[1]);
    char text[8];
    CHECK_ERRNO(WRITE(fd, "word"), EINVAL);
    CHECK_EQ(snprintf(text, sizeof text, "%d", 300 + fd), 3);
    CHECK_EQ(WRITE(fd, text), 3);
    return 0;
  }
  NEED_ROOT();
  need_own_sysctl();
  check_positions();
  check_copies();
  check_exec(argv[0]);
}
