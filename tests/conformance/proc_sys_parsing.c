/*
 * What write(2) makes of a text for /proc/sys: how many bytes it takes, what it refuses, and that
 * what stands before an error in a vector is stored.
 */
#include "msg_check.h"
#include "sysctl_check.h"

static void check_one(const char* text, size_t size, long want, const char* after) {
  int fd = CHECK_OK(open(MSGMAX_FILE, O_WRONLY | O_CLOEXEC));
  errno = 0;
  long got = write(fd, text, size);
  if (got != (want < 0 ? -1 : want) || (want < 0 && errno != -want))
    FAIL("write \"%s\": expected %ld, got %ld %s", text, want, got, strerrorname_np(errno));
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), want < 0 ? 0 : want);
  close(fd);
  CHECK_FILE(MSGMAX_FILE, after);
}

static void check_numbers(void) {
  static const struct {
    const char* text;
    long want;
    const char* after;
  } cases[] = {
      {"9", 1, "9\n"},
      {"10\n", 3, "10\n"},
      {" \t\n\v\f\r11\n \t", 11, "11\n"},
      {"0x1f", 4, "31\n"},
      {"0X1F", 4, "31\n"},
      {"010", 3, "8\n"},
      {"-0", 2, "0\n"},
      {"12 13", 3, "12\n"},
      {"14 x", 3, "14\n"},
      {"00000000000000000015", 20, "13\n"},
      {"2147483647", 10, "2147483647\n"},
      {"2147483648", -EINVAL, "2147483647\n"},
      {"-1", -EINVAL, "2147483647\n"},
      {"+1", -EINVAL, "2147483647\n"},
      {"08", -EINVAL, "2147483647\n"},
      {"0x", -EINVAL, "2147483647\n"},
      {"1x", -EINVAL, "2147483647\n"},
      {"1,2", -EINVAL, "2147483647\n"},
      {"1\v", -EINVAL, "2147483647\n"},
      {"-", -EINVAL, "2147483647\n"},
      {"- 1", -EINVAL, "2147483647\n"},
      {"--1", -EINVAL, "2147483647\n"},
      {"one", -EINVAL, "2147483647\n"},
      {" \n", -EINVAL, "2147483647\n"},
      {"000000000000000000001", -EINVAL, "2147483647\n"},
      {"18446744073709551616", -EINVAL, "2147483647\n"},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
    check_one(cases[i].text, strlen(cases[i].text), cases[i].want, cases[i].after);
  check_one("5\0", 2, -EINVAL, "2147483647\n");
  check_one("5 \0", 3, 2, "5\n");
  check_one("", 0, 0, "5\n");
}

/* A page, without its last byte, is looked at. */
static void check_long_texts(void) {
  static char text[5000];
  memset(text, ' ', sizeof text);
  text[0] = '6';
  check_one(text, sizeof text, sizeof text, "6\n");
  text[0] = ' ';
  text[4094] = text[4095] = '7';
  check_one(text, sizeof text, sizeof text, "7\n");
  text[4094] = ' ';
  check_one(text, sizeof text, -EINVAL, "7\n");
}

static void check_vector(void) {
  int fd = CHECK_OK(open(SEM_FILE, O_WRONLY | O_CLOEXEC));
  CHECK_EQ(PWRITE(fd, "1 2 3 4\n", 0), 8);
  CHECK_FILE(SEM_FILE, "1\t2\t3\t4\n");
  CHECK_EQ(PWRITE(fd, "5\t6", 0), 3);
  CHECK_FILE(SEM_FILE, "5\t6\t3\t4\n");
  CHECK_EQ(PWRITE(fd, "7 8 9 10 11 12", 0), 9);
  CHECK_FILE(SEM_FILE, "7\t8\t9\t10\n");
  CHECK_ERRNO(PWRITE(fd, "1 x 3", 0), EINVAL);
  CHECK_FILE(SEM_FILE, "1\t8\t9\t10\n");
  CHECK_ERRNO(PWRITE(fd, "-2 -3 -4 32769", 0), ERANGE);
  CHECK_FILE(SEM_FILE, "-2\t-3\t-4\t10\n");
  CHECK_ERRNO(PWRITE(fd, "1 2 3 -1", 0), ERANGE);
  CHECK_FILE(SEM_FILE, "1\t2\t3\t10\n");
  close(fd);
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  check_numbers();
  check_long_texts();
  check_vector();
}
