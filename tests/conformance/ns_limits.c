/*
 * Limits belong to a namespace: a new one has the defaults, a descriptor goes on to mean those of
 * the namespace that it was opened in.
 */
#include "ns_check.h"

static const char msgmnb[] = "/proc/sys/kernel/msgmnb";

static long value_at(int fd) {
  char text[64];
  ssize_t size = pread(fd, text, sizeof text - 1, 0);
  if (size < 0) return -errno;
  text[size] = '\0';
  return atol(text);
}

static long value(void) {
  int fd = CHECK_OK(open(msgmnb, O_RDONLY));
  long got = value_at(fd);
  close(fd);
  return got;
}

int main(void) {
  if (access(msgmnb, W_OK) != 0) SKIP("needs to write to the limits");
  long usual = value();
  int first = open_namespace();
  int kept = CHECK_OK(open(msgmnb, O_RDWR));
  CHECK_EQ(pwrite(kept, "7000\n", 5, 0), 5);
  CHECK_EQ(value(), 7000);

  MOVE_TO_NEW();
  CHECK_EQ(value(), usual);
  CHECK_EQ(value_at(kept), 7000);
  CHECK_EQ(pwrite(kept, "8000\n", 5, 0), 5);
  CHECK_EQ(value(), usual);
  CHECK_EQ(value_at(kept), 8000);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(value_at(kept), 8000);
    CHECK_EQ(pwrite(kept, "9000\n", 5, 0), 5);
    CHECK_EQ(value(), usual);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  CHECK_EQ(value(), 9000);
  struct msqid_ds status;
  CHECK_EQ(msgget(IPC_PRIVATE, 0600), 0);
  CHECK_EQ(msgctl(0, IPC_STAT, &status), 0);
  CHECK_EQ(status.msg_qbytes, 9000);
}
