/* ftok(): 8 bits of the project, 8 of the device, 16 of the inode; ENOENT without a file. */
#include "check.h"
#include <sys/stat.h>

int main(int argc, char** argv) {
  struct stat file;
  CHECK_EQ(argc, 1);
  CHECK_EQ(stat(argv[0], &file), 0);
  unsigned want = (file.st_ino & 0xffff) | (file.st_dev & 0xff) << 16;
  CHECK_EQ((unsigned)ftok(argv[0], 'A'), want | 0x41u << 24);
  CHECK_EQ((unsigned)ftok(argv[0], 0xff), want | 0xffu << 24);
  CHECK_EQ((unsigned)ftok(argv[0], 0x7b01), want | 0x01u << 24);
  CHECK_ERRNO(ftok("/there/is/no/such/file", 'A'), ENOENT);

  key_t key = ftok(argv[0], 'A');
  CHECK_EQ(ftok(argv[0], 'A'), key);
}
