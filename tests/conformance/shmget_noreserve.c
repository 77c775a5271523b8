/*
 * A segment's memory is accounted when it is made: more than the machine could ever have is ENOMEM,
 * and uses up no id. SHM_NORESERVE leaves the accounting to the moment of use.
 */
#include "shm_check.h"

static unsigned long long meminfo(const char* name) {
  char line[256], format[64];
  unsigned long long kilobytes = 0;
  FILE* file = fopen("/proc/meminfo", "r");
  if (!file) SKIP("needs /proc/meminfo");
  snprintf(format, sizeof format, "%s: %%llu kB", name);
  while (fgets(line, sizeof line, file))
    if (sscanf(line, format, &kilobytes) == 1) break;
  fclose(file);
  return kilobytes * 1024;
}

int main(void) {
  char text[16];
  read_text("/proc/sys/vm/overcommit_memory", text, sizeof text);
  if (atoi(text) != 0) SKIP("needs vm.overcommit_memory 0");
  size_t size = meminfo("MemTotal") + meminfo("SwapTotal") + (1ul << 30);

  CHECK_ERRNO(shmget(IPC_PRIVATE, size, 0600), ENOMEM);
  CHECK_ERRNO(shmget(0x10fb, size, IPC_CREAT | 0600), ENOMEM);
  CHECK_ERRNO(shmget(IPC_PRIVATE, LONG_MAX, 0600), ENOMEM);
  CHECK_ERRNO(shmget(0x10fb, 0, 0), ENOENT);
  struct shm_info info;
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.used_ids, 0);
  CHECK_EQ(info.shm_tot, 0);

  int id = CHECK_OK(shmget(IPC_PRIVATE, size, SHM_NORESERVE | 0600));
  CHECK_EQ(id, 0);
  CHECK_EQ(stat_segment(id).shm_segsz, size);
  CHECK_EQ(stat_segment(id).shm_perm.mode, 0600);
  char* p = ATTACH(id);
  p[0] = p[size / 2] = p[size - 1] = 'x';
  CHECK_BYTES(p + 1, 0, pages(2) - 1);
  DETACH(p);
  REMOVE_SEGMENT(id);
}
