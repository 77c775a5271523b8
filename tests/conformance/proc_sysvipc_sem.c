/*
 * /proc/sysvipc/sem, byte for byte: the header, a line for each set in the order of their indexes,
 * the key in decimal with its sign, the mode in octal. Whoever reads sees all sets, permitted or
 * not.
 */
#include "sem_check.h"

#define HEADER                                                                                     \
  "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"

static void check_file(const char* want) {
  char text[4096];
  read_text("/proc/sysvipc/sem", text, sizeof text);
  CHECK_TEXT(text, want);
}

/* The line that the kernel prints for a set. */
static char* line_of(char* line, int id) {
  struct semid_ds ds = stat_set(id);
  return line + sprintf(line, "%10d %10d  %4o %10lu %5u %5u %5u %5u %10lld %10lld\n",
                        ds.sem_perm.__key, id, (unsigned)ds.sem_perm.mode,
                        (unsigned long)ds.sem_nsems, ds.sem_perm.uid, ds.sem_perm.gid,
                        ds.sem_perm.cuid, ds.sem_perm.cgid, (long long)ds.sem_otime,
                        (long long)ds.sem_ctime);
}

int main(void) {
  NEED_ROOT();
  char want[4096], *end;
  check_file(HEADER);

  int first = CHECK_OK(semget(0x1234, 12, IPC_CREAT | 0640));
  snprintf(want, sizeof want,
           HEADER "      4660          0   640         12     0     0     0     0          0"
                  " %10lld\n",
           (long long)stat_set(first).sem_ctime);
  check_file(want);

  CHECK_EQ(SEMOP(first, {11, 1, 0}), 0);
  line_of(stpcpy(want, HEADER), first);
  check_file(want);

  /* Negative keys, mode 0, users wider than their column. */
  int second = CHECK_OK(semget(INT_MIN, 32000, IPC_CREAT | 0));
  int third = CHECK_OK(semget(-1, 1, IPC_CREAT | 0777));
  struct semid_ds ds = stat_set(second);
  ds.sem_perm.uid = 4294967294u;
  ds.sem_perm.gid = 123456;
  CHECK_EQ(change_set(second, &ds), 0);
  snprintf(want, sizeof want,
           "-2147483648          1     0      32000 4294967294 123456     0     0          0"
           " %10lld\n",
           (long long)stat_set(second).sem_ctime);
  char line[256];
  line_of(line, second);
  CHECK_TEXT(line, want);

  /* Once round, the higher id with the lower index comes first. */
  REMOVE_SET(first);
  for (int i = 3; i < 64; i++) REMOVE_SET(new_set(1));
  int last = new_set(5);
  CHECK_EQ(last, SEQUENCE);
  end = stpcpy(want, HEADER);
  end = line_of(end, last);
  end = line_of(end, second);
  line_of(end, third);
  check_file(want);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(10001, 10001, 0);
    CHECK_ERRNO(semctl(second, 0, GETVAL), EACCES);
    check_file(want);
    _exit(0);
  }
  CHECK_CHILD(stranger);

  REMOVE_SET(last);
  REMOVE_SET(second);
  REMOVE_SET(third);
  check_file(HEADER);
}
