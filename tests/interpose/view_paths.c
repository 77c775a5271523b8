/* Every way to write the path leads to the file; what only looks like it does not. */
#include "view_check.h"

enum { KEY = 0x70617468 };

static void check_opens(const char* path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0) FAIL("open %s: expected success, got %s", path, strerrorname_np(errno));
  CHECK_LISTS(fd, KEY);
  if (stat(path, &status) != 0 || status.st_mode != (S_IFREG | 0444))
    FAIL("stat %s: expected a file of mode 0444, got %s", path, strerrorname_np(errno));
  CHECK_EQ(access(path, R_OK), 0);
}

static void check_fails(const char* path, int error) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd >= 0 || errno != error)
    FAIL("open %s: expected -1 %s, got %d %s", path, strerrorname_np(error), fd,
         strerrorname_np(errno));
  CHECK_ERRNO(stat(path, &status), error);
  CHECK_ERRNO(lstat(path, &status), error);
  CHECK_ERRNO(access(path, F_OK), error);
  CHECK(fopen(path, "r") == NULL && errno == error);
}

static void go_to(const char* folder) {
  if (chdir(folder) != 0) FAIL("chdir %s: expected 0, got %s", folder, strerrorname_np(errno));
}

int main(void) {
  CHECK_OK(msgget(KEY, IPC_CREAT | 0600));

  check_opens("/proc/sysvipc/msg");
  check_opens("//proc/sysvipc/msg");
  check_opens("/./proc/sysvipc/msg");
  check_opens("/../proc/sysvipc/msg");
  check_opens("///..//.//proc///sysvipc//msg");
  check_opens("/proc/./sysvipc/./msg");
  check_opens("/proc/sysvipc/../sysvipc/msg");
  check_opens("/proc/sys/../sysvipc/msg");
  check_opens("/proc//sys/kernel/../../sysvipc/msg");
  check_opens("/proc/sysvipc/../../proc/sysvipc/msg");

  check_fails("/proc/sysvipc/msg/", ENOTDIR);
  check_fails("/proc/sysvipc/msg/.", ENOTDIR);
  check_fails("/proc/sysvipc/msg/..", ENOTDIR);
  check_fails("/proc/sysvipc/msg/../msg", ENOTDIR);
  check_fails("/proc/sysvipc/msg/x", ENOTDIR);
  CHECK_ERRNO(open("/proc/sysvipc/msg/", O_RDONLY | O_CREAT, 0600), EISDIR);
  CHECK_ERRNO(open("/proc/sysvipc/msg/x", O_RDONLY | O_CREAT, 0600), ENOTDIR);

  check_fails("/proc/sysvipc/ms", ENOENT);
  check_fails("/proc/sysvipc/msgs", ENOENT);
  check_fails("/proc/sysvipc/Msg", ENOENT);
  check_fails("/proc/sysvipc/msgmax", ENOENT);
  check_fails("/proc/msg", ENOENT);
  check_fails("/proc/sysvip/msg", ENOENT);
  check_fails("/proc/sys/kernel/msg", ENOENT);
  check_fails("/proc/sys/kernel/msgma", ENOENT);
  check_fails("", ENOENT);
  CHECK_ERRNO(open(NULL, O_RDONLY), EFAULT);
  struct stat status;
  const char* volatile nowhere = NULL;
  CHECK_ERRNO(stat(nowhere, &status), EFAULT);
  CHECK_ERRNO(access(nowhere, F_OK), EFAULT);

  /* Relative to the current folder. */
  go_to("/proc/sysvipc");
  check_opens("msg");
  check_opens("./msg");
  check_opens(".//./msg");
  check_opens("../sysvipc/msg");
  check_opens("../../proc/sysvipc/msg");
  check_fails("msg/", ENOTDIR);
  check_fails("msgmax", ENOENT);
  check_fails("sysvipc/msg", ENOENT);
  go_to("/proc");
  check_opens("sysvipc/msg");
  go_to("/");
  check_opens("proc/sysvipc/msg");
  check_opens("../proc/sysvipc/msg");

  /* A folder of the program's own with files of these names. */
  char folder[] = "/tmp/view_paths.XXXXXX", up[64];
  CHECK(mkdtemp(folder) != NULL);
  go_to(folder);
  check_opens("../../proc/sysvipc/msg");
  check_fails("msg", ENOENT);
  int own = CHECK_OK(open("msg", O_RDWR | O_CREAT | O_EXCL, 0604));
  CHECK_EQ(write(own, "own", 3), 3);
  char text[8] = "";
  read_text("msg", text, sizeof text);
  CHECK_TEXT(text, "own");
  CHECK_EQ(stat("msg", &status), 0);
  CHECK_EQ(status.st_size, 3);
  CHECK_EQ(status.st_mode & 0777, 0604);
  int here = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
  go_to("/proc/sysvipc");
  close(CHECK_OK(openat(here, "msg", O_RDWR)));
  CHECK_EQ(fstatat(here, "msg", &status, 0), 0);
  CHECK_EQ(status.st_size, 3);
  CHECK_ERRNO(openat(own, "msg", O_RDONLY), ENOTDIR);
  snprintf(up, sizeof up, "%s/../../proc/sysvipc", folder);
  int there = CHECK_OK(open(up, O_RDONLY | O_DIRECTORY));
  CHECK_EQ(unlinkat(here, "msg", 0), 0);
  CHECK_EQ(rmdir(folder), 0);

  /* Relative to a descriptor. */
  go_to("/");
  CHECK_LISTS(openat(there, "msg", O_RDONLY), KEY);
  CHECK_LISTS(openat(there, "../sysvipc/msg", O_RDONLY), KEY);
  CHECK_EQ(fstatat(there, "msg", &status, 0), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0444);
  CHECK_ERRNO(openat(there, "msgs", O_RDONLY), ENOENT);
  int handle = CHECK_OK(open("/proc", O_PATH | O_DIRECTORY));
  CHECK_LISTS(openat(handle, "sysvipc/msg", O_RDONLY), KEY);
  CHECK_ERRNO(openat(12345, "msg", O_RDONLY), EBADF);

  /* Other files of /proc. */
  read_text("/proc/sys/kernel/ostype", text, sizeof text);
  CHECK_TEXT(text, "Linux\n");
  CHECK_EQ(stat("/proc/sys/kernel/ostype", &status), 0);
  CHECK_EQ(stat("/proc/sysvipc", &status), 0);
  CHECK(S_ISDIR(status.st_mode));
}
