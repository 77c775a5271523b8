/*
 * Takes a program through its system calls and kills it at one of them.
 *
 *     ns_steps K DEED    0: killed in front of the call number K, counted from the deed's
 * beginning; 3: the deed has so few that it ended before; 1: a failure
 *
 * Calls that only look are not counted. The program is this one, as `ns_steps - DEED`.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 1, ENDED = 3, NOT_HERE = 77, MARK = 0x6d61726b };

static void require(int is_fine, const char* what) {
  if (is_fine) return;
  fprintf(stderr, "ns_steps: %s: %s\n", what, strerror(errno));
  _exit(FAILED);
}

/* The deed begins. */
static void mark(void) { syscall(SYS_getpgid, MARK); }

static void make_objects(void) { require(msgget(IPC_PRIVATE, 0600) >= 0, "msgget"); }

static void move_to_new(void) { require(unshare(CLONE_NEWIPC) == 0, "unshare"); }

/* A child in a namespace of its own, which is killed there. */
static void leave_dead_namespace(void) {
  const pid_t child = fork();
  if (child == 0) {
    move_to_new();
    make_objects();
    kill(getpid(), SIGKILL);
  }
  require(child > 0 && syscall(SYS_wait4, child, NULL, 0, NULL) == child, "child");
}

static void do_unshare(void) {
  mark();
  move_to_new();
  make_objects();
}

static void do_return(void) {
  const int home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
  move_to_new();
  make_objects();
  const int away = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
  mark();
  require(setns(home, CLONE_NEWIPC) == 0 && setns(away, 0) == 0, "setns");
  make_objects();
  require(setns(home, 0) == 0, "setns");
  close(away);
  close(home);
}

static void do_exec(void) {
  move_to_new();
  make_objects();
  mark();
  execl("/proc/self/exe", "ns_steps", "-", "end", (char*)NULL);
  require(0, "exec");
}

static void do_exit(void) {
  move_to_new();
  make_objects();
  mark();
  exit(0);
}

static void do_sweep(void) {
  make_objects();
  leave_dead_namespace();
  mark();
  move_to_new();
}

static void do_fork(void) {
  move_to_new();
  make_objects();
  mark();
  leave_dead_namespace();
}

static void do_end(void) { make_objects(); }

static int be_program(const char* deed) {
  static const struct {
    const char* name;
    void (*run)(void);
  } kDeeds[] = {{"unshare", do_unshare}, {"return", do_return}, {"exec", do_exec},
                {"exit", do_exit},       {"sweep", do_sweep},   {"fork", do_fork},
                {"end", do_end}};
  for (size_t n = 0; n < sizeof kDeeds / sizeof *kDeeds; n++) {
    if (strcmp(kDeeds[n].name, deed) != 0) continue;
    kDeeds[n].run();
    return 0;
  }
  return FAILED;
}

/* The next stop at a system call: 0 if the program has ended. */
static int go_on(pid_t program, int* status) {
  int number = 0;
  for (;;) {
    require(ptrace(PTRACE_SYSCALL, program, NULL, (void*)(long)number) == 0, "PTRACE_SYSCALL");
    require(waitpid(program, status, 0) == program, "waitpid");
    if (!WIFSTOPPED(*status)) return 0;
    if (WSTOPSIG(*status) == (SIGTRAP | 0x80)) return 1;
    number = WSTOPSIG(*status) == SIGTRAP ? 0 : WSTOPSIG(*status);
  }
}

/* struct ptrace_syscall_info, of a stop in front of a call. */
struct call {
  unsigned char op;
  unsigned char pad[7];
  unsigned long long instruction, stack, number, arguments[6];
};

static struct call call_at(pid_t program) {
  enum { GET_SYSCALL_INFO = 0x420e };
  struct call call = {0};
  require(ptrace((enum __ptrace_request)GET_SYSCALL_INFO, program, (void*)sizeof call, &call) > 0,
          "PTRACE_GET_SYSCALL_INFO");
  return call;
}

static int is_at_mark(pid_t program) {
  const struct call call = call_at(program);
  return call.op == 1 && call.number == SYS_getpgid && call.arguments[0] == MARK;
}

/* Is the program about to change something? */
static int is_before_change(pid_t program) {
  static const long kLooks[] = {SYS_read,       SYS_pread64,    SYS_close,
                                SYS_getdents64, SYS_statx,      SYS_getpid,
                                SYS_gettid,     SYS_readlinkat, SYS_rt_sigprocmask};
  const struct call call = call_at(program);
  if (call.op != 1) return 0;
  for (size_t n = 0; n < sizeof kLooks / sizeof *kLooks; n++)
    if ((long)call.number == kLooks[n]) return 0;
  return call.number != SYS_openat || (call.arguments[2] & O_CREAT) != 0;
}

int main(int count, char** arguments) {
  if (count != 3) return FAILED;
  if (strcmp(arguments[1], "-") == 0) return be_program(arguments[2]);
  const long wanted = atol(arguments[1]);
  const pid_t program = fork();
  if (program == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(NOT_HERE);
    execl("/proc/self/exe", "ns_steps", "-", arguments[2], (char*)NULL);
    _exit(FAILED);
  }
  int status;
  require(program > 0 && waitpid(program, &status, 0) == program, "start");
  if (!WIFSTOPPED(status)) return NOT_HERE;
  require(ptrace(PTRACE_SETOPTIONS, program, NULL,
                 (void*)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)) == 0,
          "PTRACE_SETOPTIONS");
  while (go_on(program, &status) && !is_at_mark(program)) continue;
  for (long calls = -1; calls < wanted; calls += is_before_change(program))
    if (!go_on(program, &status)) return status == 0 ? ENDED : FAILED;
  require(kill(program, SIGKILL) == 0 && waitpid(program, &status, 0) == program, "kill");
  return 0;
}
