/*
 * /proc/sysvipc/shm, byte for byte: the header, a line for each segment in the order of their
 * indexes, the key in decimal with its sign, the mode in octal, the size as it was asked for; at
 * the end the bytes that are in memory and in swap. Whoever reads sees all segments, permitted or
 * not.
 */
#include "shm_check.h"

#define HEADER                                                                                     \
  "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid "  \
  "     atime      dtime      ctime                   rss                  swap\n"

/* The file, with rss and swap of each segment taken out of the text: they are any number of pages.
 */
static void check_file(const char* want) {
  char text[4096], without[4096], *to = without;
  read_text("/proc/sysvipc/shm", text, sizeof text);
  for (char* line = text; *line; line = strchr(line, '\n') + 1) {
    size_t length = strcspn(line, "\n");
    bool header = line == text;
    if (!header) {
      unsigned long long size, rss, swap;
      CHECK(length > 44);
      CHECK_EQ(sscanf(line, "%*d %*d %*o %llu", &size), 1);
      CHECK_EQ(sscanf(line + length - 44, " %21llu %21llu", &rss, &swap), 2);
      CHECK(rss % pages(1) == 0 && swap % pages(1) == 0 && rss + swap <= size + pages(1) - 1);
      char numbers[64];
      snprintf(numbers, sizeof numbers, " %21llu %21llu", rss, swap);
      CHECK(strncmp(line + length - 44, numbers, 44) == 0);
    }
    to += sprintf(to, "%.*s\n", (int)(header ? length : length - 44), line);
  }
  CHECK_TEXT(without, want);
}

/* The line that the kernel prints for a segment, up to ctime. */
static char* line_of(char* line, int id) {
  struct shmid_ds ds;
  CHECK_OK(shmctl(id % SEQUENCE, SHM_STAT_ANY, &ds));
  return line +
         sprintf(line, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lld %10lld %10lld\n",
                 ds.shm_perm.__key, id, (unsigned)ds.shm_perm.mode, (unsigned long)ds.shm_segsz,
                 ds.shm_cpid, ds.shm_lpid, (unsigned long)ds.shm_nattch, ds.shm_perm.uid,
                 ds.shm_perm.gid, ds.shm_perm.cuid, ds.shm_perm.cgid, (long long)ds.shm_atime,
                 (long long)ds.shm_dtime, (long long)ds.shm_ctime);
}

int main(void) {
  NEED_ROOT();
  char want[4096], *end;
  check_file(HEADER);

  int first = CHECK_OK(shmget(0x1234, 12345, IPC_CREAT | 0640));
  snprintf(want, sizeof want,
           HEADER "      4660          0   640                 12345 %5d     0      0     0     0"
                  "     0     0          0          0 %10lld\n",
           getpid(), (long long)stat_segment(first).shm_ctime);
  check_file(want);
  char text[4096];
  read_text("/proc/sysvipc/shm", text, sizeof text);
  CHECK_TEXT(text + strlen(text) - 45, "                     0                     0\n");

  char* p = ATTACH(first);
  p[pages(1)] = 'x';
  line_of(stpcpy(want, HEADER), first);
  check_file(want);

  /* Negative keys, mode 0, users wider than their column; marked and locked. */
  int second = CHECK_OK(shmget(INT_MIN, 1, IPC_CREAT | 0));
  int third = CHECK_OK(shmget(-1, 77777777777, IPC_CREAT | SHM_NORESERVE | 0777));
  struct shmid_ds ds = stat_segment(second);
  ds.shm_perm.uid = 4294967294u;
  ds.shm_perm.gid = 123456;
  CHECK_EQ(shmctl(second, IPC_SET, &ds), 0);
  snprintf(want, sizeof want,
           "-2147483648          1     0                     1 %5d     0      0 4294967294 123456 "
           "    0     0          0          0 %10lld\n",
           getpid(), (long long)stat_segment(second).shm_ctime);
  char line[512];
  line_of(line, second);
  CHECK_TEXT(line, want);
  CHECK_EQ(shmctl(third, SHM_LOCK, NULL), 0);
  char* q = ATTACH(third);
  REMOVE_SEGMENT(third);
  line_of(line, third);
  CHECK(strncmp(line, "         0          2  3777           77777777777 ", 50) == 0);

  /* Once round, the higher id with the lower index comes first. */
  DETACH(p);
  REMOVE_SEGMENT(first);
  for (int i = 3; i < 64; i++) REMOVE_SEGMENT(new_segment(1));
  int last = new_segment(5);
  CHECK_EQ(last, SEQUENCE);
  end = stpcpy(want, HEADER);
  end = line_of(end, last);
  end = line_of(end, second);
  line_of(end, third);
  check_file(want);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    DETACH(q);
    become(10001, 10001, 0);
    CHECK_ERRNO(shmctl(second, IPC_STAT, &ds), EACCES);
    end = stpcpy(want, HEADER);
    end = line_of(end, last);
    end = line_of(end, second);
    line_of(end, third);
    check_file(want);
    _exit(0);
  }
  CHECK_CHILD(stranger);

  DETACH(q);
  REMOVE_SEGMENT(last);
  REMOVE_SEGMENT(second);
  check_file(HEADER);
}
