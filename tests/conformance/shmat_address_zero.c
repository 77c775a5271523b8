/*
 * An address below SHMLBA, rounded down by SHM_RND, is page 0 and not the lack of an address: the
 * segment is attached there, also over what is mapped there. Who may not map page 0 gets EPERM.
 */
#include "shm_check.h"

enum { STRANGER = 10001 };

int main(void) {
  NEED_ROOT();
  char text[32];
  read_text("/proc/sys/vm/mmap_min_addr", text, sizeof text);
  if (atoi(text) == 0) SKIP("vm.mmap_min_addr gives page 0 to everyone");
  int id = CHECK_OK(shmget(IPC_PRIVATE, 100, 0666)), other = new_segment(100);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(shmat(id, (void*)1, SHM_RND), EPERM);
    _exit(0);
  }
  CHECK_CHILD(stranger);
  CHECK_NATTCH(id, 0);
  CHECK_LPID(id, 0);

  char* p = ATTACH(id);
  *p = 'i';
  if (shmat(id, (void*)1, SHM_RND) == (void*)-1) SKIP("page 0 is not even root's");
  CHECK_NATTCH(id, 2);
  char byte, *volatile zero = NULL;
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(write(ends[1], zero, 1), 1);
  CHECK_EQ(read(ends[0], &byte, 1), 1);
  CHECK_EQ(byte, 'i');

  /* Occupied, it is attached all the same; shmdt() takes it away. */
  CHECK_EQ((long)shmat(other, (void*)(SHMLBA - 1l), SHM_RND), 0);
  CHECK_NATTCH(id, 1);
  CHECK_NATTCH(other, 1);
  CHECK_EQ(write(ends[1], zero, 1), 1);
  CHECK_EQ(read(ends[0], &byte, 1), 1);
  CHECK_EQ(byte, 0);
  CHECK_EQ(shmdt(zero), 0);
  CHECK_NATTCH(other, 0);
  CHECK_ERRNO(shmdt(zero), EINVAL);
  close(ends[0]);
  close(ends[1]);
  DETACH(p);
  REMOVE_SEGMENT(id);
  REMOVE_SEGMENT(other);
}
