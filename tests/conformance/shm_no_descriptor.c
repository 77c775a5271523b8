/*
 * Shared memory needs no descriptor: with all closed, none allowed, in an empty root and as another
 * user, segments are made, attached, removed; and what is attached takes up none.
 */
#include "shm_check.h"
#include <sys/resource.h>

int main(void) {
  int id = CHECK_OK(shmget(0x10fc, 100, IPC_CREAT | 0666));
  int lowest = CHECK_OK(open("/dev/null", O_RDONLY));
  close(lowest);
  char* p = ATTACH(id);
  CHECK_EQ(open("/dev/null", O_RDONLY), lowest);
  close(lowest);

  char folder[] = "/tmp/shm_no_descriptor.XXXXXX";
  bool root = can_become_others() && mkdtemp(folder) != NULL;
  int* reached = shared_memory(sizeof *reached);
  pid_t child = fork_child();
  if (child == 0) {
    if (root) {
      CHECK_EQ(chroot(folder), 0);
      CHECK_EQ(chdir("/"), 0);
      become(10001, 10001, 0);
    }
    /* From here on a failure tells its line by the exit status alone, which is its number. */
    for (int fd = 0; fd < 1024; fd++) close(fd);
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) _exit(2);
    char* q = shmat(id, NULL, 0);
    if (q == (char*)-1) _exit(3);
    strcpy(q, "child");
    if (strcmp(p, "child") != 0) _exit(4);
    if (shmget(0x10fc, 0, 0600) != id) _exit(5);
    int own = shmget(IPC_PRIVATE, 1000, 0600);
    if (own < 0) _exit(6);
    char* r = shmat(own, NULL, 0);
    if (r == (char*)-1) _exit(7);
    r[999] = 'x';
    if (shmctl(own, IPC_RMID, NULL) != 0) _exit(8);
    if (shmdt(r) != 0 || shmdt(p) != 0) _exit(9);
    struct shmid_ds ds;
    if (shmctl(id, IPC_STAT, &ds) != 0 || ds.shm_nattch != 2) _exit(10);
    *reached = 1;
    _exit(0);
  }
  if (root) {
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    forget_child(child);
    CHECK_EQ(rmdir(folder), 0);
    CHECK_EQ(status, 0);
  } else {
    CHECK_CHILD(child);
  }
  CHECK_EQ(*reached, 1);
  CHECK_TEXT(p, "child");
  CHECK_NATTCH(id, 1);
  DETACH(p);
  REMOVE_SEGMENT(id);
}
