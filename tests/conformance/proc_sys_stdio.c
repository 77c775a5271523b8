/*
 * stdio on /proc/sys: what is written takes effect when the buffer is written, and that call tells
 * of an error.
 */
#include "msg_check.h"
#include "sysctl_check.h"

static FILE* opened(const char* mode) {
  FILE* file = fopen(MSGMAX_FILE, mode);
  if (!file) FAIL("fopen \"%s\": expected a stream, got %s", mode, strerrorname_np(errno));
  return file;
}

static void check_streams(void) {
  FILE* file = opened("w");
  CHECK_EQ(fprintf(file, "%d\n", 400), 4);
  CHECK_EQ(fclose(file), 0);
  CHECK_FILE(MSGMAX_FILE, "400\n");

  file = opened("w");
  CHECK_EQ(fputs("word", file) >= 0, 1);
  CHECK_ERRNO(fflush(file), EINVAL);
  CHECK(ferror(file));
  fclose(file);
  file = opened("a");
  CHECK_EQ(fputs("word", file) >= 0, 1);
  CHECK_ERRNO(fclose(file), EINVAL);

  file = opened("w");
  setvbuf(file, NULL, _IONBF, 0);
  CHECK_EQ(fputs("401", file) >= 0, 1);
  CHECK_FILE(MSGMAX_FILE, "401\n");
  fclose(file);

  file = opened("r+");
  int number;
  CHECK_EQ(fscanf(file, "%d", &number), 1);
  CHECK_EQ(number, 401);
  rewind(file);
  CHECK_EQ(fprintf(file, "402"), 3);
  CHECK_EQ(fflush(file), 0);
  CHECK_FILE(MSGMAX_FILE, "402\n");
  fclose(file);
}

static void check_descriptor(void) {
  int fd = CHECK_OK(open(MSGMAX_FILE, O_WRONLY));
  CHECK_EQ(dprintf(fd, "%d", 410), 3);
  CHECK_FILE(MSGMAX_FILE, "410\n");
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_ERRNO(dprintf(fd, "%s", "word"), EINVAL);
  FILE* file = fdopen(fd, "w");
  CHECK(file != NULL);
  CHECK_EQ(fputs("411\n", file) >= 0, 1);
  CHECK_EQ(fflush(file), 0);
  CHECK_FILE(MSGMAX_FILE, "411\n");
  CHECK_EQ(fclose(file), 0);
}

/* Standard output, line by line or not, as shells redirect it; and at the end of the program. */
static void check_output(int mode, const char* text, const char* want) {
  pid_t child = fork_child();
  if (child == 0) {
    setvbuf(stdout, NULL, mode, BUFSIZ);
    int fd = CHECK_OK(open(MSGMAX_FILE, O_WRONLY));
    int before = CHECK_OK(dup(1));
    CHECK_OK(dup2(fd, 1));
    close(fd);
    printf("%s%s", "42", text);
    CHECK_EQ(fflush(stdout), 0);
    CHECK_OK(dup2(before, 1));
    CHECK_FILE(MSGMAX_FILE, want);
    fd = CHECK_OK(open(MSGMAX_FILE, O_WRONLY));
    CHECK_OK(dup2(fd, 1));
    printf("43");
    exit(0);
  }
  CHECK_CHILD(child);
  CHECK_FILE(MSGMAX_FILE, "43\n");
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  check_streams();
  check_descriptor();
  check_output(_IOFBF, "0", "420\n");
  check_output(_IOLBF, "1\n", "421\n");
}
