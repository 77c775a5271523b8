/*
 * /proc/sys/kernel/shmmax, shmall, shmmni: the defaults, in effect as soon as written, and what
 * they refuse.
 */
#include "shm_check.h"

#define SHMMAX_FILE "/proc/sys/kernel/shmmax"
#define SHMALL_FILE "/proc/sys/kernel/shmall"
#define SHMMNI_FILE "/proc/sys/kernel/shmmni"

static void check_value(const char* path, const char* want) {
  char text[64];
  read_text(path, text, sizeof text);
  CHECK_TEXT(text, want);
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  check_value(SHMMAX_FILE, "18446744073692774399\n");
  check_value(SHMALL_FILE, "18446744073692774399\n");
  check_value(SHMMNI_FILE, "4096\n");

  CHECK_EQ(put_text(SHMMAX_FILE, "5000\n"), 0);
  CHECK_EQ(put_text(SHMALL_FILE, " 4"), 0);
  CHECK_EQ(put_text(SHMMNI_FILE, "3\n"), 0);
  check_value(SHMMAX_FILE, "5000\n");
  check_value(SHMALL_FILE, "4\n");
  check_value(SHMMNI_FILE, "3\n");
  struct shminfo info;
  CHECK_OK(shmctl(0, IPC_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.shmmax, 5000);
  CHECK_EQ(info.shmall, 4);
  CHECK_EQ(info.shmmni, 3);
  CHECK_EQ(info.shmseg, 3);
  CHECK_EQ(info.shmmin, 1);

  CHECK_ERRNO(shmget(IPC_PRIVATE, 5001, 0600), EINVAL);
  int ids[3];
  ids[0] = new_segment(5000);
  CHECK_ERRNO(shmget(IPC_PRIVATE, pages(2) + 1, 0600), EINVAL);
  ids[1] = new_segment(5000);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_EQ(put_text(SHMALL_FILE, "1000"), 0);
  ids[2] = new_segment(1);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_EQ(put_text(SHMMNI_FILE, "1"), 0);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  for (int i = 0; i < 3; i++) REMOVE_SEGMENT(ids[i]);
  CHECK_EQ(put_text(SHMMNI_FILE, "0"), 0);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);

  const struct {
    const char *path, *text;
  } refused[] = {
      {SHMMNI_FILE, "-1"}, {SHMMNI_FILE, "32769"},      {SHMMNI_FILE, "x"},  {SHMMAX_FILE, "x"},
      {SHMALL_FILE, "x"},  {SHMMNI_FILE, "4294967296"}, {SHMMAX_FILE, "-1"}, {SHMALL_FILE, "-1"},
  };
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
    CHECK_ERRNO(put_text(refused[i].path, refused[i].text), EINVAL);
  check_value(SHMMAX_FILE, "5000\n");
  check_value(SHMALL_FILE, "1000\n");
  check_value(SHMMNI_FILE, "0\n");
  CHECK_EQ(put_text(SHMMNI_FILE, "32768"), 0);
  check_value(SHMMNI_FILE, "32768\n");
  CHECK_EQ(put_text(SHMMAX_FILE, "18446744073709551615"), 0);
  check_value(SHMMAX_FILE, "18446744073709551615\n");
  CHECK_EQ(put_text(SHMALL_FILE, "0x10"), 0);
  check_value(SHMALL_FILE, "16\n");
}
