/*
 * Processes share memory by its name, one that starts afresh by exec(2) as well, and see what the
 * others store and how it grows. The descriptor is closed at exec(2).
 */
#include "named_check.h"

static int run_again(char** argv) {
  int fd = atoi(argv[1]);
  CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
  fd = CHECK_OK(shm_open("/m", O_RDWR, 0));
  CHECK_EQ(status_of(fd).st_size, 4096);
  int* words = map_shared(fd, 4096);
  CHECK_EQ(words[1], 4711);
  CHECK_EQ(ftruncate(fd, 16384), 0);
  int* more = map_shared(fd, 16384);
  more[4095] = 4712;
  announce(&words[0], 1);
  await(&words[0], 2);
  CHECK_EQ(words[1], 4713);
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1) return run_again(argv);
  int fd = NEW_MEMORY("/m", 4096);
  int* words = map_shared(fd, 4096);
  words[1] = 4711;
  pid_t child = fork_child();
  if (child == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    execl("/proc/self/exe", argv[0], number, (char*)NULL);
    FAIL("exec: expected success, got %s", strerrorname_np(errno));
  }
  await(&words[0], 1);
  CHECK_EQ(status_of(fd).st_size, 16384);
  int* more = map_shared(fd, 16384);
  CHECK_EQ(more[4095], 4712);
  words[1] = 4713;
  announce(&words[0], 2);
  CHECK_CHILD(child);
  REMOVE_MEMORY("/m");
}
