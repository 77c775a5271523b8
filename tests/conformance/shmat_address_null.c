/*
 * shmat() with address NULL finds free pages: each attachment at an address of its own, a multiple
 * of the page size, and as many pages as the size needs; what lies behind them is not mapped by it.
 */
#include "shm_check.h"

enum { ATTACHMENTS = 20 };

int main(void) {
  size_t size = pages(2) + 1;
  int id = new_segment(size);
  char* at[ATTACHMENTS];
  for (int i = 0; i < ATTACHMENTS; i++) {
    at[i] = ATTACH(id);
    for (int j = 0; j < i; j++) CHECK(at[i] >= at[j] + pages(3) || at[j] >= at[i] + pages(3));
  }
  CHECK_NATTCH(id, ATTACHMENTS);

  /* One memory, seen through all of them. */
  for (int i = 0; i < ATTACHMENTS; i++) {
    at[i][size - 1] = (char)i;
    for (int j = 0; j < ATTACHMENTS; j++) CHECK_EQ(at[j][size - 1], i);
  }
  /* SHM_RND has nothing to round. */
  char* rounded = SHMAT(id, NULL, SHM_RND);
  CHECK_EQ(rounded[size - 1], ATTACHMENTS - 1);
  DETACH(rounded);
  for (int i = 0; i < ATTACHMENTS; i++) {
    DETACH(at[i]);
    CHECK_LOAD(at[i], SIGSEGV);
    CHECK_NATTCH(id, ATTACHMENTS - 1 - i);
  }
  REMOVE_SEGMENT(id);
}
