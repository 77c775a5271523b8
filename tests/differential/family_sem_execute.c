// Makes the calls of System V semaphores and writes down everything that they give back.

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "family_sem.h"
#include "proc_text.h"

// The caller's to declare: semctl(2).
union semun {
  int val;
  struct semid_ds* buf;
  unsigned short* array;
  struct seminfo* info;
  void* any;
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static void execute_get(const Request* request, Reply* reply) {
  const key_t key = (key_t)request->arg[0];
  const int size = (int)request->arg[1];
  const int flags = (int)request->arg[2];
  reply->ret = request->raw ? syscall(SYS_semget, key, size, flags) : semget(key, size, flags);
  reply->error = errno;
}

static int64_t operate(const Request* request, void* operations, const struct timespec* timeout) {
  const int id = (int)request->arg[0];
  const size_t count = (size_t)request->arg[1];
  if (request->op == kSemOp)
    return request->raw ? syscall(SYS_semop, id, operations, count) : semop(id, operations, count);
  return request->raw ? syscall(SYS_semtimedop, id, operations, count, timeout)
                      : semtimedop(id, operations, count, timeout);
}

static void execute_operations(const Request* request, const Scratch* scratch, Reply* reply,
                               Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const SemTimeout* given = &kSemTimeouts[request->arg[3]];
  const struct timespec time = {.tv_sec = given->seconds, .tv_nsec = given->nanoseconds};
  const struct timespec* timeout =
      given->pointer == kPointerGood
          ? &time
          : (const struct timespec*)(void*)scratch_area(scratch, given->pointer).base;
  const size_t size = (size_t)request->arg[2] * sizeof(struct sembuf);
  if (area.writable) memcpy(area.base, request->list, smaller(size, area.room));
  errno = 0;
  reply->ret = operate(request, area.base, timeout);
  reply->error = errno;
  if (area.writable && memcmp(area.base, request->list, smaller(size, area.room)) != 0)
    text_add(text, " operations touched");
}

// Fills the struct that IPC_SET reads: beside what is set, garbage that must be ignored.
static void prepare_set(const Request* request, const Area* area) {
  struct semid_ds ds;
  fill_bytes(&ds, sizeof(ds), request->tag);
  ds.sem_perm.mode = (__typeof__(ds.sem_perm.mode))request->arg[3];
  ds.sem_perm.uid = (uid_t)request->arg[4];
  ds.sem_perm.gid = (gid_t)request->arg[5];
  memcpy(area->base, &ds, smaller(area->room, sizeof(ds)));
}

static void report_status(const Area* area, Text* text) {
  struct semid_ds ds;
  memcpy(&ds, area->base, sizeof(ds));
  text_add(text, " key %d owner %u:%u creator %u:%u mode 0%o seq %u nsems %lu otime ",
           (int)ds.sem_perm.__key, (unsigned)ds.sem_perm.uid, (unsigned)ds.sem_perm.gid,
           (unsigned)ds.sem_perm.cuid, (unsigned)ds.sem_perm.cgid, (unsigned)ds.sem_perm.mode,
           (unsigned)ds.sem_perm.__seq, (unsigned long)ds.sem_nsems);
  text_add_time(text, ds.sem_otime);
  text_add(text, " ctime ");
  text_add_time(text, ds.sem_ctime);
  // The hash covers what has no name: padding and reserved words.
  ds.sem_otime = ds.sem_ctime = 0;
  text_add(text, " hash %016" PRIx64, hash_bytes(&ds, sizeof(ds)));
  if (!area_untouched(area, sizeof(ds))) text_add(text, " buffer touched beyond");
}

static void report_info(const Area* area, Text* text) {
  struct seminfo info;
  memcpy(&info, area->base, sizeof(info));
  text_add(
      text,
      " map %d mni %d mns %d mnu %d msl %d opm %d ume %d usz %d vmx %d aem %d hash %016" PRIx64,
      info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl, info.semopm, info.semume,
      info.semusz, info.semvmx, info.semaem, hash_bytes(&info, sizeof(info)));
  if (!area_untouched(area, sizeof(info))) text_add(text, " buffer touched beyond");
}

// A set's values end where the canaries begin: no value is that large.
static void report_values(const Area* area, Text* text) {
  size_t count = 0;
  for (; (count + 1) * sizeof(uint16_t) <= area->room; count++) {
    uint16_t value;
    memcpy(&value, area->base + count * sizeof(value), sizeof(value));
    if (value > kMaxValue) break;
    if (count < 16) text_add(text, " %u", (unsigned)value);
  }
  const size_t size = count * sizeof(uint16_t);
  if (count > 16) text_add(text, " ... %zu hash %016" PRIx64, count, hash_bytes(area->base, size));
  if (!area_untouched(area, size)) text_add(text, " buffer touched beyond");
}

static void report_control(const Request* request, const Area* area, Reply* reply, Text* text) {
  const bool reads_buffer = request->op == kSemSet || request->op == kSemSetAll;
  if (reply->ret < 0) {
    if (!reads_buffer && reply->error != EFAULT && !area_untouched(area, 0))
      text_add(text, " buffer touched");
    return;
  }
  switch (request->op) {
    case kSemStat:
    case kSemStatIndex:
    case kSemStatAny: report_status(area, text); break;
    case kSemIpcInfo:
    case kSemSemInfo: report_info(area, text); break;
    case kSemGetAll: report_values(area, text); break;
    case kSemGetPid:
      // A pid differs between equal runs: only its name is shown.
      text_add(text, " pid ");
      text_add_pid(text, reply->ret);
      reply->ret = 0;
      break;
    default:
      if (!reads_buffer && !area_untouched(area, 0)) text_add(text, " buffer touched");
  }
}

static void execute_control(const Request* request, const Scratch* scratch, Reply* reply,
                            Text* text) {
  const Area area = scratch_area(scratch, request->pointer);
  const int id = (int)request->arg[0];
  const int number = (int)request->arg[1];
  const int command = (int)request->arg[2];
  union semun argument = {.any = area.base};
  area_paint(&area);
  if (request->op == kSemSet && area.writable) prepare_set(request, &area);
  if (request->op == kSemSetAll && area.writable)
    memcpy(area.base, request->list, smaller(sizeof(request->list), area.room));
  if (request->op == kSemSetVal) argument.val = (int)request->arg[3];
  errno = 0;
  reply->ret = request->raw ? syscall(SYS_semctl, id, number, command, argument)
                            : semctl(id, number, command, argument);
  reply->error = errno;
  report_control(request, &area, reply, text);
}

// Linux: ipc/sem.c:sysvipc_sem_proc_show()
static bool add_proc_line(Text* text, const char* line) {
  static const char kFormat[] = "%10d %10d  %4o %10u %5u %5u %5u %5u %10llu %10llu";
  int key, id;
  unsigned mode, size, uid, gid, cuid, cgid;
  unsigned long long otime, ctime;
  char again[256];
  if (sscanf(line, "%d %d %o %u %u %u %u %u %llu %llu", &key, &id, &mode, &size, &uid, &gid, &cuid,
             &cgid, &otime, &ctime) != 10)
    return false;
  snprintf(again, sizeof(again), kFormat, key, id, mode, size, uid, gid, cuid, cgid, otime, ctime);
  if (strcmp(line, again) != 0) return false;
  text_add(text, "\n  | %d %d %o %u %u %u %u %u ", key, id, mode, size, uid, gid, cuid, cgid);
  text_add_time(text, (int64_t)otime);
  text_add(text, " ");
  text_add_time(text, (int64_t)ctime);
  return true;
}

void sem_execute(const Request* request, const Scratch* scratch, Reply* reply) {
  Text text = text_over(reply->text, sizeof(reply->text));
  errno = 0;
  switch (request->op) {
    case kSemGet: execute_get(request, reply); break;
    case kSemOp:
    case kSemTimedOp: execute_operations(request, scratch, reply, &text); break;
    case kSemProc: proc_text_read(request, "/proc/sysvipc/sem", add_proc_line, reply, &text); break;
    default: execute_control(request, scratch, reply, &text);
  }
}
