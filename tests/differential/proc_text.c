#include "proc_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kProcSize = 65536 };

typedef struct Content {
  char bytes[kProcSize + 1];
  size_t length;
  int reads;
  int error;
  struct stat status;
} Content;

static void read_by_descriptor(const char* path, size_t chunk, Content* content) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    content->error = errno;
    return;
  }
  ssize_t got = fstat(fd, &content->status) == 0 ? 1 : -1;
  while (got > 0 && content->length < kProcSize) {
    const size_t room = kProcSize - content->length;
    got = read(fd, content->bytes + content->length, chunk < room ? chunk : room);
    content->reads++;
    if (got > 0) content->length += (size_t)got;
  }
  if (got < 0) content->error = errno;
  close(fd);
}

static void read_by_stdio(const char* path, Content* content) {
  FILE* file = fopen(path, "r");
  if (file == NULL) {
    content->error = errno;
    return;
  }
  if (fstat(fileno(file), &content->status) != 0) content->error = errno;
  content->length = fread(content->bytes, 1, kProcSize, file);
  if (ferror(file)) content->error = errno;
  fclose(file);
}

void proc_text_read(const Request* request, const char* path, ProcLine add_line, Reply* reply,
                    Text* text) {
  // Static although a handler may come here: it interrupts only calls that sleep, never this one.
  static Content content;
  content.length = 0;
  content.reads = content.error = 0;
  if (request->raw)
    read_by_stdio(path, &content);
  else
    read_by_descriptor(path, (size_t)request->arg[0], &content);
  reply->ret = content.error != 0 ? -1 : 0;
  reply->error = content.error;
  if (content.error != 0) return;

  text_add(text, " mode 0%o size %lld", (unsigned)content.status.st_mode,
           (long long)content.status.st_size);
  content.bytes[content.length] = '\0';
  char* line = content.bytes;
  for (bool is_first = true; *line != '\0'; is_first = false) {
    char* end = strchr(line, '\n');
    if (end == NULL) {
      text_add(text, "\n  | without newline: %s", line);
      return;
    }
    *end = '\0';
    if (is_first || !add_line(text, line)) {
      text_add(text, "\n  | ");
      text_add_quoted(text, line, (size_t)(end - line));
    }
    line = end + 1;
  }
}

static void write_by_stdio(const char* path, const char* bytes, size_t length, Reply* reply) {
  FILE* file = fopen(path, "w");
  reply->ret = file == NULL ? -1 : (int64_t)fwrite(bytes, 1, length, file);
  reply->error = errno;
  if (file == NULL) return;
  // The kernel's answer comes when the buffer is written.
  errno = 0;
  if (fclose(file) != 0) reply->ret = -1;
  reply->error = errno;
}

void proc_text_write(const Request* request, const char* path, const char* bytes, size_t length,
                     Reply* reply) {
  errno = 0;
  if (request->raw) {
    write_by_stdio(path, bytes, length, reply);
    return;
  }
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  reply->ret = fd < 0 ? -1 : write(fd, bytes, length);
  reply->error = errno;
  if (fd >= 0) close(fd);
}
