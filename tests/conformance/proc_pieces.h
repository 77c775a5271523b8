/*
 * A file of /proc/sysvipc however it is opened and read: in one go, in pieces, at an offset, from
 * the start again, by stdio.
 */
#pragma once

#include "check.h"
#include <sys/stat.h>

/* `family` is the file's name; so many objects are there: more text than a page, less than 32 KiB.
 */
static inline void check_pieces(const char* family, int objects) {
  static char whole[32768], text[32768];
  char path[64];
  snprintf(path, sizeof path, "/proc/sysvipc/%s", family);
  read_text(path, whole, sizeof whole);
  size_t size = strlen(whole);
  CHECK(size > 8192 && size < sizeof whole - 1);

  const size_t pieces[] = {1, 7, 80, 1000, 4096};
  for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    int fd = CHECK_OK(open(path, O_RDONLY));
    size_t length = 0;
    ssize_t got;
    while ((got = read(fd, text + length, pieces[i])) > 0) {
      CHECK((size_t)got <= pieces[i]);
      length += got;
    }
    CHECK_EQ(got, 0);
    text[length] = '\0';
    CHECK_TEXT(text, whole);
    CHECK_EQ(read(fd, text, 1), 0);

    /* From the start again, and from the middle. */
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, text, 10), 10);
    CHECK(memcmp(text, whole, 10) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_EQ(pread(fd, text, 50, 200), 50);
    CHECK(memcmp(text, whole + 200, 50) == 0);
    CHECK_EQ(lseek(fd, 500, SEEK_SET), 500);
    CHECK_EQ(read(fd, text, 20), 20);
    CHECK(memcmp(text, whole + 500, 20) == 0);
    CHECK_EQ(pread(fd, text, 10, size), 0);
    close(fd);
  }

  FILE* file = fopen(path, "r");
  CHECK(file != NULL);
  size_t length = 0;
  int lines = 0;
  while (fgets(text + length, sizeof text - length, file)) {
    length += strlen(text + length);
    lines++;
  }
  fclose(file);
  CHECK_TEXT(text, whole);
  CHECK_EQ(lines, objects + 1);

  int folder = CHECK_OK(open("/proc/sysvipc", O_RDONLY | O_DIRECTORY));
  int fd = CHECK_OK(openat(folder, family, O_RDONLY));
  CHECK_EQ(pread(fd, text, 10, 0), 10);
  CHECK(memcmp(text, whole, 10) == 0);
  struct stat status;
  CHECK_EQ(fstat(fd, &status), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0444);
  CHECK_EQ(status.st_size, 0);
  CHECK_EQ(stat(path, &status), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0444);
  CHECK_EQ(status.st_size, 0);
  close(fd);
  close(folder);
  CHECK_EQ(access(path, R_OK), 0);
}
