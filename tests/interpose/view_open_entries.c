/* /proc/sysvipc/msg and the limits read the same whichever of libc's functions opens them. */
#include "view_check.h"

enum { KEY = 0x76696577 };

typedef int open_function(const char*, int, ...);
typedef int openat_function(int, const char*, int, ...);
typedef int checked_function(const char*, int);
typedef int checked_at_function(int, const char*, int);
typedef FILE* fopen_function(const char*, const char*);
typedef FILE* freopen_function(const char*, const char*, FILE*);

int main(void) {
  CHECK_OK(msgget(KEY, IPC_CREAT | 0600));

  static const char* const opens[] = {"open", "open64", "__open", "__open64"};
  for (int i = 0; i < 4; i++) {
    open_function* call = LIBC(open_function, opens[i]);
    if (!call) continue;
    CHECK_LISTS(call(MSG_FILE, O_RDONLY), KEY);
    CHECK_LISTS(call(MSG_FILE, O_RDONLY | O_CREAT, 0600), KEY);
    CHECK_ERRNO(call(MSG_FILE, O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
  }

  static const char* const openats[] = {"openat", "openat64"};
  int proc = CHECK_OK(open("/proc", O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 2; i++) {
    openat_function* call = LIBC(openat_function, openats[i]);
    CHECK_LISTS(call(AT_FDCWD, MSG_FILE, O_RDONLY), KEY);
    CHECK_LISTS(call(-1, MSG_FILE, O_RDONLY), KEY);
    CHECK_LISTS(call(proc, "sysvipc/msg", O_RDONLY), KEY);
    CHECK_LISTS(call(proc, "sysvipc/msg", O_RDONLY | O_CREAT, 0600), KEY);
    CHECK_ERRNO(call(-1, "sysvipc/msg", O_RDONLY), EBADF);
  }

  static const char* const checked[] = {"__open_2", "__open64_2"};
  static const char* const checked_ats[] = {"__openat_2", "__openat64_2"};
  for (int i = 0; i < 2; i++) {
    checked_function* call = LIBC(checked_function, checked[i]);
    checked_at_function* call_at = LIBC(checked_at_function, checked_ats[i]);
    if (call) CHECK_LISTS(call(MSG_FILE, O_RDONLY), KEY);
    if (call_at) CHECK_LISTS(call_at(proc, "sysvipc/msg", O_RDONLY), KEY);
  }

  static const char* const fopens[] = {"fopen", "fopen64"};
  static const char* const freopens[] = {"freopen", "freopen64"};
  for (int i = 0; i < 2; i++) {
    fopen_function* call = LIBC(fopen_function, fopens[i]);
    FILE* file = call(MSG_FILE, "r");
    CHECK(file != NULL);
    CHECK_LISTS(dup(fileno(file)), KEY);
    CHECK_EQ(fclose(file), 0);

    freopen_function* again = LIBC(freopen_function, freopens[i]);
    file = call("/dev/null", "r");
    CHECK(file != NULL);
    int fd = fileno(file);
    CHECK(again(MSG_FILE, "r", file) == file);
    CHECK_EQ(fileno(file), fd);
    CHECK_LISTS(dup(fd), KEY);
    CHECK_EQ(fclose(file), 0);
  }

  /* The numbers of the fresh namespace. */
  static const struct {
    const char *path, *text;
  } limits[] = {{MSGMAX_FILE, "8192\n"},
                {"/proc/sys/kernel/msgmnb", "16384\n"},
                {"/proc/sys/kernel/msgmni", "32000\n"}};
  for (int i = 0; i < 3; i++) {
    char text[64];
    read_text(limits[i].path, text, sizeof text);
    CHECK_TEXT(text, limits[i].text);
    FILE* file = fopen(limits[i].path, "re");
    CHECK(file && fgets(text, sizeof text, file));
    CHECK_TEXT(text, limits[i].text);
    CHECK(fcntl(fileno(file), F_GETFD) & FD_CLOEXEC);
    fclose(file);
  }
}
