/*
 * IPC needs no descriptor of the program's: closed from 0 to 1023 before the first call and between
 * calls, without room for one more. Nor does it take the number of one.
 */
#include "process_check.h"
#include <mqueue.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>

struct text {
  long type;
  char text[8];
};

static void close_all(void) {
  for (int fd = 0; fd < 1024; fd++) close(fd);
}

static int open_descriptors(void) {
  int open = 0;
  for (int fd = 0; fd < 1024; fd++) open += fcntl(fd, F_GETFD) >= 0;
  return open;
}

/* There is no standard error to tell of it. */
#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) return __LINE__;                                                             \
  } while (0)

static int use_sysv(void) {
  int queue = msgget(IPC_PRIVATE, 0600), set = semget(IPC_PRIVATE, 1, 0600);
  int segment = shmget(IPC_PRIVATE, 100000, 0600);
  MUST(queue >= 0 && set >= 0 && segment >= 0);
  struct text text = {1, "x"};
  MUST(msgsnd(queue, &text, 1, 0) == 0 && msgrcv(queue, &text, 1, 0, 0) == 1);
  struct sembuf operation = {0, 1, SEM_UNDO};
  MUST(semop(set, &operation, 1) == 0);
  char* memory = shmat(segment, NULL, 0);
  MUST(memory != (void*)-1);
  memset(memory, 1, 100000);
  pid_t child = fork();
  if (child == 0) _exit(memory[99999] == 1 && msgsnd(queue, &text, 1, 0) == 0 ? 0 : 1);
  int status = -1;
  MUST(waitpid(child, &status, 0) == child && status == 0);
  MUST(msgrcv(queue, &text, 1, 0, 0) == 1);
  MUST(shmdt(memory) == 0 && shmctl(segment, IPC_RMID, NULL) == 0);
  MUST(semctl(set, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
  return 0;
}

static int use_mqueue(int number) {
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};
  mqd_t queue = mq_open("/closed", O_CREAT | O_RDWR, 0600, &attributes);
  MUST(queue == number);
  MUST(mq_send(queue, "x", 1, 1) == 0);
  char text[8];
  MUST(mq_receive(queue, text, sizeof text, NULL) == 1);
  MUST(mq_close(queue) == 0 && mq_unlink("/closed") == 0);
  return 0;
}

static int use_all(int number) {
  int line = use_sysv();
  return line != 0 ? line : use_mqueue(number);
}

static int closed_at_start(void) {
  close_all();
  int line = use_all(0);
  if (line != 0) return line;
  MUST(open_descriptors() == 0);
  return 0;
}

/* All of them are the program's own, which are put in the place of whatever was there. */
static int closed_and_replaced(void) {
  int line = use_all(3);
  if (line != 0) return line;
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 1024; fd++)
    if (fd != null) dup2(null, fd);
  line = use_sysv();
  if (line != 0) return line;
  MUST(mq_open("/closed", O_CREAT | O_RDWR, 0600, NULL) == -1 || open_descriptors() >= 1024);
  mq_unlink("/closed");
  for (int fd = 0; fd < 1024; fd++) {
    char byte;
    MUST(read(fd, &byte, 1) == 0);
  }
  close_all();
  return use_all(0);
}

static int close_ranged(void) {
  int line = use_all(3);
  if (line != 0) return line;
  MUST(close_range(0, ~0u, 0) == 0);
  return use_all(0);
}

static int no_room(void) {
  struct rlimit few = {3, 3};
  MUST(setrlimit(RLIMIT_NOFILE, &few) == 0);
  int line = use_sysv();
  if (line != 0) return line;
  MUST(mq_open("/closed", O_CREAT | O_RDWR, 0600, NULL) == -1 && errno == EMFILE);
  return use_sysv();
}

/* What a later open gets is the number that it would have got. */
static int numbers_are_the_programs(void) {
  close_all();
  int line = use_sysv();
  if (line != 0) return line;
  MUST(open("/dev/null", O_RDWR) == 0 && dup(0) == 1 && dup(0) == 2);
  line = use_all(3);
  if (line != 0) return line;
  MUST(dup(0) == 3);
  return 0;
}

static int new_namespace(void) {
  close_all();
  if (unshare(CLONE_NEWIPC) != 0) return 0; /* not allowed to */
  int line = use_all(0);
  if (line != 0) return line;
  MUST(open_descriptors() == 0);
  return 0;
}

static int closed_over_exec(void) {
  close_all();
  execl("/proc/self/exe", "program", "started", NULL);
  return __LINE__;
}

static void check_ways(void) {
  static int (*const ways[])(void) = {closed_at_start, closed_and_replaced,      close_ranged,
                                      no_room,         numbers_are_the_programs, new_namespace};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    int* line = shared_memory(sizeof *line);
    pid_t child = fork_child();
    if (child == 0) {
      *line = ways[i]();
      _exit(0);
    }
    CHECK_CHILD(child);
    if (*line != 0) FAIL("way %zu: line %d: expected success", i, *line);
  }
  pid_t child = fork_child();
  if (child == 0) _exit(closed_over_exec());
  CHECK_FOUND_BY(child);
}

int main(int argc, char** argv) {
  (void)argv;
  look_if_started(argc);
  pid_t maker = fork_child();
  if (maker == 0) {
    make_queue();
    _exit(0);
  }
  CHECK_CHILD(maker);
  check_ways();
  /* The same of the children of a process that has made calls. */
  CHECK_EQ(msgget(KEY, 0), 0);
  check_ways();
}
