/*
 * An attachment is memory to other system calls, too: read() fills it for all to see, write() sends
 * what others stored, another process's memory calls reach it, and at its end a copy stops.
 */
#include "shm_check.h"
#include <sys/uio.h>

int main(void) {
  int id = new_segment(pages(2));
  char* other = ATTACH(id);
  char* p = free_pages(2);
  CHECK(SHMAT(id, p, 0) == p);
  int ends[2];
  CHECK_EQ(pipe(ends), 0);

  strcpy(other, "stored");
  CHECK_EQ(write(ends[1], p, 7), 7);
  CHECK_EQ(read(ends[0], p + pages(1) - 3, 7), 7);
  CHECK_TEXT(other + pages(1) - 3, "stored");
  struct iovec parts[] = {{p, 3}, {other + pages(1), 4}};
  CHECK_EQ(writev(ends[1], parts, 2), 7);
  CHECK_EQ(readv(ends[0], (struct iovec[]){{other + 100, 7}}, 1), 7);
  CHECK_TEXT(p + 100, "stored");

  /* Nothing behind the end. */
  CHECK_ERRNO(write(ends[1], p + pages(2), 1), EFAULT);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_ERRNO(read(ends[0], p + pages(2), 1), EFAULT);

  /* From outside. */
  pid_t child = FORK_ATTACHED(id);
  char text[7];
  struct iovec here = {text, sizeof text}, there = {p + 100, sizeof text};
  if (process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof text) {
    CHECK_TEXT(text, "stored");
    strcpy(text, "poked!");
    CHECK_EQ(process_vm_writev(child, &here, 1, &there, 1, 0), sizeof text);
    CHECK_TEXT(other + 100, "poked!");
  }
  KILL_CHILD(child);
  close(ends[0]);
  close(ends[1]);
  DETACH(p);
  DETACH(other);
  REMOVE_SEGMENT(id);
}
