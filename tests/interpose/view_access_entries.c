/* access() and its kin: everybody may read, nobody may execute, root may write. */
#include "view_check.h"

typedef int access_function(const char*, int);

static void check_access(const char* path, int want_write) {
  static const char* const names[] = {"access", "eaccess", "euidaccess"};
  for (int mode = 0; mode < 8; mode++) {
    int want = mode & X_OK ? EACCES : mode & W_OK ? want_write : 0;
    for (int i = 0; i < 5; i++) {
      errno = 0;
      int result = i < 3 ? LIBC(access_function, names[i])(path, mode)
                         : faccessat(AT_FDCWD, path, mode, i == 3 ? 0 : AT_EACCESS);
      if (result != (want ? -1 : 0) || errno != want)
        FAIL("%s %s mode %d: expected %s, got %d %s", i < 3 ? names[i] : "faccessat", path, mode,
             strerrorname_np(want), result, strerrorname_np(errno));
    }
  }
  CHECK_ERRNO(access(path, 8), EINVAL);
  CHECK_ERRNO(faccessat(AT_FDCWD, path, R_OK, 0x80000), EINVAL);
}

int main(void) {
  NEED_ROOT();
  check_access(MSG_FILE, 0);
  check_access(MSGMAX_FILE, 0);
  CHECK_ERRNO(access(MSGMAX_FILE, X_OK), EACCES);

  int proc = CHECK_OK(open("/proc", O_RDONLY | O_DIRECTORY));
  CHECK_EQ(faccessat(proc, "sysvipc/msg", R_OK, 0), 0);
  CHECK_ERRNO(faccessat(proc, "sysvipc/msgs", F_OK, 0), ENOENT);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(10001, 10001, 0);
    check_access(MSG_FILE, EACCES);
    check_access(MSGMAX_FILE, EACCES);
    _exit(0);
  }
  CHECK_CHILD(stranger);
}
