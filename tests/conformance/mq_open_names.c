/*
 * A name is a '/' and 1 to 255 bytes without another '/'. libc refuses a name that does not begin
 * with '/' with EINVAL, also the empty one; the kernel sees the rest: empty ENOENT, "." ".." and an
 * inner or second '/' EACCES, more than 255 bytes ENAMETOOLONG. mq_unlink() answers the same.
 */
#include "mq_check.h"

int main(void) {
  char long_name[258], too_long[4200];
  memset(long_name, 'x', sizeof long_name);
  long_name[0] = '/';
  long_name[257] = '\0';
  memset(too_long, 'x', sizeof too_long);
  too_long[0] = '/';
  too_long[sizeof too_long - 1] = '\0';

  const struct {
    const char* name;
    int error;
  } refused[] = {
      {"q", EINVAL},
      {"", EINVAL},
      {"q/", EINVAL},
      {".", EINVAL},
      {"/", ENOENT},
      {"//", EACCES},
      {"//q", EACCES},
      {"/q/", EACCES},
      {"/a/b", EACCES},
      {"/.", EACCES},
      {"/..", EACCES},
      {"/./q", EACCES},
      {"/q//", EACCES},
      {long_name, ENAMETOOLONG},
      {too_long, ENAMETOOLONG},
  };
  struct mq_attr attr = room_for(1, 1);
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    CHECK_ERRNO(mq_open(refused[i].name, O_CREAT | O_RDWR, 0600, &attr), refused[i].error);
    CHECK_ERRNO(mq_open(refused[i].name, O_RDWR), refused[i].error);
    CHECK_ERRNO(mq_unlink(refused[i].name), refused[i].error);
  }

  long_name[256] = '\0';
  const char* good[] = {long_name, "/...", "/ ", "/\n", "/\xff\xfe", "/..a", "/a.", "/\\"};
  for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
    mqd_t mq = NEW_QUEUE(good[i], 1, 1);
    mqd_t again = CHECK_OK(mq_open(good[i], O_RDWR));
    CHECK_SEND(mq, 0, "x");
    CHECK_RECEIVE(again, 0, "x");
    CLOSE_QUEUE(mq);
    CLOSE_QUEUE(again);
    REMOVE_QUEUE(good[i]);
    CHECK_ERRNO(mq_open(good[i], O_RDWR), ENOENT);
  }
  /* Names differ in case, and one is not the other's beginning. */
  CLOSE_QUEUE(NEW_QUEUE("/name", 1, 1));
  CHECK_ERRNO(mq_open("/Name", O_RDWR), ENOENT);
  CHECK_ERRNO(mq_open("/nam", O_RDWR), ENOENT);
  CHECK_ERRNO(mq_open("/name ", O_RDWR), ENOENT);
  REMOVE_QUEUE("/name");
}
