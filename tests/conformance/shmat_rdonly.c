/*
 * An attachment with SHM_RDONLY sees what others write and can't write itself: a store is SIGSEGV,
 * and mprotect() to writable EACCES. One without it can be made readable only and writable again.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(2));
  char* writer = ATTACH(id);
  char* reader = SHMAT(id, NULL, SHM_RDONLY);
  CHECK_NATTCH(id, 2);
  CHECK_LOAD(reader, 0);
  CHECK_STORE(reader, SIGSEGV);
  CHECK_STORE(reader + pages(2) - 1, SIGSEGV);
  strcpy(writer + pages(1), "seen");
  CHECK_TEXT(reader + pages(1), "seen");

  CHECK_ERRNO(mprotect(reader, pages(2), PROT_READ | PROT_WRITE), EACCES);
  CHECK_ERRNO(mprotect(reader + pages(1), pages(1), PROT_WRITE), EACCES);
  CHECK_STORE(reader, SIGSEGV);
  CHECK_EQ(mprotect(reader, pages(2), PROT_NONE), 0);
  CHECK_LOAD(reader, SIGSEGV);
  CHECK_EQ(mprotect(reader, pages(2), PROT_READ), 0);
  CHECK_LOAD(reader, 0);

  CHECK_EQ(mprotect(writer, pages(2), PROT_READ), 0);
  CHECK_STORE(writer, SIGSEGV);
  CHECK_EQ(mprotect(writer, pages(2), PROT_READ | PROT_WRITE), 0);
  CHECK_STORE(writer, 0);

  /* System calls can't write there either. */
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_ERRNO(read(ends[0], reader, 1), EFAULT);
  CHECK_EQ(read(ends[0], writer, 1), 1);
  CHECK_EQ(*reader, 'x');
  close(ends[0]);
  close(ends[1]);

  /* A child inherits the right that its parent had. */
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_STORE(reader, SIGSEGV);
    CHECK_ERRNO(mprotect(reader, pages(2), PROT_READ | PROT_WRITE), EACCES);
    CHECK_STORE(writer, 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  DETACH(reader);
  DETACH(writer);
  REMOVE_SEGMENT(id);
}
