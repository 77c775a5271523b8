/*
 * A process that becomes another user, in its own root folder or another: what it may do is asked
 * of the user that it is now, for itself, its children and the programs that it starts. What it had
 * attached stays. Users share what their permissions let them.
 */
#include "process_check.h"
#include <sys/sem.h>
#include <sys/shm.h>

enum { USER = 61234, OTHER = 61235, OPEN_KEY = 0x70636b32, MADE_KEY = 0x70636b33 };

struct text {
  long type;
  char text[8];
};

static int closed, open_to_all, segment;
static char* memory;

static void look_around(void) {
  struct text text = {1, "u"};
  CHECK_ERRNO(msgsnd(closed, &text, 1, 0), EACCES);
  CHECK_ERRNO(msgget(KEY, 0600), EACCES);
  CHECK_EQ(msgget(OPEN_KEY, 0666), open_to_all);
  CHECK_EQ(msgsnd(open_to_all, &text, 1, 0), 0);
  CHECK_EQ(msgrcv(open_to_all, &text, 1, 0, 0), 1);
  CHECK_ERRNO(msgctl(open_to_all, IPC_RMID, NULL), EPERM);
  CHECK_ERRNO(shmat(segment, NULL, 0) == (void*)-1 ? -1 : 0, EACCES);
  char* attached = shmat(segment, NULL, SHM_RDONLY);
  CHECK(attached != (void*)-1);
  CHECK_EQ(attached[1], 's');
  CHECK_EQ(shmdt(attached), 0);
}

static void be_started(int argc, char** argv) {
  if (argc < 2) return;
  CHECK_EQ(geteuid(), USER);
  closed = atoi(argv[1]);
  open_to_all = atoi(argv[2]);
  segment = atoi(argv[3]);
  look_around();
  int made = CHECK_OK(msgget(MADE_KEY, IPC_CREAT | 0660));
  struct msqid_ds state;
  CHECK_EQ(msgctl(made, IPC_STAT, &state), 0);
  CHECK_EQ(state.msg_perm.cuid, USER);
  CHECK_EQ(msgctl(made, IPC_RMID, NULL), 0);
  quit(FOUND);
}

static void start(void) {
  char numbers[3][16];
  snprintf(numbers[0], sizeof *numbers, "%d", closed);
  snprintf(numbers[1], sizeof *numbers, "%d", open_to_all);
  snprintf(numbers[2], sizeof *numbers, "%d", segment);
  char* arguments[] = {"program", numbers[0], numbers[1], numbers[2], NULL};
  char* empty[] = {NULL};
  for (int i = 0; i < 2; i++) {
    pid_t child = fork_child();
    if (child == 0) {
      execve("/proc/self/exe", arguments, i == 0 ? environ : empty);
      if (errno == EACCES) quit(FOUND); /* this user cannot come to the program */
      FAIL("execve: %s", strerrorname_np(errno));
    }
    CHECK_FOUND_BY(child);
  }
}

static void be_user(bool can_start) {
  become(USER, USER, 0);
  CHECK_EQ(memory[1], 's');
  memory[2] = 'u';
  look_around();
  pid_t child = fork_child();
  if (child == 0) {
    look_around();
    int set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
    struct sembuf take = {0, 1, SEM_UNDO};
    CHECK_EQ(semop(set, &take, 1), 0);
    int own = CHECK_OK(shmget(IPC_PRIVATE, 3 << 20, 0600));
    char* attached = shmat(own, NULL, 0);
    CHECK(attached != (void*)-1);
    memset(attached, 1, 3 << 20);
    CHECK_EQ(shmdt(attached), 0);
    CHECK_EQ(shmctl(own, IPC_RMID, NULL), 0);
    CHECK_EQ(semctl(set, 0, IPC_RMID), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  if (can_start) start();
}

/* Between users back and forth, with the real one kept. */
static void be_effective_user(void) {
  struct text text = {1, "e"};
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(setresuid(-1, USER, 0), 0);
    CHECK_ERRNO(msgsnd(closed, &text, 1, 0), EACCES);
    CHECK_EQ(setresuid(-1, 0, 0), 0);
    CHECK_EQ(msgsnd(closed, &text, 1, 0), 0);
    CHECK_EQ(msgrcv(closed, &text, 1, 0, 0), 1);
  }
}

static void change_root(void) {
  char folder[] = "/tmp/root-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  CHECK_EQ(chdir(folder), 0);
  CHECK_EQ(rmdir(folder), 0);
  CHECK_EQ(chroot("."), 0);
  CHECK_EQ(chdir("/"), 0);
}

int main(int argc, char** argv) {
  be_started(argc, argv);
  NEED_ROOT();
  make_queue();
  closed = 0;
  open_to_all = CHECK_OK(msgget(OPEN_KEY, IPC_CREAT | 0666));
  segment = CHECK_OK(shmget(IPC_PRIVATE, 100000, 0644));
  memory = shmat(segment, NULL, 0);
  CHECK(memory != (void*)-1);
  memory[1] = 's';
  for (int way = 0; way < 3; way++) {
    pid_t child = fork_child();
    if (child == 0) {
      if (way == 1) change_root();
      if (way == 2)
        be_effective_user();
      else
        be_user(way == 0);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  CHECK_EQ(memory[2], 'u');
  CHECK_EQ(shmdt(memory), 0);
}
