/*
 * Attachments of several namespaces side by side: each counts where it belongs, whatever cuts it,
 * covers it, inherits it or ends it.
 */
#include "ns_check.h"

enum { PAGES = 4 };

static size_t page;

static char* attach(int id, void* address, int flags) {
  char* got = shmat(id, address, flags);
  CHECK(got != (void*)-1);
  return got;
}

/* nattch of segment 0 in the namespace. */
static long count_in(int namespace, int back) {
  struct shmid_ds status;
  CHECK_EQ(setns(namespace, CLONE_NEWIPC), 0);
  long count = shmctl(0, IPC_STAT, &status) == 0 ? (long)status.shm_nattch : -1;
  CHECK_EQ(setns(back, CLONE_NEWIPC), 0);
  return count;
}

int main(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  CHECK_EQ(shmget(IPC_PRIVATE, PAGES * page, 0600), 0);
  int first = open_namespace();
  MOVE_TO_NEW();
  int second = open_namespace();
  CHECK_EQ(shmget(IPC_PRIVATE, PAGES * page, 0600), 0);
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);

  char* room = mmap(NULL, 2 * PAGES * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(room != MAP_FAILED);
  char* low = attach(0, room, SHM_REMAP);
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  char* high = attach(0, room + PAGES * page, SHM_REMAP);
  strcpy(low, "first");
  strcpy(high, "second");
  CHECK_EQ(count_in(first, second), 1);
  CHECK_EQ(count_in(second, second), 1);

  /* A child has both. */
  int* stage = shared_memory(sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    announce(stage, 1);
    await(stage, 2);
    CHECK_EQ(shmdt(low), 0);
    announce(stage, 3);
    await(stage, 4);
    _exit(0);
  }
  await(stage, 1);
  CHECK_EQ(count_in(first, second), 2);
  CHECK_EQ(count_in(second, second), 2);
  announce(stage, 2);
  await(stage, 3);
  CHECK_EQ(count_in(first, second), 1);
  CHECK_EQ(count_in(second, second), 2);
  announce(stage, 4);
  CHECK_CHILD(child);
  CHECK_EQ(count_in(second, second), 1);

  /* Killed, and exec'ed. */
  child = fork_child();
  if (child == 0) pause();
  CHECK_EQ(count_in(first, second), 2);
  KILL_CHILD(child);
  CHECK_EQ(count_in(first, second), 1);
  child = fork_child();
  if (child == 0) {
    execlp("sleep", "sleep", "0.2", NULL);
    _exit(1);
  }
  while (count_in(first, second) != 1 || count_in(second, second) != 1) sleep_ms(1);
  CHECK_CHILD(child);

  /* One call cuts both. */
  CHECK_EQ(munmap(low + page * (PAGES - 1), 2 * page), 0);
  CHECK_EQ(count_in(first, second), 1);
  CHECK_EQ(count_in(second, second), 1);
  CHECK_EQ(mprotect(low + page, page, PROT_READ), 0);
  CHECK_EQ(mprotect(high + 2 * page, page, PROT_READ), 0);
  CHECK_EQ(count_in(first, second), 3);
  CHECK_EQ(count_in(second, second), 3);
  CHECK_EQ(strcmp(low, "first"), 0);

  /* Covered by another's, by memory, and moved. */
  CHECK_EQ(attach(0, low, SHM_REMAP) == low, 1);
  CHECK_EQ(strcmp(low, "second"), 0);
  CHECK_EQ(count_in(first, second), 0);
  CHECK_EQ(count_in(second, second), 4);
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  char* third = attach(0, NULL, 0);
  CHECK(mremap(third, PAGES * page, PAGES * page, MREMAP_MAYMOVE | MREMAP_FIXED, low) == low);
  CHECK_EQ(count_in(first, first), 1);
  CHECK_EQ(strcmp(low, "first"), 0);
  CHECK(mmap(low, 2 * PAGES * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        low);
  CHECK_EQ(count_in(first, first), 0);
  CHECK_EQ(count_in(second, first), 0);
  CHECK_EQ(shmctl(0, IPC_RMID, NULL), 0);
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  CHECK_EQ(shmctl(0, IPC_RMID, NULL), 0);

  /* Made smaller and moved: what is cut off may be another's. */
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  CHECK(attach(CHECK_OK(shmget(IPC_PRIVATE, PAGES * page, 0600)), low, SHM_REMAP) == low);
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  int other = CHECK_OK(shmget(IPC_PRIVATE, PAGES * page, 0600));
  CHECK(attach(other, high, SHM_REMAP) == high);
  CHECK(mremap(high - page, 2 * page, page, MREMAP_MAYMOVE | MREMAP_FIXED, high + 2 * page) ==
        high + 2 * page);
  CHECK_EQ(munmap(high + page, page), 0);
  CHECK_EQ(munmap(high + 3 * page, page), 0);
  struct shmid_ds status;
  CHECK_EQ(shmctl(other, IPC_STAT, &status), 0);
  CHECK_EQ(status.shm_nattch, 0);
  CHECK_EQ(munmap(low, 2 * PAGES * page), 0);

  /* Of many, each in its turn, and detached when the next is there. */
  char* before = NULL;
  for (int n = 0; n < 50; n++) {
    MOVE_TO_NEW();
    char* here = attach(CHECK_OK(shmget(IPC_PRIVATE, page, 0600)), NULL, 0);
    if (before != NULL) CHECK_EQ(shmdt(before), 0);
    before = here;
  }
}
