// Runs a seeded random sequence of IPC calls by several processes and logs every answer.
//
// The same seed gives the same log, on the kernel as on anything that claims to behave like it: see
// compare.py. This program knows of no emulation; it makes plain calls of libc.

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"
#include "family.h"
#include "log.h"
#include "namespace.h"
#include "worker.h"

enum { kExitUsage = 2, kExitSkip = 77 };

static const char kUsage[] =
    "usage: ipc_sequence --log FILE [--seed N] [--ops N] [--workers 1..16] [--families A,B]\n"
    "         [--schedule fifo|settle] [--cpu N] [--one-sleeper] [--no-personas] [--own-ids]\n"
    "         [--no-syscall] [--unprivileged] [--fresh-namespace] [--wake-order] [--audit]\n"
    "       ipc_sequence --probe\n";

static _Noreturn void usage(const char* complaint, const char* what) {
  fprintf(stderr, "ipc_sequence: %s '%s'\n%s", complaint, what, kUsage);
  exit(kExitUsage);
}

static _Noreturn void skip(const char* what) {
  fprintf(stderr, "ipc_sequence: %s: %s\n", what, strerror(errno));
  exit(kExitSkip);
}

static unsigned parse_families(const char* list) {
  unsigned families = 0;
  char* copy = strdup(list);
  for (char* name = strtok(copy, ","); name != NULL; name = strtok(NULL, ",")) {
    int found = -1;
    for (int i = 0; i < kFamilyCount; i++)
      if (strcmp(kFamilies[i]->name, name) == 0) found = i;
    if (found < 0) usage("unknown family", name);
    families |= 1U << found;
  }
  free(copy);
  if (families == 0) usage("no family in", list);
  return families;
}

static long long parse_number(const char* text, long long low, long long high) {
  char* end;
  errno = 0;
  const long long value = strtoll(text, &end, 0);
  if (errno != 0 || *text == '\0' || *end != '\0' || value < low || value > high)
    usage("bad number", text);
  return value;
}

// Tells the runner what this machine permits, in a child so as to leave no trace:
// "fifo|settle privileged|unprivileged".
static int probe(void) {
  bool needed_user_namespace;
  const bool is_fifo = schedule_fifo_permitted();
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    if (!namespace_enter_fresh(&needed_user_namespace)) skip("no fresh IPC namespace");
    if (msgget(IPC_PRIVATE, 0600) < 0) skip("no System V message queues");
    const bool is_root = geteuid() == 0 && setgroups(0, NULL) == 0 && seteuid(1) == 0;
    printf("%s %s\n", is_fifo ? "fifo" : "settle",
           is_root && !needed_user_namespace ? "privileged" : "unprivileged");
    fflush(NULL);
    _exit(0);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) skip("fork");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void parse_choice(int option, const char* value, Options* options) {
  switch (option) {
    case 's': options->seed = (uint64_t)parse_number(value, 0, INT64_MAX); break;
    case 'o': options->ops = (long)parse_number(value, 1, 1000000000); break;
    case 'w': options->workers = (int)parse_number(value, 1, kMaxWorkers); break;
    case 'f': options->families = parse_families(value); break;
    case 'l': options->log = value; break;
    case 'c': options->cpu = (int)parse_number(value, 0, 100000); break;
    case 'S':
      if (strcmp(value, "fifo") != 0 && strcmp(value, "settle") != 0)
        usage("unknown schedule", value);
      options->schedule = strcmp(value, "fifo") == 0 ? kScheduleFifo : kScheduleSettle;
      break;
    default: fputs(kUsage, stderr); exit(kExitUsage);
  }
}

static Options parse_options(int count, char** arguments) {
  Options options = {.seed = 1, .ops = 10000, .workers = 6, .families = 1, .cpu = -1};
  int no_personas = 0, own_ids = 0, no_syscall = 0, one_sleeper = 0, wake_order = 0, audit = 0,
      fresh = 0, unprivileged = 0;
  const struct option kOptions[] = {
      {"seed", required_argument, NULL, 's'},
      {"ops", required_argument, NULL, 'o'},
      {"workers", required_argument, NULL, 'w'},
      {"families", required_argument, NULL, 'f'},
      {"log", required_argument, NULL, 'l'},
      {"cpu", required_argument, NULL, 'c'},
      {"schedule", required_argument, NULL, 'S'},
      {"no-personas", no_argument, &no_personas, 1},
      {"no-syscall", no_argument, &no_syscall, 1},
      {"own-ids", no_argument, &own_ids, 1},
      {"one-sleeper", no_argument, &one_sleeper, 1},
      {"wake-order", no_argument, &wake_order, 1},
      {"audit", no_argument, &audit, 1},
      {"fresh-namespace", no_argument, &fresh, 1},
      {"unprivileged", no_argument, &unprivileged, 1},
      {NULL, 0, NULL, 0},
  };
  int option;
  while ((option = getopt_long(count, arguments, "", kOptions, NULL)) != -1)
    if (option != 0) parse_choice(option, optarg, &options);
  if (optind < count || options.log == NULL)
    usage("unexpected or missing argument", optind < count ? arguments[optind] : "--log");
  options.syscalls = !no_syscall;
  options.own_ids = own_ids;
  options.personas = !no_personas && !unprivileged && geteuid() == 0;
  // Without an order of wake-ups, two sleepers of one object would race each other.
  options.one_sleeper = one_sleeper || options.schedule == kScheduleSettle;
  options.wake_order = wake_order != 0;
  options.audit = audit != 0;
  options.fresh_namespace = fresh != 0;
  options.unprivileged = unprivileged != 0;
  return options;
}

static void prepare(const Options* options) {
  bool needed_user_namespace;
  if (options->schedule == kScheduleSettle)
    fprintf(stderr, "ipc_sequence: without SCHED_FIFO: slower, one sleeper an object\n");
  if (!schedule_enter_driver(options->schedule, options->cpu)) skip("schedule");
  if (options->fresh_namespace && !namespace_enter_fresh(&needed_user_namespace))
    skip("no fresh IPC namespace");
  if (options->personas && setgroups(0, NULL) != 0) skip("setgroups");
  if (options->unprivileged && !namespace_drop_capabilities()) skip("capset");
}

int main(int count, char** arguments) {
  if (count == 2 && strcmp(arguments[1], "--probe") == 0) return probe();
  if (count == 5 && strcmp(arguments[1], kWorkerArgument) == 0)
    worker_main(atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
  const Options options = parse_options(count, arguments);
  if (!log_open(options.log)) usage("cannot write", options.log);
  prepare(&options);
  driver_run(&options);
  return log_close() ? 0 : 1;
}
