/*
 * The files are found by whichever way leads to them: through links to their folder and of their
 * own name, from a descriptor of the folder, through the links of /proc. A listing of the folder
 * tells the inodes that stat(2) tells.
 */
#include "view_check.h"
#include <dirent.h>

enum { KEY = 0x6c696e6b };

static char base[] = "/tmp/view_links.XXXXXX", path[200];

static const char* in_base(const char* name) {
  snprintf(path, sizeof path, "%s/%s", base, name);
  return path;
}

static void check_opens(const char* at) {
  struct stat by_path, by_descriptor, own;
  int fd = open(at, O_RDONLY);
  if (fd < 0) FAIL("open %s: expected success, got %s", at, strerrorname_np(errno));
  CHECK_EQ(fstat(fd, &by_descriptor), 0);
  CHECK_LISTS(fd, KEY);
  CHECK_EQ(stat(at, &by_path), 0);
  CHECK_EQ(stat(MSG_FILE, &own), 0);
  CHECK_EQ(by_path.st_ino, own.st_ino);
  CHECK_EQ(by_path.st_dev, own.st_dev);
  CHECK_EQ(by_descriptor.st_ino, own.st_ino);
  FILE* stream = fopen(at, "re");
  if (!stream) FAIL("fopen %s: expected a stream, got %s", at, strerrorname_np(errno));
  CHECK_LISTS(dup(fileno(stream)), KEY);
  stream = freopen(at, "r", stream);
  CHECK(stream != NULL);
  CHECK_LISTS(dup(fileno(stream)), KEY);
  fclose(stream);
}

static void check_links(void) {
  CHECK_EQ(symlink("/proc/sysvipc", in_base("folder")), 0);
  check_opens(in_base("folder/msg"));
  check_opens(in_base("folder/./../sysvipc/msg"));
  CHECK_EQ(symlink("folder", in_base("chain")), 0);
  check_opens(in_base("chain/msg"));
  CHECK_EQ(symlink("chain/msg", in_base("msg")), 0);
  check_opens(in_base("msg"));
  CHECK_ERRNO(open(in_base("msg"), O_RDONLY | O_NOFOLLOW), ELOOP);
  char resolved[4096];
  CHECK(realpath(in_base("msg"), resolved) != NULL);
  CHECK_TEXT(resolved, MSG_FILE);
  for (int i = 0; i < 3; i++)
    CHECK_EQ(unlink(in_base((const char*[]){"folder", "chain", "msg"}[i])), 0);

  /* A file of that name that is none of them. */
  int fd = CHECK_OK(open(in_base("msg"), O_RDWR | O_CREAT | O_EXCL, 0600));
  CHECK_EQ(write(fd, "own\n", 4), 4);
  close(fd);
  char text[16];
  read_text(in_base("msg"), text, sizeof text);
  CHECK_TEXT(text, "own\n");
  CHECK_EQ(unlink(in_base("msg")), 0);
}

static void check_proc(void) {
  int folder = CHECK_OK(open("/proc/sysvipc", O_RDONLY | O_DIRECTORY));
  CHECK_LISTS(openat(folder, "msg", O_RDONLY), KEY);
  CHECK_LISTS(openat(folder, "./msg", O_RDONLY), KEY);
  snprintf(path, sizeof path, "/proc/self/fd/%d/msg", folder);
  check_opens(path);
  snprintf(path, sizeof path, "/dev/fd/%d/msg", folder);
  check_opens(path);
  check_opens("/proc/self/root"
              "/proc/sysvipc/msg");
  check_opens("/proc/thread-self/root"
              "/proc/sysvipc/msg");
  check_opens("/proc/self/../sysvipc/msg");
  CHECK_EQ(fchdir(folder), 0);
  check_opens("/proc/self/cwd/msg");
  check_opens("msg");
  CHECK_EQ(close(folder), 0);
}

static void check_listing(const char* folder, const char* name) {
  DIR* stream = opendir(folder);
  CHECK(stream != NULL);
  struct stat status;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  CHECK_EQ(stat(path, &status), 0);
  struct dirent* entry;
  while ((entry = readdir(stream)) != NULL && strcmp(entry->d_name, name) != 0) continue;
  if (!entry) FAIL("%s: %s is not listed", folder, name);
  CHECK_EQ(entry->d_ino, status.st_ino);
  CHECK_EQ(closedir(stream), 0);
}

int main(void) {
  CHECK_OK(msgget(KEY, IPC_CREAT | 0600));
  CHECK(mkdtemp(base) != NULL);
  check_links();
  check_proc();
  check_listing("/proc/sysvipc", "msg");
  check_listing("/proc/sysvipc", "shm");
  CHECK_EQ(chdir("/"), 0);
  CHECK_EQ(rmdir(base), 0);
}
