/*
 * /proc/sysvipc/msg, byte for byte: the header, a line for each queue in the order of their
 * indexes, the key in decimal with its sign, the mode in octal. Whoever reads sees all queues,
 * permitted or not.
 */
#include "msg_check.h"

#define HEADER                                                                                     \
  "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"         \
  "      stime      rtime      ctime\n"

static void check_file(const char* want) {
  char text[4096];
  read_text("/proc/sysvipc/msg", text, sizeof text);
  CHECK_TEXT(text, want);
}

/* The line that the kernel prints for a queue. */
static char* line_of(char* line, int id) {
  struct msqid_ds ds;
  CHECK_OK(msgctl(id, IPC_STAT, &ds));
  return line +
         sprintf(line, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n",
                 ds.msg_perm.__key, id, (unsigned)ds.msg_perm.mode, ds.msg_cbytes, ds.msg_qnum,
                 ds.msg_lspid, ds.msg_lrpid, ds.msg_perm.uid, ds.msg_perm.gid, ds.msg_perm.cuid,
                 ds.msg_perm.cgid, (long long)ds.msg_stime, (long long)ds.msg_rtime,
                 (long long)ds.msg_ctime);
}

int main(void) {
  NEED_ROOT();
  char want[4096], *end;
  check_file(HEADER);

  int first = CHECK_OK(msgget(0x1234, IPC_CREAT | 0640));
  snprintf(want, sizeof want,
           HEADER "      4660          0   640           0          0     0     0     0     0"
                  "     0     0          0          0 %10lld\n",
           (long long)stat_queue(first).msg_ctime);
  check_file(want);

  CHECK_SEND(first, 1, "abc");
  CHECK_SEND(first, 1, "de");
  CHECK_RECV(first, 0, IPC_NOWAIT, 1, "abc");
  line_of(stpcpy(want, HEADER), first);
  check_file(want);

  /* Negative keys, mode 0, users wider than their column. */
  int second = CHECK_OK(msgget(INT_MIN, IPC_CREAT | 0));
  int third = CHECK_OK(msgget(-1, IPC_CREAT | 0777));
  struct msqid_ds ds = stat_queue(second);
  ds.msg_perm.uid = 4294967294u;
  ds.msg_perm.gid = 123456;
  CHECK_EQ(msgctl(second, IPC_SET, &ds), 0);
  snprintf(want, sizeof want,
           "-2147483648          1     0           0          0     0     0 4294967294 123456"
           "     0     0          0          0 %10lld\n",
           (long long)stat_queue(second).msg_ctime);
  char line[256];
  line_of(line, second);
  CHECK_TEXT(line, want);

  /* Once round, the higher id with the lower index comes first. */
  REMOVE_QUEUE(first);
  for (int i = 3; i < 64; i++) REMOVE_QUEUE(new_queue());
  int last = new_queue();
  CHECK_EQ(last, SEQUENCE);
  end = stpcpy(want, HEADER);
  end = line_of(end, last);
  end = line_of(end, second);
  line_of(end, third);
  check_file(want);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(10001, 10001, 0);
    CHECK_ERRNO(msgctl(second, IPC_STAT, &ds), EACCES);
    check_file(want);
    _exit(0);
  }
  CHECK_CHILD(stranger);

  REMOVE_QUEUE(last);
  REMOVE_QUEUE(second);
  REMOVE_QUEUE(third);
  check_file(HEADER);
}
