/*
 * shm_unlink() takes the name away at once; descriptors, mappings and what they hold stay, and a
 * new one of the name is other memory.
 */
#include "named_check.h"

int main(void) {
  CHECK_ERRNO(shm_unlink("/m"), ENOENT);
  int fd = NEW_MEMORY("/m", 8192);
  char* memory = map_shared(fd, 8192);
  strcpy(memory, "old");
  REMOVE_MEMORY("/m");
  CHECK_ERRNO(shm_unlink("/m"), ENOENT);
  CHECK_ERRNO(shm_open("/m", O_RDWR, 0), ENOENT);
  CHECK_EQ(status_of(fd).st_nlink, 0);

  int new = NEW_MEMORY("/m", 4096);
  char* other = map_shared(new, 4096);
  CHECK(other[0] == 0);
  strcpy(other, "new");
  CHECK(strcmp(memory, "old") == 0);
  char* again = map_shared(fd, 8192);
  close(fd);
  CHECK(strcmp(again, "old") == 0);
  memory[8191] = 'x';
  CHECK(again[8191] == 'x');
  REMOVE_MEMORY("/m");
}
