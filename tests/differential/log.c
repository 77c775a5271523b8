#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buffer[1 << 18];
static size_t used;
static int descriptor = -1;
static bool has_failed;

bool log_open(const char* path) {
  descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  return descriptor >= 0;
}

static void flush(void) {
  size_t written = 0;
  while (written < used && !has_failed) {
    const ssize_t got = write(descriptor, buffer + written, used - written);
    if (got > 0)
      written += (size_t)got;
    else if (got == 0 || errno != EINTR)
      has_failed = true;
  }
  used = 0;
}

void log_text(const char* line) {
  const size_t length = strlen(line);
  if (used + length + 1 > sizeof(buffer)) flush();
  memcpy(buffer + used, line, length);
  used += length;
  buffer[used++] = '\n';
}

void log_line(const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  log_text(line);
}

bool log_close(void) {
  if (descriptor < 0) return true;
  flush();
  const bool is_fine = close(descriptor) == 0 && !has_failed;
  descriptor = -1;
  return is_fine;
}

void log_abandon(void) {
  if (descriptor >= 0) close(descriptor);
  descriptor = -1;
  used = 0;
}
