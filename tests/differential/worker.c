#include "worker.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "family.h"
#include "persona.h"
#include "schedule.h"

const char kWorkerArgument[] = "--worker";

enum { kExitInternal = 70 };

static int own_index;
static int own_memory;
static int own_doorbell;
static Slot* slot;
static Scratch call_scratch;
static Scratch handler_scratch;
static sigjmp_buf abandoned;

static void require(bool is_fine, const char* what) {
  if (is_fine) return;
  dprintf(STDERR_FILENO, "ipc_sequence: worker %d: %s: %s\n", own_index, what, strerror(errno));
  _exit(kExitInternal);
}

// Lets no worker outlive its driver. A change of credentials disarms it: arm it again.
static void die_with_driver(void) {
  require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
  if (getppid() != shared->driver) _exit(0);
}

static void on_signal(int number) {
  (void)number;
  const int saved = errno;
  // A notification's signal comes at any time; what was asked for is done once.
  const int phase = atomic_exchange(&slot->phase, kPhaseAfter);
  const int action = slot->signal_action;
  slot->signal_action = kActionNone;
  slot->signals++;
  if (action & kActionNested) {
    const Request* request = &slot->nested_request;
    kFamilies[request->family]->execute(request, &handler_scratch, &slot->nested_reply);
    slot->has_nested = true;
  }
  if (action & kActionJump) siglongjmp(abandoned, 1);
  atomic_store(&slot->phase, phase);
  errno = saved;
}

static void install_handlers(void) {
  // msgsnd, msgrcv and semop return EINTR under both; mq_send and mq_receive go on under the first.
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  require(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
  action.sa_flags = 0;
  require(sigaction(SIGUSR2, &action, NULL) == 0, "sigaction");
}

static void call(const Request* request) {
  if (sigsetjmp(abandoned, 1) == 0) {
    atomic_store(&slot->phase, kPhaseInCall);
    kFamilies[request->family]->execute(request, &call_scratch, &slot->reply);
    return;
  }
  slot->jumped = true;
  slot->reply.ret = 0;
  slot->reply.text[0] = '\0';
}

static void end_image(int op) {
  char index[16], memory[16], doorbell[16];
  if (op == kLifecycleExit) exit(0);
  if (op == kLifecycleQuickExit) _exit(0);
  snprintf(index, sizeof(index), "%d", own_index);
  snprintf(memory, sizeof(memory), "%d", own_memory);
  snprintf(doorbell, sizeof(doorbell), "%d", own_doorbell);
  // Another real than effective user is setuid's mark, and nothing is preloaded then.
  require(setresuid(geteuid(), (uid_t)-1, (uid_t)-1) == 0, "setresuid");
  execl("/proc/self/exe", "ipc_sequence", kWorkerArgument, index, memory, doorbell, (char*)NULL);
  require(false, "exec");
}

static void answer(void) {
  slot->finished = atomic_fetch_add(&shared->finish_counter, 1);
  atomic_store(&slot->phase, kPhaseDone);
}

static void perform(void) {
  const Request* request = &slot->request;
  if (request->family == kLifecycle) end_image(request->op);
  slot->signals = 0;
  slot->signal_action = kActionNone;
  slot->has_nested = slot->jumped = false;
  slot->reply.error = 0;
  if (request->persona != 0) {
    require(persona_put_on(request->persona), "persona_put_on");
    die_with_driver();
  }
  call(request);
  atomic_store(&slot->phase, kPhaseAfter);
  if (request->persona != 0) {
    require(persona_put_off(), "persona_put_off");
    die_with_driver();
  }
  answer();
}

_Noreturn void worker_main(int index, int memory, int doorbell) {
  own_index = index;
  own_memory = memory;
  own_doorbell = doorbell;
  shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  require(shared != MAP_FAILED, "mmap");
  slot = &shared->slots[index];
  atomic_store(&slot->pid, getpid());
  die_with_driver();
  require(schedule_enter_worker(), "sched_setscheduler");
  scratch_map(&call_scratch);
  scratch_map(&handler_scratch);
  install_handlers();
  for (int f = 0; f < kFamilyCount; f++)
    if ((shared->families >> f & 1) != 0 && kFamilies[f]->begin != NULL) kFamilies[f]->begin();
  answer();

  char ring;
  ssize_t got;
  while ((got = read(doorbell, &ring, 1)) == 1 || (got < 0 && errno == EINTR))
    if (got == 1) perform();
  exit(0);
}
