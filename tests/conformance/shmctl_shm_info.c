/*
 * SHM_INFO: used_ids is the number of segments, shm_tot that of all their pages; of those, shm_rss
 * and shm_swp exist, none before they are touched, and at most all. It returns the highest index in
 * use, 0 when there is none.
 */
#include "shm_check.h"

static struct shm_info check_info(int highest, int segments, size_t total) {
  struct shm_info info;
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(shmctl(0, SHM_INFO, (struct shmid_ds*)&info), highest);
  CHECK_EQ(info.used_ids, segments);
  CHECK_EQ(info.shm_tot, total);
  CHECK(info.shm_rss + info.shm_swp <= total);
  CHECK_EQ(info.swap_attempts, 0);
  CHECK_EQ(info.swap_successes, 0);
  return info;
}

int main(void) {
  struct shm_info info = check_info(0, 0, 0);
  CHECK_EQ(new_segment(1), 0);
  info = check_info(0, 1, 1);
  CHECK_EQ(info.shm_rss + info.shm_swp, 0);
  CHECK_EQ(new_segment(pages(100)), 1);
  CHECK_EQ(new_segment(pages(5) + 1), 2);
  check_info(2, 3, 107);

  /* A store needs its page, a load too; attaching none. */
  char* p = ATTACH(1);
  check_info(2, 3, 107);
  for (size_t i = 0; i < 100; i += 2) p[pages(i)] = 'x';
  info = check_info(2, 3, 107);
  CHECK(info.shm_rss + info.shm_swp >= 50);
  char* q = SHMAT(1, NULL, SHM_RDONLY);
  CHECK_BYTES(q + pages(1), 0, pages(1));
  memset(p, 'x', pages(100));
  info = check_info(2, 3, 107);
  CHECK(info.shm_rss + info.shm_swp >= 100);

  /* They stay when nobody is attached, and go with the segment. */
  DETACH(p);
  DETACH(q);
  info = check_info(2, 3, 107);
  CHECK(info.shm_rss + info.shm_swp >= 100);
  p = ATTACH(1);
  REMOVE_SEGMENT(1);
  info = check_info(2, 3, 107);
  CHECK(info.shm_rss + info.shm_swp >= 100);
  DETACH(p);
  info = check_info(2, 2, 7);
  REMOVE_SEGMENT(2);
  check_info(0, 1, 1);
  REMOVE_SEGMENT(0);
  check_info(0, 0, 0);
  CHECK_ERRNO(shmctl(-1, SHM_INFO, (struct shmid_ds*)&info), EINVAL);
  CHECK_ERRNO(shmctl(0, SHM_INFO, NULL), EFAULT);
  CHECK_EQ(shmctl(INT_MAX, SHM_INFO, (struct shmid_ds*)&info), 0);
}
