/*
 * Processes in a tree move among namespaces, make objects of all kinds, fork, exec and end, and are
 * killed at random instants.
 *
 *     ns_storm SECONDS SEED    1: an answer was wrong, or a process did not come to its end
 *
 * `ns_storm - SEED` is one of them behind exec(2). What all share is the memory of descriptor
 * BOARD.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOARD = 100, PLACES = 24, KEPT = 3, FIRST_KEPT = 110, PATIENCE = 15 };

typedef struct Board {
  double end;
  atomic_int failures;
  atomic_int killed, moved, executed, forked;
  atomic_int pids[PLACES];
} Board;

static Board* board;
static unsigned seed;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static unsigned draw(unsigned limit) {
  seed = seed * 1103515245 + 12345;
  return (seed >> 8) % limit;
}

static void require(int is_fine, const char* what) {
  if (is_fine) return;
  fprintf(stderr, "ns_storm: %s: %s\n", what, strerror(errno));
  atomic_fetch_add(&board->failures, 1);
  _exit(1);
}

static void map_board(void) {
  board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, BOARD, 0);
  if (board == MAP_FAILED) abort();
}

/* ---- What one of them does */

static void use_messages(void) {
  struct {
    long type;
    char text[16];
  } sent = {1, "storm"}, got = {0, ""};
  const int id = msgget(IPC_PRIVATE, 0600);
  require(id >= 0, "msgget");
  require(msgsnd(id, &sent, sizeof sent.text, 0) == 0, "msgsnd");
  require(msgrcv(id, &got, sizeof got.text, 0, 0) == sizeof got.text, "msgrcv");
  require(strcmp(got.text, sent.text) == 0, "the message");
  if (draw(4) != 0) require(msgctl(id, IPC_RMID, NULL) == 0, "msgctl");
}

static void use_semaphores(void) {
  struct sembuf add = {0, 2, SEM_UNDO}, take = {0, -1, SEM_UNDO};
  const int id = semget(IPC_PRIVATE, 2, 0600);
  require(id >= 0, "semget");
  require(semop(id, &add, 1) == 0 && semop(id, &take, 1) == 0, "semop");
  require(semctl(id, 0, GETVAL) == 1, "the value");
  if (draw(4) != 0) require(semctl(id, 0, IPC_RMID) == 0, "semctl");
}

static void use_memory(void) {
  const int id = shmget(IPC_PRIVATE, 20000, 0600);
  require(id >= 0, "shmget");
  char* at = shmat(id, NULL, 0);
  require(at != (void*)-1, "shmat");
  at[19999] = 1;
  require(shmctl(id, IPC_RMID, NULL) == 0, "shmctl");
  if (draw(8) != 0) require(shmdt(at) == 0, "shmdt");
}

static void use_queue(void) {
  char name[32], text[64];
  struct mq_attr small = {.mq_maxmsg = 2, .mq_msgsize = sizeof text};
  snprintf(name, sizeof name, "/storm-%d", (int)getpid());
  const mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &small);
  require(queue >= 0, "mq_open");
  require(mq_send(queue, "storm", 6, 0) == 0, "mq_send");
  require(mq_receive(queue, text, sizeof text, NULL) == 6, "mq_receive");
  require(mq_unlink(name) == 0 && mq_close(queue) == 0, "mq_close");
}

static void keep_namespace(void) {
  char path[64];
  const int pid = board->pids[draw(PLACES)];
  if (draw(2) == 0 || pid == 0)
    snprintf(path, sizeof path, "/proc/self/ns/ipc");
  else
    snprintf(path, sizeof path, "/proc/%d/ns/ipc", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return; /* it is gone */
  require(dup3(fd, FIRST_KEPT + (int)draw(KEPT), draw(2) ? O_CLOEXEC : 0) >= 0, "dup3");
  close(fd);
}

static void move(void) {
  atomic_fetch_add(&board->moved, 1);
  if (draw(2) == 0) {
    require(unshare(CLONE_NEWIPC) == 0 || errno == ENOSPC, "unshare");
    return;
  }
  const int fd = FIRST_KEPT + (int)draw(KEPT);
  if (fcntl(fd, F_GETFD) >= 0) require(setns(fd, CLONE_NEWIPC) == 0 || errno == ENOSPC, "setns");
}

static void execute(void) {
  char text[16];
  snprintf(text, sizeof text, "%u", seed);
  atomic_fetch_add(&board->executed, 1);
  execl("/proc/self/exe", "ns_storm", "-", text, (char*)NULL);
  require(0, "exec");
}

static void enlist(void) { board->pids[draw(PLACES)] = getpid(); }

static void fork_one(void) {
  const pid_t child = fork();
  require(child >= 0, "fork");
  atomic_fetch_add(&board->forked, 1);
  if (child != 0) return;
  seed += (unsigned)getpid();
  enlist();
}

static void collect(void) {
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

static void live(void) {
  while (now() < board->end) {
    collect();
    switch (draw(24)) {
      case 0: execute(); break;
      case 1: fork_one(); break;
      case 2: exit(0);
      case 3: keep_namespace(); break;
      case 4:
      case 5:
      case 6: move(); break;
      case 7:
      case 8: use_queue(); break;
      case 9:
      case 10: use_memory(); break;
      case 11:
      case 12:
      case 13: use_semaphores(); break;
      default: use_messages();
    }
  }
  exit(0);
}

/* ---- Who starts and kills them */

static void start_one(void) {
  const pid_t child = fork();
  if (child > 0) return;
  if (child < 0) _exit(1);
  seed += (unsigned)getpid();
  enlist();
  live();
}

static int count_children(void) {
  int count = 0;
  FILE* list = fopen("/proc/thread-self/children", "r");
  for (int pid; list != NULL && fscanf(list, "%d", &pid) == 1;) count++;
  if (list != NULL) fclose(list);
  return count;
}

static void kill_one(void) {
  const int place = (int)draw(PLACES);
  const int pid = atomic_exchange(&board->pids[place], 0);
  if (pid == 0 || kill(pid, SIGKILL) != 0) return;
  atomic_fetch_add(&board->killed, 1);
}

static int rage(double seconds) {
  board->end = now() + seconds;
  while (now() < board->end) {
    collect();
    if (count_children() < 6) start_one();
    usleep(draw(2000));
    kill_one();
  }
  const double patience = now() + PATIENCE;
  while (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD) {
    if (now() > patience) {
      fprintf(stderr, "ns_storm: %d processes hang\n", count_children());
      return 1;
    }
    usleep(1000);
  }
  printf("%d killed, %d moves, %d forks, %d execs\n", board->killed, board->moved, board->forked,
         board->executed);
  return board->failures != 0;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  seed = (unsigned)strtoul(arguments[2], NULL, 0);
  if (strcmp(arguments[1], "-") == 0) {
    map_board();
    live();
  }
  const int memory = memfd_create("ns_storm", 0);
  if (memory < 0 || ftruncate(memory, sizeof(Board)) != 0 || dup2(memory, BOARD) < 0) return 2;
  map_board();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  return rage(atof(arguments[1]));
}
