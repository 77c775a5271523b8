/* What the programs about signals share, beside check.h. */
#ifndef CONFORMANCE_SIG_CHECK_H
#define CONFORMANCE_SIG_CHECK_H

#include "check.h"
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

struct sig_message {
  long type;
  char text[64];
};

/* Objects of each family, for programs that only want to make calls. */
struct sig_objects {
  int queue;
  int set;
  int segment;
  mqd_t mq;
};

static inline void sig_open(struct sig_objects* all) {
  struct mq_attr room = {.mq_maxmsg = 4, .mq_msgsize = 64};
  all->queue = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  all->set = CHECK_OK(semget(IPC_PRIVATE, 4, 0600));
  all->segment = CHECK_OK(shmget(IPC_PRIVATE, 4096, 0600));
  all->mq = CHECK_OK(mq_open("/sig", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &room));
}

static inline void sig_remove(struct sig_objects* all) {
  CHECK_OK(msgctl(all->queue, IPC_RMID, NULL));
  CHECK_OK(semctl(all->set, 0, IPC_RMID));
  CHECK_OK(shmctl(all->segment, IPC_RMID, NULL));
  CHECK_OK(mq_close(all->mq));
  CHECK_OK(mq_unlink("/sig"));
}

/* EFAULT from a call of each kind, into either direction, and all is as before. */
static inline void sig_bad_pointers(const struct sig_objects* all) {
  static char* no_access;
  static const struct sig_message message = {5, "five"};
  if (no_access == NULL) {
    char* end = end_of_memory();
    __atomic_store_n(&no_access, end, __ATOMIC_SEQ_CST);
  }
  void* bad[] = {no_access, (void*)-1, (void*)8, (void*)(1ul << (sizeof(long) * 8 - 2))};
  for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
    CHECK_ERRNO(msgsnd(all->queue, bad[n], 8, IPC_NOWAIT), EFAULT);
    CHECK_EQ(msgsnd(all->queue, &message, 5, IPC_NOWAIT), 0);
    CHECK_ERRNO(msgrcv(all->queue, bad[n], 8, 0, IPC_NOWAIT), EFAULT);
    CHECK_ERRNO(msgctl(all->queue, IPC_STAT, bad[n]), EFAULT);
    CHECK_ERRNO(msgctl(all->queue, IPC_SET, bad[n]), EFAULT);
    CHECK_ERRNO(semop(all->set, bad[n], 1), EFAULT);
    CHECK_ERRNO(semctl(all->set, 0, GETALL, bad[n]), EFAULT);
    CHECK_ERRNO(semctl(all->set, 0, SETALL, bad[n]), EFAULT);
    CHECK_ERRNO(shmctl(all->segment, IPC_STAT, bad[n]), EFAULT);
    CHECK_ERRNO(mq_send(all->mq, bad[n], 8, 0), EFAULT);
    CHECK_EQ(mq_send(all->mq, "mq", 3, 0), 0);
    CHECK_ERRNO(mq_receive(all->mq, bad[n], 64, NULL), EFAULT);
  }
  struct sig_message out;
  CHECK_EQ(msgsnd(all->queue, &message, 5, IPC_NOWAIT), 0);
  CHECK_EQ(msgrcv(all->queue, &out, sizeof out.text, 5, IPC_NOWAIT), 5);
  CHECK(strcmp(out.text, "five") == 0);
}

static inline void set_mask(int how, int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  CHECK_EQ(pthread_sigmask(how, &set, NULL), 0);
}

static inline bool is_blocked(int signal_number) {
  sigset_t set;
  CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &set));
  return sigismember(&set, signal_number) == 1;
}

static inline void set_handler(int signal_number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&action.sa_mask);
  CHECK_OK(sigaction(signal_number, &action, NULL));
}

static inline void set_info_handler(int signal_number, void (*handler)(int, siginfo_t*, void*),
                                    int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  CHECK_OK(sigaction(signal_number, &action, NULL));
}

/* Runs `body` in a child and gives how it ended: an exit status, or minus the signal. */
static inline int end_of_child(void (*body)(void)) {
  int status = 0;
  pid_t child = fork_child();
  if (child == 0) {
    body();
    _exit(0);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  forget_child(child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void touch_nothing(void) {
  char* volatile nowhere = end_of_memory();
  *nowhere = 1;
}

#endif
