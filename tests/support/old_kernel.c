/*
 * Runs a program as on an older kernel: futex_waitv(2) (Linux 5.16) and MADV_POPULATE_WRITE (5.14)
 * are not there. Exit 77 where seccomp filters are not.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MADVISE_POPULATE_WRITE = 23, FUTEX_WAITV = 449 };

int main(int argc, char** argv) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  int error = filter ? 0 : -ENOMEM;
  if (!error) error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), FUTEX_WAITV, 0);
  if (!error)
    error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(madvise), 1,
                             SCMP_A2(SCMP_CMP_EQ, MADVISE_POPULATE_WRITE));
  if (!error) error = seccomp_load(filter);
  if (error) {
    fprintf(stderr, "skipped: no seccomp filter here: %s\n", strerror(-error));
    return 77;
  }
  if (argc < 2) {
    fprintf(stderr, "usage: old_kernel PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  execvp(argv[1], argv + 1);
  fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
  return 127;
}
