/*
 * The bytes behind the size in a segment's last page are memory like the others: zero at first,
 * writable, and shared by all attachments. The page behind the last is not there.
 */
#include "shm_check.h"

int main(void) {
  const size_t sizes[] = {1, 100, pages(1) - 1, pages(1), pages(1) + 1, pages(2) + 77};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t whole = (sizes[i] + pages(1) - 1) / pages(1) * pages(1);
    int id = new_segment(sizes[i]);
    char* q = ATTACH(id);
    char* p = free_pages(whole / pages(1));
    CHECK(SHMAT(id, p, 0) == p);
    CHECK_BYTES(p, 0, whole);
    memset(p, 'x', whole);
    CHECK_BYTES(q, 'x', whole);
    CHECK_LOAD(p + whole, SIGSEGV);

    pid_t child = fork_child();
    if (child == 0) {
      q[whole - 1] = 'y';
      _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_EQ(p[whole - 1], 'y');

    /* They stay while nobody is attached. */
    DETACH(p);
    DETACH(q);
    q = ATTACH(id);
    CHECK_BYTES(q, 'x', whole - 1);
    CHECK_EQ(q[whole - 1], 'y');
    DETACH(q);
    REMOVE_SEGMENT(id);
  }
}
