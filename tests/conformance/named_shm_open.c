/*
 * shm_open() gives the lowest free descriptor of a regular file, closed at exec(2), whose size is 0
 * and grows with zeros. O_EXCL, O_TRUNC and the access mode are open(2)'s; the mode counts when it
 * is made, without the umask's bits.
 */
#include "named_check.h"

static void check_descriptor(void) {
  int lowest = dup(0);
  close(lowest);
  int fd = CHECK_OK(shm_open("/m", O_CREAT | O_EXCL | O_RDWR, 0600));
  CHECK_EQ(fd, lowest);
  CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
  CHECK_EQ(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND), 0);
  struct stat status = status_of(fd);
  CHECK_EQ(status.st_mode, S_IFREG | 0600);
  CHECK_EQ(status.st_size, 0);
  CHECK_EQ(status.st_nlink, 1);
  CHECK_EQ(status.st_uid, geteuid());
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
  close(fd);
}

static void check_size(void) {
  int fd = CHECK_OK(shm_open("/m", O_RDWR, 0));
  CHECK_EQ(ftruncate(fd, 100000), 0);
  CHECK_EQ(status_of(fd).st_size, 100000);
  char* memory = map_shared(fd, 100000);
  for (int i = 0; i < 100000; i++) CHECK(memory[i] == 0);
  memset(memory, 'x', 100000);
  CHECK_EQ(ftruncate(fd, 10), 0);
  CHECK_EQ(ftruncate(fd, 100000), 0);
  CHECK(memory[9] == 'x' && memory[10] == 0 && memory[99999] == 0);
  CHECK_EQ(posix_fallocate(fd, 0, 200000), 0);
  CHECK_EQ(status_of(fd).st_size, 200000);
  CHECK_EQ(pwrite(fd, "abc", 3, 5), 3);
  CHECK(memcmp(memory + 5, "abc", 3) == 0);
  munmap(memory, 100000);
  close(fd);
}

static void check_flags(void) {
  CHECK_ERRNO(shm_open("/m", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
  int fd = CHECK_OK(shm_open("/m", O_CREAT | O_RDONLY, 0777));
  CHECK_EQ(status_of(fd).st_mode, S_IFREG | 0600);
  CHECK_EQ(status_of(fd).st_size, 200000);
  CHECK_ERRNO(ftruncate(fd, 1), EINVAL);
  CHECK(mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
  char* memory = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(memory != MAP_FAILED && memcmp(memory + 5, "abc", 3) == 0);
  CHECK_ERRNO(mprotect(memory, 10, PROT_READ | PROT_WRITE), EACCES);
  close(fd);
  fd = CHECK_OK(shm_open("/m", O_RDWR | O_TRUNC, 0));
  CHECK_EQ(status_of(fd).st_size, 0);
  close(fd);
}

static void check_mode(mode_t mask, mode_t mode, mode_t want) {
  umask(mask);
  int fd = CHECK_OK(shm_open("/mode", O_CREAT | O_EXCL | O_RDWR, mode));
  CHECK_EQ(status_of(fd).st_mode, S_IFREG | want);
  CHECK_EQ(fchmod(fd, 0640), 0);
  CHECK_EQ(status_of(fd).st_mode, S_IFREG | 0640);
  close(fd);
  REMOVE_MEMORY("/mode");
}

int main(void) {
  check_descriptor();
  check_size();
  check_flags();
  REMOVE_MEMORY("/m");
  check_mode(0, 0666, 0666);
  check_mode(022, 0666, 0644);
  check_mode(077, 0777, 0700);
  check_mode(0, 0, 0);
}
