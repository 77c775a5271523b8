/*
 * A thousand segments, all attached in one process at a time: no limit of SHMSEG applies, a child
 * inherits all, and its end detaches all.
 */
#include "shm_check.h"

enum { SEGMENTS = 1000 };

int main(void) {
  static int ids[SEGMENTS];
  static char* at[SEGMENTS];
  for (int i = 0; i < SEGMENTS; i++) {
    ids[i] = new_segment(pages(1) + sizeof i + i);
    at[i] = ATTACH(ids[i]);
    memcpy(at[i] + pages(1), &i, sizeof i);
  }
  pid_t child = fork_child();
  if (child == 0) {
    for (int i = 0; i < SEGMENTS; i++) {
      CHECK_NATTCH(ids[i], 2);
      CHECK(memcmp(at[i] + pages(1), &i, sizeof i) == 0);
      *at[i] = 'c';
    }
    _exit(0);
  }
  CHECK_CHILD(child);
  for (int i = 0; i < SEGMENTS; i++) {
    CHECK_NATTCH(ids[i], 1);
    CHECK_EQ(*at[i], 'c');
    if (i % 2) REMOVE_SEGMENT(ids[i]);
    DETACH(at[i]);
    if (i % 2)
      CHECK_DESTROYED(ids[i]);
    else
      REMOVE_SEGMENT(ids[i]);
  }
  struct shm_info info;
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.used_ids, 0);
}
