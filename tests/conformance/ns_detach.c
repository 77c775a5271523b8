/*
 * shmdt() of an address where an attachment of one namespace begins, and what is left of one of
 * another would have begun: it ends the one that comes first, wherever the caller is.
 */
#include "ns_check.h"

enum { PAGES = 3 };

static size_t page;

static long count_here(void) {
  struct shmid_ds status;
  CHECK_EQ(shmctl(0, IPC_STAT, &status), 0);
  return (long)status.shm_nattch;
}

static long count_in(int namespace) {
  int own = open_namespace();
  CHECK_EQ(setns(namespace, CLONE_NEWIPC), 0);
  long count = count_here();
  CHECK_EQ(setns(own, CLONE_NEWIPC), 0);
  CHECK_EQ(close(own), 0);
  return count;
}

/* Of `rest` all but the first page is attached, in whose place stands `whole`. */
static void detach_both(int rest, int whole, int caller) {
  char* room = mmap(NULL, PAGES * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(room != MAP_FAILED);
  CHECK_EQ(setns(rest, CLONE_NEWIPC), 0);
  CHECK(shmat(0, room, SHM_REMAP) == room);
  CHECK_EQ(munmap(room, page), 0);
  CHECK_EQ(setns(whole, CLONE_NEWIPC), 0);
  int id = CHECK_OK(shmget(IPC_PRIVATE, page, 0600));
  CHECK(shmat(id, room, 0) == room);
  CHECK_EQ(setns(caller, CLONE_NEWIPC), 0);
  CHECK_EQ(shmdt(room), 0);
  CHECK_EQ(count_in(rest), 1);
  CHECK_EQ(shmdt(room), 0);
  CHECK_EQ(count_in(rest), 0);
  CHECK_ERRNO(shmdt(room), EINVAL);
  CHECK_EQ(munmap(room, PAGES * page), 0);
}

int main(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  CHECK_EQ(shmget(IPC_PRIVATE, PAGES * page, 0600), 0);
  int first = open_namespace();
  MOVE_TO_NEW();
  CHECK_EQ(shmget(IPC_PRIVATE, PAGES * page, 0600), 0);
  int second = open_namespace();
  MOVE_TO_NEW();
  int third = open_namespace();
  detach_both(first, second, first);
  detach_both(first, second, second);
  detach_both(first, second, third);
  detach_both(second, first, first);
  detach_both(second, first, second);
  detach_both(second, first, third);
}
