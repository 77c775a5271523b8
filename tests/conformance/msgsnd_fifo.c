/*
 * Equal blocked senders go in the order in which they went to sleep. The kernel wakes each that
 * could fit and lets them race, so the order shows only where woken tasks run in the order of
 * waking: SCHED_FIFO on one processor.
 */
#include "msg_check.h"
#include <sched.h>

enum { SENDERS = 5 };

int main(void) {
  struct sched_param priority = {.sched_priority = 10};
  cpu_set_t one_cpu;
  CPU_ZERO(&one_cpu);
  CPU_SET(sched_getcpu(), &one_cpu);
  if (sched_setaffinity(0, sizeof one_cpu, &one_cpu) != 0 ||
      sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
    SKIP("needs SCHED_FIFO and one processor: the kernel's order is a race otherwise");

  int id = new_queue();
  set_qbytes(id, 2);
  CHECK_SEND(id, 1, "1");
  CHECK_SEND(id, 1, "2");

  pid_t senders[SENDERS];
  for (int i = 0; i < SENDERS; i++) senders[i] = FORK_SENDER(id, 10 + i, "x");

  /* Room for one at a time. */
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "1");
  CHECK_CHILD(senders[0]);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "2");
  CHECK_CHILD(senders[1]);
  for (int i = 2; i < SENDERS; i++) PAUSE_UNTIL_BLOCKED(senders[i]);

  /* Room for two at once. */
  CHECK_RECV(id, 0, IPC_NOWAIT, 10, "x");
  CHECK_RECV(id, 0, IPC_NOWAIT, 11, "x");
  CHECK_CHILD(senders[2]);
  CHECK_CHILD(senders[3]);
  CHECK_RECV(id, 0, IPC_NOWAIT, 12, "x");
  CHECK_CHILD(senders[4]);
  CHECK_RECV(id, 0, IPC_NOWAIT, 13, "x");
  CHECK_RECV(id, 0, IPC_NOWAIT, 14, "x");
  CHECK_NOTHING(id, 0);
  REMOVE_QUEUE(id);
}
