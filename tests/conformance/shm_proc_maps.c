/*
 * /proc/PID/maps shows an attachment as shared mapping of the file "/SYSV%08x (deleted)", the key
 * that the segment was made with, also after IPC_RMID; its inode is the id. Pieces have their
 * offset.
 */
#include "shm_check.h"

/* The line of /proc/self/maps that begins here must end so, after the address range. */
#define CHECK_LINE(at, size, rights, offset, id, name)                                             \
  check_line(__FILE__, __LINE__, (at), (size), (rights), (offset), (id), (name))
static void check_line(const char* file, int line, char* at, size_t size, const char* rights,
                       size_t offset, int id, const char* name) {
  static char text[65536];
  char start[64];
  read_text("/proc/self/maps", text, sizeof text);
  snprintf(start, sizeof start, "\n%08zx-%08zx ", (size_t)at, (size_t)at + size);
  char* found = strstr(text, start);
  if (!found) fail_at(file, line, "no mapping%s", start);
  found += strlen(start);
  unsigned device;
  if (sscanf(found, "%*s %*x 00:%x", &device) != 1)
    fail_at(file, line, "no device in %.60s", found);
  char want[128];
  snprintf(want, sizeof want, "%s %08zx 00:%02x %d ", rights, offset, device, id);
  if (strncmp(found, want, strlen(want)) != 0)
    fail_at(file, line, "expected \"%s\", got \"%.60s\"", want, found);
  char* path = strchr(found, '/');
  if (!path) fail_at(file, line, "expected a name, got \"%.60s\"", found);
  path[strcspn(path, "\n")] = '\0';
  check_text(file, line, path, name);
}

int main(void) {
  REMOVE_SEGMENT(new_segment(1));
  int id = CHECK_OK(shmget(0x1234abc, pages(4), IPC_CREAT | 0700));
  char* p = ATTACH(id);
  CHECK_LINE(p, pages(4), "rw-s", 0, id, "/SYSV01234abc (deleted)");
  char* reader = SHMAT(id, NULL, SHM_RDONLY);
  CHECK_LINE(reader, pages(4), "r--s", 0, id, "/SYSV01234abc (deleted)");
  char* code = SHMAT(id, NULL, SHM_EXEC);
  CHECK_LINE(code, pages(4), "rwxs", 0, id, "/SYSV01234abc (deleted)");
  DETACH(reader);
  DETACH(code);

  REMOVE_SEGMENT(id);
  CHECK_LINE(p, pages(4), "rw-s", 0, id, "/SYSV01234abc (deleted)");
  CHECK_EQ(mprotect(p + pages(1), pages(1), PROT_NONE), 0);
  CHECK_LINE(p, pages(1), "rw-s", 0, id, "/SYSV01234abc (deleted)");
  CHECK_LINE(p + pages(1), pages(1), "---s", pages(1), id, "/SYSV01234abc (deleted)");
  CHECK_LINE(p + pages(2), pages(2), "rw-s", pages(2), id, "/SYSV01234abc (deleted)");
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_LINE(p, pages(1), "rw-s", 0, id, "/SYSV01234abc (deleted)");
    _exit(0);
  }
  CHECK_CHILD(child);
  DETACH(p);

  const struct {
    key_t key;
    const char* name;
  } keys[] = {{IPC_PRIVATE, "/SYSV00000000 (deleted)"},
              {-1, "/SYSVffffffff (deleted)"},
              {INT_MIN, "/SYSV80000000 (deleted)"}};
  for (int i = 0; i < 3; i++) {
    id = CHECK_OK(shmget(keys[i].key, 1, IPC_CREAT | 0600));
    p = ATTACH(id);
    CHECK_LINE(p, pages(1), "rw-s", 0, id, keys[i].name);
    DETACH(p);
    REMOVE_SEGMENT(id);
  }
}
