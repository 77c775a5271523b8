/* The list through stdio: lines, modes, positions, and streams opened anew. */
#include "view_check.h"

enum { KEY = 0x57d10 };

static void check_stream(FILE* file) {
  char *line = NULL, want[16];
  size_t room = 0;
  CHECK(file != NULL);
  CHECK_EQ(getline(&line, &room, file), strlen(MSG_HEADER));
  CHECK_TEXT(line, MSG_HEADER);
  long second = ftell(file);
  CHECK_EQ(second, strlen(MSG_HEADER));
  CHECK(getline(&line, &room, file) > 0);
  snprintf(want, sizeof want, "%10d ", KEY);
  CHECK(strncmp(line, want, strlen(want)) == 0);
  CHECK_EQ(getline(&line, &room, file), -1);
  CHECK(feof(file) && !ferror(file));
  CHECK_EQ(fseek(file, second, SEEK_SET), 0);
  CHECK(getline(&line, &room, file) > 0);
  CHECK(strncmp(line, want, strlen(want)) == 0);
  rewind(file);
  CHECK_EQ(getline(&line, &room, file), strlen(MSG_HEADER));
  CHECK(fputs("x", file) == EOF);
  free(line);
}

int main(void) {
  CHECK_OK(msgget(KEY, IPC_CREAT | 0600));

  static const char* const modes[] = {"r", "rb", "re", "rm", "rbce"};
  for (unsigned i = 0; i < 5; i++) {
    FILE* file = fopen(MSG_FILE, modes[i]);
    CHECK(file != NULL);
    CHECK_EQ(fcntl(fileno(file), F_GETFD), strchr(modes[i], 'e') ? FD_CLOEXEC : 0);
    check_stream(file);
    CHECK_EQ(fclose(file), 0);
  }
  CHECK(fopen(MSG_FILE, "") == NULL && errno == EINVAL);
  CHECK(fopen(MSG_FILE, "q") == NULL && errno == EINVAL);
  CHECK(fopen(MSG_FILE, "wx") == NULL && errno == EEXIST);
  CHECK(fopen(MSG_FILE "/", "r") == NULL && errno == ENOTDIR);

  /* A stream keeps its number when it is opened anew, standard input above all. */
  CHECK(freopen(MSG_FILE, "r", stdin) == stdin);
  CHECK_EQ(fileno(stdin), 0);
  check_stream(stdin);
  CHECK(freopen("/dev/null", "r", stdin) == stdin);
  CHECK_EQ(getchar(), EOF);
  CHECK(freopen(MSG_FILE, "re", stdin) == stdin);
  check_stream(stdin);

  FILE* file = fopen("/dev/null", "r");
  CHECK(file != NULL);
  int next = CHECK_OK(dup(0));
  CHECK(freopen(MSG_FILE, "r", file) == file);
  CHECK_EQ(dup(0), next + 1);
  int fd = fileno(file);
  CHECK(freopen(MSG_FILE, "wx", file) == NULL && errno == EEXIST);
  CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
  CHECK_EQ(fclose(file), -1);
}
