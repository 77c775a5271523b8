/*
 * /proc/sys/kernel/shm_next_id (checkpoint/restore): the id of the next segment, once, if its index
 * is free; else the next free index with that sequence number. The usual numbering does not notice.
 */
#include "shm_check.h"

static const char path[] = "/proc/sys/kernel/shm_next_id";

static void write_text(const char* text, int error) {
  int fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
  if (error)
    CHECK_ERRNO(write(fd, text, strlen(text)), error);
  else
    CHECK_EQ(write(fd, text, strlen(text)), (long)strlen(text));
  close(fd);
}

static void check_text_is(const char* want) {
  char text[64];
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, want);
}

int main(void) {
  NEED_ROOT();
  if (access(path, W_OK) != 0) SKIP("the kernel has no checkpoint/restore");
  need_own_sysctl();
  check_text_is("-1\n");
  CHECK_EQ(new_segment(100), 0);

  int wanted = 7 * SEQUENCE + 500;
  char text[64];
  snprintf(text, sizeof text, "%d", wanted);
  write_text(text, 0);
  snprintf(text, sizeof text, "%d\n", wanted);
  check_text_is(text);

  /* Neither a call that fails nor one that finds a segment uses it up. */
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_ERRNO(shmget(0x10f8, 1, 0600), ENOENT);
  check_text_is(text);
  CHECK_EQ(shmget(0x10f8, 1, IPC_CREAT | 0600), wanted);
  check_text_is("-1\n");
  CHECK_EQ(stat_segment(wanted).shm_perm.__seq, 7);
  CHECK_EQ(new_segment(100), 1);

  /* Index 1 is taken: 2 is the next that is free. */
  snprintf(text, sizeof text, "%d", 9 * SEQUENCE + 1);
  write_text(text, 0);
  CHECK_EQ(shmget(0x10f8, 1, IPC_CREAT | 0600), wanted);
  CHECK_EQ(new_segment(100), 9 * SEQUENCE + 2);
  CHECK_EQ(new_segment(100), 3);

  write_text("-1", EINVAL);
  write_text("2147483648", EINVAL);

  const int ids[] = {0, wanted, 1, 9 * SEQUENCE + 2, 3};
  for (unsigned i = 0; i < sizeof ids / sizeof *ids; i++) REMOVE_SEGMENT(ids[i]);
}
