/*
 * A segment's maker, for kernel.shm_rmid_forced, is the thread that called shmget(): what it has
 * made is destroyed by its end, though the process lives on. exec is no end.
 */
#include "shm_check.h"
#include <pthread.h>
#include <sys/syscall.h>

static const char path[] = "/proc/sys/kernel/shm_rmid_forced";
static int id;
static pid_t maker;

static void* make(void* unused) {
  id = new_segment(100);
  maker = syscall(SYS_gettid);
  return unused;
}

int main(int argc, char** argv) {
  if (argc == 2) {
    id = atoi(argv[1]);
    CHECK_NATTCH(id, 0);
    return 0;
  }
  NEED_ROOT();
  need_own_sysctl();
  CHECK_EQ(put_text(path, "1\n"), 0);

  /* pthread_join() returns before the kernel is through with the thread. */
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, make, NULL), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  while (task_state(maker) != 0) sleep_ms(1);
  CHECK_DESTROYED(id);

  int* made = shared_memory(sizeof *made);
  pid_t child = fork_child();
  if (child == 0) {
    *made = new_segment(100);
    char text[16];
    snprintf(text, sizeof text, "%d", *made);
    execl("/proc/self/exe", argv[0], text, (char*)NULL);
    FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
  }
  CHECK_CHILD(child);
  CHECK_DESTROYED(*made);
}
