/*
 * Whoever reads which list of mappings sees an attachment: the process itself, by whichever name
 * its list has, with open(2) and fopen(3), or another one.
 */
#include "shm_check.h"
#include <dirent.h>
#include <sys/stat.h>

static char* p;
static int id;

/* The list must have one line of the segment, with its 3 pages at `p`. */
#define CHECK_LIST(text, path) check_list(__FILE__, __LINE__, (text), (path))
static void check_list(const char* file, int line, const char* text, const char* path) {
  char want[160], address[64], fields[100];
  snprintf(address, sizeof address, "%08lx-%08lx ", (long)p, (long)p + (long)pages(3));
  const char* found = strstr(text, address);
  if (!found) fail_at(file, line, "%s: no mapping %s", path, address);
  snprintf(fields, sizeof fields, "%srw-s 00000000 00:01 %d ", address, id);
  int length = snprintf(want, sizeof want, "%-73s/SYSV00abc123 (deleted)\n", fields);
  if (strncmp(found, want, length) != 0)
    fail_at(file, line, "%s: expected \"%s\", got \"%.*s\"", path, want, length, found);
  if (strstr(found + length, "/SYSV00abc123")) fail_at(file, line, "%s: lists it twice", path);
}

static void check_path(const char* path) {
  static char text[65536];
  read_text(path, text, sizeof text);
  CHECK_LIST(text, path);
  FILE* stream = fopen(path, "r");
  if (!stream) FAIL("can't open %s", path);
  text[fread(text, 1, sizeof text - 1, stream)] = '\0';
  CHECK_LIST(text, path);
  struct stat by_path, by_stream;
  CHECK_OK(stat(path, &by_path));
  CHECK_OK(fstat(fileno(stream), &by_stream));
  CHECK_EQ(by_stream.st_mode, by_path.st_mode);
  CHECK_EQ(by_stream.st_size, 0);
  CHECK_EQ(by_stream.st_ino, by_path.st_ino);
  fclose(stream);
}

/* Not all kernels have it. */
static void check_numa(void) {
  static char text[65536];
  char want[160];
  if (access("/proc/self/numa_maps", R_OK) != 0) return;
  read_text("/proc/self/numa_maps", text, sizeof text);
  snprintf(want, sizeof want, "%08lx default file=/SYSV00abc123\\040(deleted) ", (long)p);
  const char* found = strstr(text, want);
  if (!found) FAIL("no \"%s\" in numa_maps", want);
  if (strstr(found + strlen(want), "/SYSV")) FAIL("numa_maps tells more than one");
}

int main(void) {
  char path[100];
  id = CHECK_OK(shmget(0xabc123, pages(3), IPC_CREAT | 0600));
  p = ATTACH(id);
  *p = 1;
  check_path("/proc/self/maps");
  check_path("/proc/self/smaps");
  check_path("/proc/thread-self/maps");
  check_path("/proc/self/root"
             "/proc/self/maps");
  snprintf(path, sizeof path, "/proc/%d/maps", getpid());
  check_path(path);
  snprintf(path, sizeof path, "/proc/self/task/%d/smaps", getpid());
  check_path(path);
  CHECK_OK(chdir("/proc/self"));
  check_path("maps");
  check_numa();
  pid_t child = fork_child();
  if (child == 0) {
    DETACH(p);
    snprintf(path, sizeof path, "/proc/%d/maps", getppid());
    check_path(path);
    snprintf(path, sizeof path, "/proc/%d/smaps", getppid());
    check_path(path);
    _exit(0);
  }
  CHECK_CHILD(child);
  DETACH(p);
  REMOVE_SEGMENT(id);
}
