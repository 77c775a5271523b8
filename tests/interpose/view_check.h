/* What the programs about the files of /proc share, beside msg_check.h. */
#ifndef VIEW_CHECK_H
#define VIEW_CHECK_H

#include "msg_check.h"
#include <dlfcn.h>
#include <sys/stat.h>

#define MSG_FILE "/proc/sysvipc/msg"
#define MSGMAX_FILE "/proc/sys/kernel/msgmax"

#define MSG_HEADER                                                                                 \
  "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"         \
  "      stime      rtime      ctime\n"

/* Libc's function of that name, also where headers rename or hide it; NULL if it has none. */
#define LIBC(type, name) ((type*)dlsym(RTLD_DEFAULT, name))

/* Reads the rest of `fd` in pieces of that size. */
static inline size_t read_all(int fd, char* text, size_t size, size_t piece) {
  size_t length = 0;
  ssize_t got;
  while (length + piece < size && (got = read(fd, text + length, piece)) > 0) length += got;
  CHECK_EQ(got, 0);
  text[length] = '\0';
  return length;
}

/* `fd` must be open on the list of the namespace's one queue, of this key; it is closed. */
#define CHECK_LISTS(fd, key) check_lists(__FILE__, __LINE__, (fd), (key))
static inline void check_lists(const char* file, int line, int fd, int key) {
  char text[4096], want[16];
  if (fd < 0) fail_at(file, line, "expected a descriptor, got -1 %s", strerrorname_np(errno));
  size_t length = read_all(fd, text, sizeof text, 1000);
  size_t header = strlen(MSG_HEADER);
  snprintf(want, sizeof want, "%10d ", key);
  if (length <= header || memcmp(text, MSG_HEADER, header) != 0 ||
      strncmp(text + header, want, strlen(want)) != 0 ||
      strchr(text + header, '\n') != text + length - 1)
    fail_at(file, line, "expected the heading and a line for key %d, got \"%s\"", key, text);
  close(fd);
}

#endif
