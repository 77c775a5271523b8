/*
 * With kernel.shm_rmid_forced, a segment is destroyed when its last attachment goes, marked or not.
 * To set it destroys at once what nobody has attached and whose maker has ended; what has never
 * been attached and has a living maker stays until that ends. Set back, it destroys no more.
 */
#include "shm_check.h"

static const char path[] = "/proc/sys/kernel/shm_rmid_forced";

static int made_by_the_dead(void) {
  int* id = shared_memory(sizeof *id);
  pid_t child = fork_child();
  if (child == 0) {
    *id = new_segment(100);
    _exit(0);
  }
  CHECK_CHILD(child);
  int made = *id;
  munmap(id, sizeof *id);
  return made;
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  char text[16];
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, "0\n");

  int orphan = made_by_the_dead(), used_orphan = made_by_the_dead(), mine = new_segment(100);
  char* p = ATTACH(used_orphan);
  DETACH(ATTACH(orphan));
  DETACH(ATTACH(mine));
  CHECK_ERRNO(put_text(path, "2"), EINVAL);
  CHECK_ERRNO(put_text(path, "-1"), EINVAL);
  CHECK_NATTCH(orphan, 0);
  CHECK_EQ(put_text(path, "1\n"), 0);
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, "1\n");
  CHECK_DESTROYED(orphan);
  CHECK_NATTCH(used_orphan, 1);
  CHECK_EQ(stat_segment(used_orphan).shm_perm.mode, 0600);
  DETACH(p);
  CHECK_DESTROYED(used_orphan);

  /* Mine is not attached; it goes with its next attachment. */
  CHECK_NATTCH(mine, 0);
  p = ATTACH(mine);
  char* q = ATTACH(mine);
  DETACH(p);
  CHECK_NATTCH(mine, 1);
  CHECK_EQ(munmap(q, pages(1)), 0);
  CHECK_DESTROYED(mine);

  /* A maker's end: destroyed when nobody has it attached, else when the last has gone. */
  CHECK_DESTROYED(made_by_the_dead());
  int* ids = shared_memory(2 * sizeof *ids);
  int* stage = shared_memory(sizeof *stage);
  pid_t maker = fork_child();
  if (maker == 0) {
    ids[0] = new_segment(100);
    ids[1] = new_segment(100);
    ATTACH(ids[0]);
    ATTACH(ids[1]);
    announce(stage, 1);
    for (;;) pause();
  }
  await(stage, 1);
  p = ATTACH(ids[1]);
  /* Somebody else's end is none of theirs. */
  pid_t other = fork_child();
  if (other == 0) _exit(0);
  CHECK_CHILD(other);
  CHECK_NATTCH(ids[0], 1);
  kill_to_zombie(maker);
  CHECK_DESTROYED(ids[0]);
  CHECK_NATTCH(ids[1], 1);
  KILL_CHILD(maker);
  DETACH(p);
  CHECK_DESTROYED(ids[1]);

  CHECK_EQ(put_text(path, "0\n"), 0);
  orphan = made_by_the_dead();
  DETACH(ATTACH(orphan));
  CHECK_NATTCH(orphan, 0);
  REMOVE_SEGMENT(orphan);
}
