/*
 * A timer's handler with SA_RESTART, a thousand times a second: msgrcv(), msgsnd() and semop() that
 * block give EINTR each time, mq_receive() and mq_send() go on, and calls that do not block never
 * give EINTR.
 */
#include "sig_check.h"
#include <sys/time.h>

static struct sig_objects all;
static volatile int runs;

static void on_timer(int number) {
  (void)number;
  runs++;
}

static void tick(long microseconds) {
  const struct itimerval every = {{0, microseconds}, {0, microseconds}};
  CHECK_OK(setitimer(ITIMER_REAL, &every, NULL));
}

static void without_sleep(void) {
  struct sig_message message = {1, "text"};
  struct sembuf up = {0, 1, SEM_UNDO}, down = {0, -1, SEM_UNDO};
  for (runs = 0; runs < 300;) {
    CHECK_EQ(msgsnd(all.queue, &message, 5, 0), 0);
    CHECK_EQ(msgrcv(all.queue, &message, 5, 0, 0), 5);
    CHECK_EQ(semop(all.set, &up, 1), 0);
    CHECK_EQ(semop(all.set, &down, 1), 0);
    CHECK_EQ(mq_send(all.mq, "mq", 3, 1), 0);
    CHECK_EQ(mq_receive(all.mq, message.text, 64, NULL), 3);
    void* address = shmat(all.segment, NULL, 0);
    CHECK(address != (void*)-1);
    CHECK_EQ(shmdt(address), 0);
  }
}

static void asleep(void) {
  struct sig_message message;
  struct sembuf down = {0, -1, 0};
  for (int n = 0; n < 50; n++) {
    CHECK_ERRNO(msgrcv(all.queue, &message, 64, 0, 0), EINTR);
    CHECK_ERRNO(semop(all.set, &down, 1), EINTR);
  }
  CHECK_EQ(semctl(all.set, 0, GETVAL), 0);
  CHECK_EQ(semctl(all.set, 0, GETNCNT), 0);
}

static void* send_later(void* queue) {
  int before = runs;
  sigset_t set;
  sigfillset(&set);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  while (runs < before + 50) sleep_ms(1);
  CHECK_EQ(mq_send(*(mqd_t*)queue, "late", 5, 1), 0);
  return NULL;
}

static void asleep_in_mq(void) {
  char text[64];
  pthread_t sender;
  mqd_t mq = CHECK_OK(mq_open("/sig", O_RDWR));
  CHECK_EQ(pthread_create(&sender, NULL, send_later, &mq), 0);
  CHECK_EQ(mq_receive(mq, text, sizeof text, NULL), 5);
  CHECK_EQ(pthread_join(sender, NULL), 0);
  CHECK_EQ(mq_close(mq), 0);
}

int main(void) {
  sig_open(&all);
  set_handler(SIGALRM, on_timer, SA_RESTART);
  tick(1000);
  without_sleep();
  asleep();
  asleep_in_mq();
  tick(0);
  sig_remove(&all);
}
