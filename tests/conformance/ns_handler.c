/*
 * A handler of a signal that moves to another namespace: the call that it interrupts ends in the
 * one where it began.
 */
#include "ns_check.h"
#include <mqueue.h>
#include <signal.h>
#include <sys/time.h>

enum { KEY = 0x6e58 };

static volatile sig_atomic_t moved;

static void move_away(int signal) {
  (void)signal;
  if (unshare(CLONE_NEWIPC) != 0) return;
  moved = msgget(KEY, IPC_CREAT | 0600) == 0;
}

static void move_soon(void) {
  struct itimerval soon = {{0, 0}, {0, 50000}};
  moved = 0;
  CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
}

static void check_move(void) {
  if (!moved) SKIP("needs the right to unshare the IPC namespace");
  CHECK_EQ(msgget(KEY, 0), 0);
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | 0600), 0);
  CHECK_EQ(msgget(IPC_PRIVATE, 0600), 1);
}

int main(void) {
  struct sigaction action = {.sa_handler = move_away};
  CHECK_OK(sigaction(SIGALRM, &action, NULL));

  int queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  struct {
    long type;
    char text[8];
  } message;
  move_soon();
  CHECK_ERRNO(msgrcv(queue, &message, sizeof message.text, 0, 0), EINTR);
  check_move();

  struct sembuf take = {0, -1, SEM_UNDO};
  move_soon();
  CHECK_ERRNO(semop(0, &take, 1), EINTR);
  check_move();

  /* Made again, on the queue that the descriptor leads to. */
  action.sa_flags = SA_RESTART;
  CHECK_OK(sigaction(SIGALRM, &action, NULL));
  mqd_t mq = CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0600, NULL));
  char text[8192];
  pid_t child = fork_child();
  if (child == 0) {
    sleep_ms(200);
    CHECK_EQ(mq_send(mq, "late", 4, 0), 0);
    _exit(0);
  }
  move_soon();
  CHECK_EQ(mq_receive(mq, text, sizeof text, NULL), 4);
  check_move();
  CHECK_CHILD(child);
}
