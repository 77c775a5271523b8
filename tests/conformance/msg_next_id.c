/*
 * /proc/sys/kernel/msg_next_id (checkpoint/restore): the id of the next queue, once, if its index
 * is free; else the next free index with that sequence number. The usual numbering does not notice.
 */
#include "msg_check.h"

static const char path[] = "/proc/sys/kernel/msg_next_id";

static void write_text(const char* text, int error) {
  int fd = CHECK_OK(open(path, O_WRONLY));
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
  CHECK_EQ(new_queue(), 0);

  int wanted = 7 * SEQUENCE + 500;
  char text[64];
  snprintf(text, sizeof text, "%d", wanted);
  write_text(text, 0);
  snprintf(text, sizeof text, "%d\n", wanted);
  check_text_is(text);
  CHECK_EQ(new_queue(), wanted);
  check_text_is("-1\n");
  CHECK_EQ(new_queue(), 1);

  /* Index 1 is taken: 2 is the next that is free. */
  snprintf(text, sizeof text, "%d", 9 * SEQUENCE + 1);
  write_text(text, 0);
  CHECK_EQ(new_queue(), 9 * SEQUENCE + 2);
  CHECK_EQ(new_queue(), 3);

  /* A queue that msgget() only finds does not use it up. */
  CHECK_EQ(msgget(0x10c5, IPC_CREAT | 0600), 4);
  write_text("77", 0);
  CHECK_EQ(msgget(0x10c5, IPC_CREAT | 0600), 4);
  check_text_is("77\n");
  CHECK_EQ(new_queue(), 77);

  write_text("-1", EINVAL);
  write_text("2147483648", EINVAL);

  const int ids[] = {0, wanted, 1, 9 * SEQUENCE + 2, 3, 4, 77};
  for (unsigned i = 0; i < sizeof ids / sizeof *ids; i++) REMOVE_QUEUE(ids[i]);
}
