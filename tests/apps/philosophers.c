// Philosophers at a round table, each with a plate between two forks, that is two semaphores of one
// set: who is hungry takes both in one semop, to be undone if he dies. Some are murdered at table;
// their neighbours must get their forks, and nobody a fork that another has.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kSeats = 5, kMeals = 400, kMurders = 100, kPatience = 40 };
// The semaphores behind the forks: how many have eaten their fill, and the start.
enum { kDone = kSeats, kStart, kSemaphores };

union semun {
  int val;
  unsigned short* array;
  struct seminfo* info;
};

// What all see. A guest is a number that no other philosopher ever has; 0 is nobody.
static struct table {
  volatile int fork_of[kSeats];  // the guest that eats with it
  volatile int is_dead[kSeats + kMurders + 1];
  volatile long meals[kSeats];
} * table;

static int set;

static void fail(const char* what) {
  printf("FAILED: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  _exit(1);
}

static void expect(int is_right, const char* what) {
  errno = 0;
  if (!is_right) fail(what);
}

static void operate(struct sembuf* operations, size_t count) {
  if (semop(set, operations, count) != 0) fail("semop");
}

static int value_of(int semaphore) {
  const int value = semctl(set, semaphore, GETVAL);
  if (value < 0) fail("GETVAL");
  return value;
}

static void take(int fork_number, int guest) {
  const int before = table->fork_of[fork_number];
  expect(before == 0 || table->is_dead[before], "nobody who lives has the fork");
  table->fork_of[fork_number] = guest;
}

static void eat(int seat, int guest) {
  const int left = seat, right = (seat + 1) % kSeats;
  struct sembuf both[] = {{(unsigned short)left, -1, SEM_UNDO},
                          {(unsigned short)right, -1, SEM_UNDO}};
  operate(both, 2);
  take(left, guest);
  take(right, guest);
  for (volatile int bite = 0; bite < 500; ++bite) continue;
  expect(table->fork_of[left] == guest && table->fork_of[right] == guest, "he ate with his forks");
  table->fork_of[left] = table->fork_of[right] = 0;
  both[0].sem_op = both[1].sem_op = 1;
  operate(both, 2);
  ++table->meals[seat];
}

static pid_t invite(int seat, int guest, long meals) {
  fflush(stdout);
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid > 0) return pid;
  alarm(kPatience);  // who gets no fork starves
  struct sembuf wait_for_start = {kStart, 0, 0};
  operate(&wait_for_start, 1);
  for (long meal = 0; meals == 0 || meal < meals; ++meal) eat(seat, guest);
  struct sembuf done = {kDone, 1, 0};
  operate(&done, 1);
  _exit(0);
}

static void expect_success(pid_t pid, const char* what) {
  int status;
  if (waitpid(pid, &status, 0) != pid) fail("waitpid");
  expect(status == 0, what);
}

static void murder(pid_t pid, int guest) {
  int status;
  table->is_dead[guest] = 1;
  kill(pid, SIGKILL);
  if (waitpid(pid, &status, 0) != pid) fail("waitpid");
  expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "he was at table until murdered");
}

static void begin(void) {
  struct sembuf start = {kStart, -1, 0};
  operate(&start, 1);
}

static void lay_the_table(void) {
  unsigned short values[kSemaphores];
  for (int seat = 0; seat < kSeats; ++seat) {
    values[seat] = 1;
    table->fork_of[seat] = 0;
    table->meals[seat] = 0;
  }
  values[kDone] = 0;
  values[kStart] = 1;
  if (semctl(set, 0, SETALL, (union semun){.array = values}) != 0) fail("SETALL");
}

static void expect_all_forks(void) {
  for (int seat = 0; seat < kSeats; ++seat)
    expect(value_of(seat) == 1, "all forks are on the table again");
}

static void dine_in_peace(void) {
  pid_t pids[kSeats];
  lay_the_table();
  for (int seat = 0; seat < kSeats; ++seat) pids[seat] = invite(seat, seat + 1, kMeals);
  begin();
  struct sembuf all_done = {kDone, -kSeats, 0};
  operate(&all_done, 1);
  for (int seat = 0; seat < kSeats; ++seat) {
    expect_success(pids[seat], "a philosopher goes home");
    expect(table->meals[seat] == kMeals, "he has eaten his fill");
  }
  expect_all_forks();
  printf("%d philosophers had %d meals each\n", kSeats, kMeals);
}

static void dine_with_a_murderer(void) {
  pid_t pids[kSeats];
  int guests[kSeats], next_guest = 1;
  lay_the_table();
  for (int seat = 0; seat < kSeats; ++seat) {
    guests[seat] = next_guest++;
    pids[seat] = invite(seat, guests[seat], 0);
  }
  begin();
  srand(4711);
  for (int n = 0; n < kMurders; ++n) {
    const int seat = rand() % kSeats;
    usleep((useconds_t)(rand() % 3000));
    murder(pids[seat], guests[seat]);
    guests[seat] = next_guest++;
    pids[seat] = invite(seat, guests[seat], 0);
  }
  // All can go on.
  long before[kSeats];
  for (int seat = 0; seat < kSeats; ++seat) before[seat] = table->meals[seat];
  for (int seat = 0; seat < kSeats; ++seat)
    while (table->meals[seat] < before[seat] + 10) usleep(1000);
  for (int seat = 0; seat < kSeats; ++seat) murder(pids[seat], guests[seat]);
  expect_all_forks();
  printf("%d were murdered, and the others went on\n", kMurders);
}

int main(void) {
  alarm(kPatience);
  table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (table == MAP_FAILED) fail("mmap");
  set = semget(IPC_PRIVATE, kSemaphores, 0600);
  if (set < 0) fail("semget");
  dine_in_peace();
  dine_with_a_murderer();
  if (semctl(set, 0, IPC_RMID) != 0) fail("IPC_RMID");
  struct seminfo info;
  if (semctl(0, 0, SEM_INFO, (union semun){.info = &info}) < 0) fail("SEM_INFO");
  printf("left: %d sets, %d semaphores\n", info.semusz, info.semaem);
  return 0;
}
