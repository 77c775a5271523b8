/*
 * SHM_HUGETLB on a machine that has no huge pages: ENOMEM, EINVAL for a page size that it does not
 * know, whatever the rest. For an existing segment the flag means nothing. The right to huge pages
 * is CAP_IPC_LOCK or the group of vm.hugetlb_shm_group; who has neither gets EPERM.
 */
#include "shm_check.h"
#include <sys/resource.h>

enum { KEY = 0x10e7, STRANGER = 10001, TWO_MEBIBYTES = 21 << 26 };

int main(void) {
  NEED_ROOT();
  char text[32];
  if (access("/proc/sys/vm/nr_hugepages", R_OK) != 0) SKIP("the kernel knows no huge pages");
  read_text("/proc/sys/vm/nr_hugepages", text, sizeof text);
  if (atoi(text) != 0) SKIP("the machine has huge pages");
  read_text("/proc/sys/vm/nr_overcommit_hugepages", text, sizeof text);
  if (atoi(text) != 0) SKIP("the machine has huge pages");

  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, SHM_HUGETLB | 0600), ENOMEM);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 4 << 20, SHM_HUGETLB | 0600), ENOMEM);
  CHECK_ERRNO(shmget(KEY, 4 << 20, SHM_HUGETLB | IPC_CREAT | 0600), ENOMEM);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, SHM_HUGETLB | 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, SHM_HUGETLB | 5 << 26 | 0600), EINVAL);
  CHECK_ERRNO(shmget(KEY, 1, SHM_HUGETLB | 0600), ENOENT);
#ifdef __x86_64__
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, SHM_HUGETLB | TWO_MEBIBYTES | 0600), ENOMEM);
#endif

  int id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0600));
  CHECK_EQ(shmget(KEY, 100, SHM_HUGETLB | 0600), id);
  CHECK_EQ(shmget(KEY, 100, SHM_HUGETLB | 5 << 26 | IPC_CREAT | 0600), id);
  REMOVE_SEGMENT(id);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}), 0);
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(shmget(IPC_PRIVATE, 1, SHM_HUGETLB | 0600), EPERM);
    CHECK_ERRNO(shmget(IPC_PRIVATE, 1, SHM_HUGETLB | 5 << 26 | 0600), EINVAL);
    CHECK_ERRNO(shmget(IPC_PRIVATE, 0, SHM_HUGETLB | 0600), EINVAL);
    _exit(0);
  }
  CHECK_CHILD(stranger);
}
