/* IPC_INFO: the limits; shmmin is 1, shmseg is shmmni. It returns the highest index in use. */
#include "shm_check.h"

int main(void) {
  struct shminfo info;
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)&info), 0);

  /* Whatever else the structure has is zero. */
  struct shminfo want;
  memset(&want, 0, sizeof want);
  want.shmmax = DEFAULT_SHMMAX;
  want.shmmin = 1;
  want.shmmni = DEFAULT_SHMMNI;
  want.shmseg = DEFAULT_SHMMNI;
  want.shmall = DEFAULT_SHMALL;
  CHECK(memcmp(&info, &want, sizeof info) == 0);

  /* The limits do not depend on what exists, nor on the id, as long as it is not negative. */
  for (int i = 0; i < 3; i++) CHECK_EQ(new_segment(1000), i);
  memset(&info, 0xa5, sizeof info);
  CHECK_EQ(shmctl(INT_MAX, IPC_INFO, (struct shmid_ds*)&info), 2);
  CHECK(memcmp(&info, &want, sizeof info) == 0);
  CHECK_ERRNO(shmctl(-1, IPC_INFO, (struct shmid_ds*)&info), EINVAL);
  CHECK_ERRNO(shmctl(0, IPC_INFO, NULL), EFAULT);
  REMOVE_SEGMENT(2);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)&info), 1);
  REMOVE_SEGMENT(0);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)&info), 1);
  REMOVE_SEGMENT(1);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)&info), 0);
}
