/* What an opened list is good for: pieces, seeks, copies, close on exec, the lowest free number. */
#include "view_check.h"

enum { QUEUES = 20 };

int main(int argc, char** argv) {
  static char whole[8192], text[8192];
  struct stat status;
  if (argc == 3) {
    /* After exec: the first is open still, at its place, the second is not. */
    CHECK_EQ(lseek(atoi(argv[1]), 0, SEEK_CUR), 7);
    read_text(MSG_FILE, whole, sizeof whole);
    CHECK_EQ(read_all(atoi(argv[1]), text, sizeof text, 100), strlen(whole) - 7);
    CHECK_TEXT(text, whole + 7);
    CHECK_EQ(fstat(atoi(argv[1]), &status), 0);
    CHECK_EQ(status.st_size, 0);
    CHECK_ERRNO(read(atoi(argv[2]), text, 1), EBADF);
    return 0;
  }
  for (int i = 0; i < QUEUES; i++) new_queue();
  read_text(MSG_FILE, whole, sizeof whole);
  size_t size = strlen(whole);

  int fd = CHECK_OK(open(MSG_FILE, O_RDONLY));
  CHECK_EQ(read_all(fd, text, sizeof text, 1), size);
  CHECK_TEXT(text, whole);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), size);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(read_all(fd, text, sizeof text, 4096), size);
  CHECK_TEXT(text, whole);
  CHECK_EQ(pread(fd, text, 10, 100), 10);
  CHECK(memcmp(text, whole + 100, 10) == 0);

  /* Copies share the place. */
  CHECK_EQ(lseek(fd, 20, SEEK_SET), 20);
  int copy = CHECK_OK(dup(fd));
  CHECK_EQ(read(copy, text, 30), 30);
  CHECK(memcmp(text, whole + 20, 30) == 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 50);
  close(fd);
  CHECK_EQ(read(copy, text, 10), 10);
  CHECK(memcmp(text, whole + 50, 10) == 0);
  close(copy);

  /* Each open has its own. */
  fd = CHECK_OK(open(MSG_FILE, O_RDONLY));
  int other = CHECK_OK(open(MSG_FILE, O_RDONLY));
  CHECK_EQ(read(fd, text, 5), 5);
  CHECK_EQ(lseek(other, 0, SEEK_CUR), 0);
  close(fd);
  close(other);

  /* The lowest number that is free, and no other is taken. */
  int lowest = CHECK_OK(dup(0));
  close(lowest);
  CHECK_EQ(open(MSG_FILE, O_RDONLY), lowest);
  CHECK_EQ(dup(0), lowest + 1);
  close(lowest + 1);
  close(0);
  CHECK_EQ(open(MSG_FILE, O_RDONLY), 0);
  CHECK_EQ(open(MSG_FILE, O_RDONLY | O_CLOEXEC), lowest + 1);
  close(lowest);
  close(lowest + 1);

  fd = CHECK_OK(open(MSG_FILE, O_RDONLY));
  int gone = CHECK_OK(open(MSG_FILE, O_RDONLY | O_CLOEXEC));
  CHECK_EQ(fcntl(fd, F_GETFD), 0);
  CHECK_EQ(fcntl(gone, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(read(fd, text, 7), 7);
  char first[16], second[16];
  sprintf(first, "%d", fd);
  sprintf(second, "%d", gone);
  pid_t child = fork_child();
  if (child == 0) {
    execl("/proc/self/exe", argv[0], first, second, NULL);
    FAIL("execl: expected no return, got %s", strerrorname_np(errno));
  }
  CHECK_CHILD(child);
}
