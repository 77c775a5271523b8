/*
 * /proc/sys/fs/mqueue: the defaults, in effect as soon as written for queues that are made from
 * then on, and what they refuse: msg_max and msg_default outside 1..65536, msgsize_max and
 * msgsize_default outside 128..16777216; queues_max may be any number.
 */
#include "mq_sysctl.h"

enum { USER = 32017 };

static void check_value(const char* path, const char* want) {
  char text[64];
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, want);
}

static long try_room(const char* name, long maxmsg, long msgsize) {
  struct mq_attr attr = room_for(maxmsg, msgsize);
  mqd_t mq = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
  return mq < 0 ? mq : mq_close(mq);
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  check_value(MSG_MAX_FILE, "10\n");
  check_value(MSG_DEFAULT_FILE, "10\n");
  check_value(MSGSIZE_MAX_FILE, "8192\n");
  check_value(MSGSIZE_DEFAULT_FILE, "8192\n");
  check_value(QUEUES_MAX_FILE, "256\n");

  const struct {
    const char *path, *low, *too_low, *high, *too_high;
  } files[] = {
      {MSG_MAX_FILE, "1", "0", "65536", "65537"},
      {MSG_DEFAULT_FILE, "1", "0", "65536", "65537"},
      {MSGSIZE_MAX_FILE, "128", "127", "16777216", "16777217"},
      {MSGSIZE_DEFAULT_FILE, "128", "127", "16777216", "16777217"},
      {QUEUES_MAX_FILE, "0", "x", "2147483647", "4294967296"},
  };
  for (int i = 0; i < 5; i++) {
    char want[32];
    CHECK_EQ(put_text(files[i].path, files[i].high), 0);
    CHECK_EQ(put_text(files[i].path, files[i].low), 0);
    const char* wrong[] = {files[i].too_low, files[i].too_high, "x", "99999999999999999999"};
    for (int w = 0; w < 4; w++) CHECK_ERRNO(put_text(files[i].path, wrong[w]), EINVAL);
    snprintf(want, sizeof want, "%s\n", files[i].low);
    check_value(files[i].path, want);
  }

  CHECK_EQ(put_text(MSG_MAX_FILE, "12"), 0);
  CHECK_EQ(put_text(MSGSIZE_MAX_FILE, "150\n"), 0);
  CHECK_EQ(put_text(QUEUES_MAX_FILE, "2"), 0);
  pid_t child = fork_child();
  if (child == 0) {
    become(USER, USER, 0);
    CHECK_ERRNO(try_room("/a", 13, 1), EINVAL);
    CHECK_ERRNO(try_room("/a", 1, 151), EINVAL);
    CHECK_EQ(try_room("/a", 12, 150), 0);
    CHECK_EQ(try_room("/b", 1, 1), 0);
    CHECK_ERRNO(try_room("/c", 1, 1), ENOSPC);
    CHECK_ERRNO(open(QUEUES_MAX_FILE, O_WRONLY), EACCES);
    check_value(QUEUES_MAX_FILE, "2\n");
    REMOVE_QUEUE("/a");
    REMOVE_QUEUE("/b");
    _exit(0);
  }
  CHECK_CHILD(child);
}
