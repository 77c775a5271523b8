/*
 * A segment that is marked to be destroyed is listed as long as it lives: by SHM_STAT and
 * SHM_STAT_ANY with its id, in SHM_INFO's counts, in /proc/sysvipc/shm with key 0 and its mode.
 */
#include "shm_check.h"

static bool in_proc(int id, const char* mode) {
  char text[8192], start[64];
  read_text("/proc/sysvipc/shm", text, sizeof text);
  snprintf(start, sizeof start, "\n         0 %10d  %4s ", id, mode);
  return strstr(text, start) != NULL;
}

int main(void) {
  int before = CHECK_OK(shmget(0x10ea, 100, IPC_CREAT | 0600));
  int id = CHECK_OK(shmget(0x10eb, 20000, IPC_CREAT | 0640));
  char* p = ATTACH(id);
  CHECK(!in_proc(id, "640"));
  REMOVE_SEGMENT(id);

  struct shm_info info;
  struct shmid_ds ds;
  CHECK_EQ(shmctl(0, SHM_INFO, (struct shmid_ds*)&info), 1);
  CHECK_EQ(info.used_ids, 2);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)&(struct shminfo){0}), 1);
  const int commands[] = {SHM_STAT, SHM_STAT_ANY};
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(shmctl(1, commands[i], &ds), id);
    CHECK_EQ(ds.shm_perm.mode, SHM_DEST | 0640);
    CHECK_EQ(ds.shm_perm.__key, 0);
    CHECK_EQ(ds.shm_segsz, 20000);
    CHECK_EQ(ds.shm_nattch, 1);
  }
  CHECK(in_proc(id, "1640"));

  DETACH(p);
  CHECK(!in_proc(id, "1640"));
  CHECK_EQ(shmctl(0, SHM_INFO, (struct shmid_ds*)&info), 0);
  CHECK_EQ(info.used_ids, 1);
  for (int i = 0; i < 2; i++) CHECK_ERRNO(shmctl(1, commands[i], &ds), EINVAL);
  REMOVE_SEGMENT(before);
}
