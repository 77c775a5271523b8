/*
 * /proc/sys/kernel/msgmax, msgmnb, msgmni: read as "8192\n", take effect when written, refuse what
 * is out of range. auto_msgmni takes 0 and 1 and stays 0.
 */
#include "msg_check.h"

static void check_value(const char* path, const char* want) {
  char text[64];
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, want);
}

static int put(const char* path, const char* text) {
  int fd = CHECK_OK(open(path, O_WRONLY));
  errno = 0;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)strlen(text) ? 0 : -1;
}

#define MSGMAX_FILE "/proc/sys/kernel/msgmax"
#define MSGMNB_FILE "/proc/sys/kernel/msgmnb"
#define MSGMNI_FILE "/proc/sys/kernel/msgmni"
#define AUTO_FILE "/proc/sys/kernel/auto_msgmni"

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  static char room[sizeof(long) + 70000] = {1};
  check_value(MSGMAX_FILE, "8192\n");
  check_value(MSGMNB_FILE, "16384\n");
  check_value(MSGMNI_FILE, "32000\n");
  check_value(AUTO_FILE, "0\n");
  int id = new_queue();

  CHECK_EQ(put(MSGMAX_FILE, "100\n"), 0);
  check_value(MSGMAX_FILE, "100\n");
  memset(room, 0, sizeof room);
  *(long*)room = 1;
  CHECK_EQ(msgsnd(id, room, 100, IPC_NOWAIT), 0);
  CHECK_ERRNO(msgsnd(id, room, 101, IPC_NOWAIT), EINVAL);
  CHECK_EQ(put(MSGMAX_FILE, " 70000"), 0);
  CHECK_ERRNO(msgsnd(id, room, 70000, IPC_NOWAIT), EAGAIN);

  /* New queues only; IPC_SET goes up to the new value. */
  CHECK_EQ(put(MSGMNB_FILE, "140000"), 0);
  CHECK_EQ(stat_queue(id).msg_qbytes, DEFAULT_MSGMNB);
  int large = new_queue();
  CHECK_EQ(stat_queue(large).msg_qbytes, 140000);
  CHECK_EQ(msgsnd(large, room, 70000, IPC_NOWAIT), 0);
  CHECK_EQ(msgrcv(large, room, 70000, 0, IPC_NOWAIT), 70000);
  set_qbytes(id, 140000);

  CHECK_EQ(put(MSGMNI_FILE, "3"), 0);
  int third = new_queue();
  CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
  CHECK_EQ(put(MSGMNI_FILE, "1"), 0);
  REMOVE_QUEUE(third);
  CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
  struct msginfo info;
  CHECK_OK(msgctl(0, IPC_INFO, (struct msqid_ds*)&info));
  CHECK_EQ(info.msgmax, 70000);
  CHECK_EQ(info.msgmnb, 140000);
  CHECK_EQ(info.msgmni, 1);

  const struct {
    const char *path, *text;
  } refused[] = {
      {MSGMAX_FILE, "-1"},         {MSGMAX_FILE, "2147483648"},
      {MSGMAX_FILE, "x"},          {MSGMNB_FILE, "-1"},
      {MSGMNB_FILE, "2147483648"}, {MSGMNI_FILE, "-1"},
      {MSGMNI_FILE, "32769"},      {AUTO_FILE, "2"},
      {AUTO_FILE, "-1"},
  };
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
    CHECK_ERRNO(put(refused[i].path, refused[i].text), EINVAL);
  check_value(MSGMAX_FILE, "70000\n");
  CHECK_EQ(put(MSGMAX_FILE, "2147483647"), 0);
  CHECK_EQ(put(MSGMNI_FILE, "32768"), 0);
  CHECK_EQ(put(MSGMNI_FILE, "0"), 0);
  CHECK_EQ(put(AUTO_FILE, "1"), 0);
  check_value(AUTO_FILE, "0\n");

  CHECK_EQ(put(MSGMAX_FILE, "8192"), 0);
  CHECK_EQ(put(MSGMNB_FILE, "16384"), 0);
  CHECK_EQ(put(MSGMNI_FILE, "32000"), 0);
  REMOVE_QUEUE(id);
  REMOVE_QUEUE(large);
}
