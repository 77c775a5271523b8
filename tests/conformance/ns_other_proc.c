/*
 * A process of a pid namespace without a /proc of its own moves to another IPC namespace while one
 * of its threads waits in the first. Its pid is there another process's, which has one thread.
 */
#include "ns_check.h"
#include <fcntl.h>
#include <pthread.h>

enum { KEY = 0x6e59 };

static int queue;

static void* receive(void* unused) {
  (void)unused;
  struct {
    long type;
    char text[1];
  } message;
  CHECK_EQ(msgrcv(queue, &message, 1, 0, 0), 1);
  CHECK_EQ(msgget(KEY, 0), 0);
  return NULL;
}

static void move_away(void) {
  pthread_t receiver;
  CHECK_EQ(pthread_create(&receiver, NULL, receive, NULL), 0);
  pid_t sender = fork_child();
  if (sender == 0) {
    struct {
      long type;
      char text[1];
    } message = {1, {0}};
    sleep_ms(200);
    CHECK_EQ(msgsnd(queue, &message, 1, 0), 0);
    _exit(0);
  }
  sleep_ms(50);
  MOVE_TO_NEW();
  CHECK_ERRNO(msgget(KEY, 0), ENOENT);
  CHECK_EQ(pthread_join(receiver, NULL), 0);
  CHECK_CHILD(sender);
}

/* Has its next child get that pid. */
static void choose_pid(pid_t pid) {
  char text[16];
  int length = snprintf(text, sizeof text, "%d", pid - 1);
  int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
  if (last < 0 || write(last, text, length) != length) SKIP("needs the right to choose a pid");
  close(last);
}

int main(void) {
  queue = CHECK_OK(msgget(KEY, IPC_CREAT | 0600));
  pid_t outer = getpid();
  if (unshare(CLONE_NEWPID) != 0) SKIP("needs the right to unshare the pid namespace");
  pid_t first = fork_child();
  if (first == 0) {
    choose_pid(outer);
    pid_t mover = fork_child();
    if (mover == 0) {
      CHECK_EQ(getpid(), outer);
      move_away();
      _exit(0);
    }
    CHECK_CHILD(mover);
    _exit(0);
  }
  CHECK_CHILD(first);
}
