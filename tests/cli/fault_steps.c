// What fault_paths.py has programs do: each word of the command line is a step. Every IPC call says
// on standard output what came of it, after the label that its step has.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;
static char** g_arguments;

static void tell(const char* label, long result) {
  char line[128];
  const int length = result < 0
                         ? snprintf(line, sizeof line, "%s %s\n", label, strerrorname_np(errno))
                         : snprintf(line, sizeof line, "%s ok\n", label);
  if (write(1, line, (size_t)length) != length) _exit(99);
}

static long make(void) {
  const int id = msgget(IPC_PRIVATE, 0600);
  const int error = errno;
  if (id >= 0) msgctl(id, IPC_RMID, NULL);
  errno = error;
  return id;
}

static void await(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
}

static void* in_thread(void* label) {
  tell(label, make());
  return NULL;
}

static const char* g_self;

// The rest of the steps, in a program that is started anew.
static char* g_rest[8];
static void set_rest(char* step) {
  g_rest[0] = (char*)g_self;
  g_rest[1] = step;
  g_rest[2] = NULL;
}

static int in_clone(void* label) {
  tell(label, make());
  fflush(stdout);
  _exit(0);
}

static sigjmp_buf g_place;
static int g_jumps;
static void handle(int signal) {
  (void)signal;
  tell("handler", make());
  if (g_jumps) siglongjmp(g_place, 1);
}

// msgrcv of a queue that stays empty, with a signal that comes while it sleeps.
static void sleep_with_handler(int jumps) {
  const int id = msgget(IPC_PRIVATE, 0600);
  struct {
    long type;
    char text[8];
  } message;
  struct sigaction action = {.sa_handler = handle};
  sigaction(SIGALRM, &action, NULL);
  g_jumps = jumps;
  if (sigsetjmp(g_place, 1) == 0) {
    ualarm(30000, 0);
    tell("sleeper", msgrcv(id, &message, sizeof message.text, 0, 0));
  }
  tell("behind", make());
  msgctl(id, IPC_RMID, NULL);
}

static void step(char* word) {
  if (strcmp(word, "call") == 0) {
    tell("call", make());
  } else if (strcmp(word, "fork") == 0) {
    const pid_t child = fork();
    if (child == 0) {
      tell("child", make());
      const pid_t grandchild = fork();
      if (grandchild == 0) {
        tell("grandchild", make());
        _exit(0);
      }
      await(grandchild);
      _exit(0);
    }
    await(child);
  } else if (strcmp(word, "exec") == 0) {
    set_rest("call");
    execv(g_self, g_rest);
  } else if (strcmp(word, "vfork") == 0) {
    set_rest("call");
    const pid_t child = vfork();
    if (child == 0) {
      execv(g_self, g_rest);
      _exit(98);
    }
    await(child);
  } else if (strcmp(word, "spawn") == 0) {
    set_rest("call");
    pid_t child;
    if (posix_spawn(&child, g_self, NULL, NULL, g_rest, environ) != 0) exit(97);
    await(child);
  } else if (strcmp(word, "system") == 0) {
    char command[4096];
    snprintf(command, sizeof command, "exec %s call", g_self);
    if (system(command) != 0) exit(96);
  } else if (strcmp(word, "clone") == 0) {
    static char stack[65536];
    await(clone(in_clone, stack + sizeof stack, SIGCHLD, "clone"));
  } else if (strcmp(word, "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, "thread");
    pthread_join(thread, NULL);
  } else if (strcmp(word, "handler") == 0) {
    sleep_with_handler(0);
  } else if (strcmp(word, "jump") == 0) {
    sleep_with_handler(1);
  } else if (strcmp(word, "shm") == 0) {
    const int id = shmget(IPC_PRIVATE, 4096, 0600);
    tell("shmget", id);
    void* place = shmat(id, NULL, 0);
    tell("shmat", place == (void*)-1 ? -1 : 0);
    tell("shmctl", shmctl(id, IPC_RMID, NULL));
    tell("shmdt", shmdt(place));
  } else if (strcmp(word, "mq") == 0) {
    const mqd_t queue = mq_open("/steps", O_CREAT | O_RDWR | O_NONBLOCK, 0600, NULL);
    char text[8192];
    tell("mq_open", queue);
    tell("mq_send", mq_send(queue, "x", 1, 0));
    tell("mq_receive", mq_receive(queue, text, sizeof text, NULL));
    tell("mq_getattr", mq_getattr(queue, &(struct mq_attr){0}));
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    tell("mq_notify", mq_notify(queue, &event));
    tell("mq_unlink", mq_unlink("/steps"));
    tell("mq_close", mq_close(queue));
  } else if (strcmp(word, "restart") == 0) {
    // A handler with SA_RESTART in a System V call, then mq_receive interrupted by a rule: EINTR.
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    const int id = msgget(IPC_PRIVATE, 0600);
    struct {
      long type;
      char text[8];
    } message;
    ualarm(30000, 0);
    tell("sleeper", msgrcv(id, &message, sizeof message.text, 0, 0));
    msgctl(id, IPC_RMID, NULL);
    const mqd_t queue = mq_open("/steps", O_CREAT | O_RDWR, 0600, NULL);
    char text[8192];
    tell("mq_receive", mq_receive(queue, text, sizeof text, NULL));
    mq_unlink("/steps");
    mq_close(queue);
  } else {
    fprintf(stderr, "fault_steps: there is no step %s\n", word);
    exit(2);
  }
}

int main(int argc, char** argv) {
  g_arguments = argv;
  g_self = argv[0];
  for (int n = 1; n < argc; ++n) step(argv[n]);
  return 0;
}
