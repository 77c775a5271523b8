/* What the programs about writing to /proc/sys share. Include after a *_check.h. */
#ifndef SYSCTL_CHECK_H
#define SYSCTL_CHECK_H

#define MSGMAX_FILE "/proc/sys/kernel/msgmax"
#define MSGMNB_FILE "/proc/sys/kernel/msgmnb"
#define SEM_FILE "/proc/sys/kernel/sem"

/* The file's text must be so. */
#define CHECK_FILE(path, want) check_file(__FILE__, __LINE__, (path), (want))
static inline void check_file(const char* file, int line, const char* path, const char* want) {
  char text[128];
  read_text(path, text, sizeof text);
  check_text(file, line, text, want);
}

/* write(2) of a text, in a macro so that a failure names the caller's line. */
#define WRITE(fd, text) write((fd), (text), strlen(text))
#define PWRITE(fd, text, offset) pwrite((fd), (text), strlen(text), (offset))

#endif
