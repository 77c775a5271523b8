/*
 * Which call sets which time. atime: shmat(), fork(), and whatever makes a piece of an attachment
 * or moves it. dtime: shmdt(), munmap(), mremap() that moves, exec, an end. ctime: IPC_SET alone.
 */
#include "shm_check.h"

enum { ATIME = 1, DTIME = 2, CTIME = 4 };
enum {
  NOTHING,
  ATTACHED,
  DETACHED,
  MUNMAP,
  MUNMAP_MIDDLE,
  MPROTECT,
  MOVE,
  SHRINK,
  FORK,
  SET,
  RMID,
  LOCK,
  SEGMENTS
};

static int ids[SEGMENTS];
static struct shmid_ds before[SEGMENTS];

static void check_changed(int which, int changed) {
  struct shmid_ds now = stat_segment(ids[which]);
  int later = (now.shm_atime > before[which].shm_atime ? ATIME : 0) |
              (now.shm_dtime > before[which].shm_dtime ? DTIME : 0) |
              (now.shm_ctime > before[which].shm_ctime ? CTIME : 0);
  if (later != changed) FAIL("case %d: expected the change of %d, got %d", which, changed, later);
  CHECK(now.shm_atime <= time(NULL) && now.shm_dtime <= time(NULL) && now.shm_ctime <= time(NULL));
}

int main(void) {
  char* at[SEGMENTS];
  char* target = free_pages(4);
  for (int i = 0; i < SEGMENTS; i++) {
    ids[i] = CHECK_OK(shmget(0x10f0 + i, pages(4), IPC_CREAT | 0600));
    CHECK_EQ(stat_segment(ids[i]).shm_atime, 0);
    at[i] = ATTACH(ids[i]);
    CHECK(stat_segment(ids[i]).shm_atime != 0);
    CHECK_EQ(stat_segment(ids[i]).shm_dtime, 0);
    DETACH(at[i]);
    CHECK(stat_segment(ids[i]).shm_dtime != 0);
    at[i] = ATTACH(ids[i]);
    if (i != FORK) CHECK_EQ(madvise(at[i], pages(4), MADV_DONTFORK), 0);
    before[i] = stat_segment(ids[i]);
  }
  next_second();

  CHECK_ERRNO(shmat(ids[NOTHING], at[NOTHING], 0), EINVAL);
  CHECK_ERRNO(shmdt(at[NOTHING] + pages(1)), EINVAL);
  CHECK_EQ(shmget(0x10f0 + NOTHING, 0, 0600), ids[NOTHING]);
  at[NOTHING][100] = 'x';
  CHECK_EQ(mprotect(at[NOTHING], pages(4), PROT_READ), 0);
  check_changed(NOTHING, 0);

  char* second = SHMAT(ids[ATTACHED], NULL, SHM_RDONLY);
  check_changed(ATTACHED, ATIME);
  DETACH(at[DETACHED]);
  check_changed(DETACHED, DTIME);
  CHECK_EQ(munmap(at[MUNMAP], pages(4)), 0);
  check_changed(MUNMAP, DTIME);
  CHECK_EQ(munmap(at[MUNMAP_MIDDLE] + pages(1), pages(1)), 0);
  check_changed(MUNMAP_MIDDLE, ATIME | DTIME);
  CHECK_EQ(mprotect(at[MPROTECT], pages(2), PROT_READ), 0);
  check_changed(MPROTECT, ATIME);
  CHECK(mremap(at[MOVE], pages(4), pages(4), MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
  check_changed(MOVE, ATIME | DTIME);
  CHECK(mremap(at[SHRINK], pages(4), pages(3), 0) == at[SHRINK]);
  check_changed(SHRINK, ATIME | DTIME);

  int* stage = shared_memory(sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    announce(stage, 1);
    await(stage, 2);
    _exit(0);
  }
  await(stage, 1);
  check_changed(FORK, ATIME);
  announce(stage, 2);
  CHECK_CHILD(child);
  check_changed(FORK, ATIME | DTIME);

  CHECK_EQ(shmctl(ids[SET], IPC_SET, &before[SET]), 0);
  check_changed(SET, CTIME);
  CHECK_EQ(shmctl(ids[RMID], IPC_RMID, NULL), 0);
  check_changed(RMID, 0);
  if (shmctl(ids[LOCK], SHM_LOCK, NULL) == 0) CHECK_EQ(shmctl(ids[LOCK], SHM_UNLOCK, NULL), 0);
  check_changed(LOCK, 0);
  CHECK_LOAD(second, 0);
  for (int i = 0; i < SEGMENTS; i++) REMOVE_SEGMENT(ids[i]);
}
