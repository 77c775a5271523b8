/*
 * A segment that is marked to be destroyed is, when its last attachment goes, whatever makes it go
 * and whoever was the last: its id is EINVAL then, and its pages are no longer counted.
 */
#include "shm_check.h"

static void check_tot(int segments, size_t want) {
  struct shm_info info;
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.used_ids, segments);
  CHECK_EQ(info.shm_tot, want);
}

int main(void) {
  /* shmdt() */
  int id = new_segment(pages(3));
  char* p = ATTACH(id);
  char* q = ATTACH(id);
  memset(p, 'x', pages(3));
  REMOVE_SEGMENT(id);
  check_tot(1, 3);
  DETACH(p);
  CHECK_NATTCH(id, 1);
  DETACH(q);
  CHECK_DESTROYED(id);
  check_tot(0, 0);

  /* munmap(), of all and in pieces. */
  id = new_segment(pages(3));
  p = ATTACH(id);
  REMOVE_SEGMENT(id);
  CHECK_EQ(munmap(p, pages(3)), 0);
  CHECK_DESTROYED(id);
  id = new_segment(pages(3));
  p = ATTACH(id);
  REMOVE_SEGMENT(id);
  CHECK_EQ(munmap(p + pages(1), pages(1)), 0);
  CHECK_EQ(munmap(p, pages(1)), 0);
  CHECK_NATTCH(id, 1);
  CHECK_EQ(munmap(p + pages(2), pages(1)), 0);
  CHECK_DESTROYED(id);

  /* The last of parent and children, some of which exit, some are killed. */
  id = new_segment(pages(3));
  p = ATTACH(id);
  pid_t children[6];
  for (int i = 0; i < 6; i++) children[i] = FORK_ATTACHED(id);
  REMOVE_SEGMENT(id);
  CHECK_NATTCH(id, 13);
  DETACH(p);
  for (int i = 0; i < 6; i++) {
    CHECK_NATTCH(id, 2 * (6 - i));
    KILL_CHILD(children[i]);
  }
  CHECK_DESTROYED(id);

  /* A child's exit; its parent never attached. */
  int* shared = shared_memory(sizeof *shared);
  pid_t child = fork_child();
  if (child == 0) {
    *shared = new_segment(pages(2));
    ATTACH(*shared);
    ATTACH(*shared);
    REMOVE_SEGMENT(*shared);
    CHECK_NATTCH(*shared, 2);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_DESTROYED(*shared);

  /* One marked by another process, while its only user goes on. */
  id = new_segment(pages(1));
  p = ATTACH(id);
  child = fork_child();
  if (child == 0) {
    DETACH(p);
    REMOVE_SEGMENT(id);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 1);
  strcpy(p, "still there");
  CHECK_TEXT(p, "still there");
  DETACH(p);
  CHECK_DESTROYED(id);
  check_tot(0, 0);
}
