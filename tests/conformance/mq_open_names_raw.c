/*
 * The system calls take the name without libc's leading '/': with one they answer EACCES, as for
 * "." and ".."; the empty name is ENOENT, more than 255 bytes ENAMETOOLONG, no memory EFAULT.
 */
#include "mq_check.h"
#include <sys/syscall.h>

static long raw_open(const char* name, int flags, const struct mq_attr* attr) {
  return syscall(SYS_mq_open, name, flags, 0600, attr);
}

int main(void) {
  char long_name[257];
  memset(long_name, 'x', sizeof long_name);
  long_name[256] = '\0';
  const struct {
    const char* name;
    int error;
  } refused[] = {
      {"", ENOENT},
      {"/", EACCES},
      {"/q", EACCES},
      {"a/b", EACCES},
      {".", EACCES},
      {"..", EACCES},
      {long_name, ENAMETOOLONG},
      {NULL, EFAULT},
      {"q/", EACCES},
  };
  struct mq_attr attr = room_for(1, 1);
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    CHECK_ERRNO(raw_open(refused[i].name, O_CREAT | O_RDWR, &attr), refused[i].error);
    CHECK_ERRNO(raw_open(refused[i].name, O_RDWR, NULL), refused[i].error);
    CHECK_ERRNO(syscall(SYS_mq_unlink, refused[i].name), refused[i].error);
  }
  CHECK_ERRNO(raw_open(end_of_memory(), O_RDWR, NULL), EFAULT);

  mqd_t mq = CHECK_OK(raw_open("q", O_CREAT | O_RDWR, &attr));
  mqd_t same = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_SEND(mq, 1, "x");
  CHECK_RECEIVE(same, 1, "x");
  CHECK_EQ(syscall(SYS_mq_unlink, "q"), 0);
  CHECK_ERRNO(mq_unlink("/q"), ENOENT);
}
