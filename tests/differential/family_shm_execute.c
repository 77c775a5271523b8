// Makes the calls of System V shared memory and writes down everything that they give back. What
// memory holds is told by loads, which may fault.

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family_shm.h"
#include "proc_text.h"

// Far from where the kernel maps anything by itself.
static char* const kArena = (char*)0x100000000000;

// Of this process: a new one, and a new image, has none.
static char* floating[kFloatingPlaces];

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static char* arena_page(int64_t page) { return kArena + (size_t)page * page_size(); }

// An empty floating place stands for an address where nothing can be attached. What stands beside
// one is not told: only its first page is touched.
static char* place(const Request* request) {
  if (request->arg[1] < kFloating) return arena_page(request->arg[1]) + request->arg[3];
  char* base = floating[request->arg[1] - kFloating];
  return base == NULL ? (char*)-page_size() : base + (size_t)request->arg[3] % page_size();
}

static void execute_get(const Request* request, Reply* reply) {
  const key_t key = (key_t)request->arg[0];
  const size_t size = (size_t)request->arg[1];
  const int flags = (int)request->arg[2];
  reply->ret = request->raw ? syscall(SYS_shmget, key, size, flags) : shmget(key, size, flags);
  reply->error = errno;
}

// The address is told as the page of the arena; one that the kernel chose is only told to be one.
static void execute_attach(const Request* request, Reply* reply, Text* text) {
  const bool floats = request->arg[1] >= kFloating;
  const int64_t index = request->arg[1] - kFloating;
  char* address = floats ? NULL : place(request);
  const int id = (int)request->arg[0];
  const int flags = (int)request->arg[2];
  char* got =
      request->raw ? (char*)syscall(SYS_shmat, id, address, flags) : shmat(id, address, flags);
  reply->error = errno;
  reply->ret = got == (char*)-1 ? -1 : 0;
  if (reply->ret < 0) return;
  if (!floats) {
    text_add(text, " page %zu", (size_t)(got - kArena) / page_size());
    return;
  }
  if ((size_t)got % page_size() != 0) text_add(text, " unaligned");
  if (floating[index] != NULL) text_add(text, " and shmdt %d", shmdt(floating[index]));
  floating[index] = got;
}

static void execute_detach(const Request* request, Reply* reply) {
  char* address = place(request);
  reply->ret = request->raw ? syscall(SYS_shmdt, address) : shmdt(address);
  reply->error = errno;
  if (reply->ret == 0 && request->arg[1] >= kFloating) floating[request->arg[1] - kFloating] = NULL;
}

static sigjmp_buf access_failed;

static void on_bad_access(int number) { siglongjmp(access_failed, number); }

static void execute_access(const Request* request, Reply* reply, Text* text) {
  static const struct sigaction kAction = {.sa_handler = on_bad_access};
  struct sigaction segv, bus;
  volatile unsigned char* address = (volatile unsigned char*)place(request);
  sigaction(SIGSEGV, &kAction, &segv);
  sigaction(SIGBUS, &kAction, &bus);
  const int number = sigsetjmp(access_failed, 1);
  if (number != 0)
    text_add(text, " SIG%s", sigabbrev_np(number));
  else if (request->op == kShmLoad)
    reply->ret = *address;
  else
    *address = (unsigned char)request->arg[2];
  sigaction(SIGSEGV, &segv, NULL);
  sigaction(SIGBUS, &bus, NULL);
  reply->error = 0;
}

static void execute_memory(const Request* request, Reply* reply) {
  char* address = arena_page(request->arg[1]);
  const size_t size = (size_t)request->arg[2] * page_size();
  void* got = NULL;
  switch (request->op) {
    case kShmMunmap: reply->ret = munmap(address, size); break;
    case kShmMprotect: reply->ret = mprotect(address, size, (int)request->arg[3]); break;
    case kShmMremap:
      got = mremap(address, size, (size_t)request->arg[4] * page_size(),
                   MREMAP_MAYMOVE | MREMAP_FIXED, arena_page(request->arg[3]));
      break;
    default:
      got = mmap(address, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0);
  }
  reply->error = errno;
  if (got == MAP_FAILED) reply->ret = -1;
}

static void execute_fork(const Request* request, Reply* reply, Text* text) {
  // The child will end: see family.h, settle.
  struct shm_info info;
  shmctl(0, SHM_INFO, (struct shmid_ds*)&info);
  const pid_t child = fork();
  if (child == 0) {
    const bool detached = shmdt(place(request)) == 0;
    if (request->arg[2] == kForkIsKilled) kill(getpid(), SIGKILL);
    if (request->arg[2] == kForkStores) {
      Text unused = text_over(reply->text, sizeof(reply->text));
      Request store = *request;
      store.op = kShmStore;
      store.arg[1] = store.arg[3] = 0;
      store.arg[2] = (int64_t)(request->tag & 0xff);
      execute_access(&store, reply, &unused);
    }
    _exit(detached);
  }
  reply->ret = child < 0 ? -1 : 0;
  reply->error = errno;
  if (child < 0) return;
  shared_name_child(child, request->worker);
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  text_add(text, " status %#x", (unsigned)status);
  reply->error = 0;
}

// Fills the struct that IPC_SET reads: beside what is set, garbage that must be ignored.
static void prepare_set(const Request* request, const Area* area) {
  struct shmid_ds ds;
  fill_bytes(&ds, sizeof(ds), request->tag);
  ds.shm_perm.mode = (__typeof__(ds.shm_perm.mode))request->arg[3];
  ds.shm_perm.uid = (uid_t)request->arg[4];
  ds.shm_perm.gid = (gid_t)request->arg[5];
  memcpy(area->base, &ds, smaller(area->room, sizeof(ds)));
}

static void report_status(const Area* area, Text* text) {
  struct shmid_ds ds;
  memcpy(&ds, area->base, sizeof(ds));
  text_add(text, " key %d owner %u:%u creator %u:%u mode 0%o seq %u segsz %zu nattch %lu cpid ",
           (int)ds.shm_perm.__key, (unsigned)ds.shm_perm.uid, (unsigned)ds.shm_perm.gid,
           (unsigned)ds.shm_perm.cuid, (unsigned)ds.shm_perm.cgid, (unsigned)ds.shm_perm.mode,
           (unsigned)ds.shm_perm.__seq, (size_t)ds.shm_segsz, (unsigned long)ds.shm_nattch);
  text_add_pid(text, ds.shm_cpid);
  text_add(text, " lpid ");
  text_add_pid(text, ds.shm_lpid);
  text_add(text, " atime ");
  text_add_time(text, ds.shm_atime);
  text_add(text, " dtime ");
  text_add_time(text, ds.shm_dtime);
  text_add(text, " ctime ");
  text_add_time(text, ds.shm_ctime);
  // The hash covers what has no name: padding and reserved words.
  ds.shm_atime = ds.shm_dtime = ds.shm_ctime = 0;
  ds.shm_cpid = ds.shm_lpid = 0;
  text_add(text, " hash %016" PRIx64, hash_bytes(&ds, sizeof(ds)));
  if (!area_untouched(area, sizeof(ds))) text_add(text, " buffer touched beyond");
}

static void report_limits(const Area* area, Text* text) {
  struct shminfo info;
  memcpy(&info, area->base, sizeof(info));
  text_add(text, " max %lu min %lu mni %lu seg %lu all %lu hash %016" PRIx64, info.shmmax,
           info.shmmin, info.shmmni, info.shmseg, info.shmall, hash_bytes(&info, sizeof(info)));
  if (!area_untouched(area, sizeof(info))) text_add(text, " buffer touched beyond");
}

// How much of the memory exists is the machine's affair; at most all.
static void report_usage(const Area* area, Text* text) {
  struct shm_info info;
  memcpy(&info, area->base, sizeof(info));
  text_add(text, " ids %d tot %lu", info.used_ids, info.shm_tot);
  if (info.shm_rss + info.shm_swp > info.shm_tot)
    text_add(text, " rss %lu swp %lu", info.shm_rss, info.shm_swp);
  info.shm_rss = info.shm_swp = 0;
  text_add(text, " hash %016" PRIx64, hash_bytes(&info, sizeof(info)));
  if (!area_untouched(area, sizeof(info))) text_add(text, " buffer touched beyond");
}

static void report_control(const Request* request, const Area* area, Reply* reply, Text* text) {
  const bool reads_buffer = request->op == kShmSet;
  if (reply->ret < 0) {
    if (!reads_buffer && reply->error != EFAULT && !area_untouched(area, 0))
      text_add(text, " buffer touched");
    return;
  }
  switch (request->op) {
    case kShmStat:
    case kShmStatIndex:
    case kShmStatAny: report_status(area, text); break;
    case kShmIpcInfo: report_limits(area, text); break;
    case kShmShmInfo: report_usage(area, text); break;
    default:
      if (!reads_buffer && !area_untouched(area, 0)) text_add(text, " buffer touched");
  }
}

static void execute_control(const Request* request, const Scratch* scratch, Reply* reply,
                            Text* text) {
  const Area area = scratch_area(scratch, (PointerKind)request->pointer);
  const int id = (int)request->arg[0];
  const int command = (int)request->arg[2];
  struct shmid_ds* buffer = (struct shmid_ds*)(void*)area.base;
  area_paint(&area);
  if (request->op == kShmSet && area.writable) prepare_set(request, &area);
  errno = 0;
  reply->ret =
      request->raw ? syscall(SYS_shmctl, id, command, buffer) : shmctl(id, command, buffer);
  reply->error = errno;
  report_control(request, &area, reply, text);
}

// Linux: ipc/shm.c:sysvipc_shm_proc_show()
static bool add_proc_line(Text* text, const char* line) {
  static const char kFormat[] =
      "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10llu %10llu %10llu %21lu %21lu";
  int key, id;
  unsigned mode, cpid, lpid, uid, gid, cuid, cgid;
  unsigned long size, nattch, rss, swap;
  unsigned long long atime, dtime, ctime;
  char again[512];
  if (sscanf(line, "%d %d %o %lu %u %u %lu %u %u %u %u %llu %llu %llu %lu %lu", &key, &id, &mode,
             &size, &cpid, &lpid, &nattch, &uid, &gid, &cuid, &cgid, &atime, &dtime, &ctime, &rss,
             &swap) != 16)
    return false;
  snprintf(again, sizeof(again), kFormat, key, id, mode, size, cpid, lpid, nattch, uid, gid, cuid,
           cgid, atime, dtime, ctime, rss, swap);
  if (strcmp(line, again) != 0 || rss % page_size() != 0 || rss + swap >= size + page_size())
    return false;
  text_add(text, "\n  | %d %d %o %lu ", key, id, mode, size);
  text_add_pid(text, cpid);
  text_add(text, " ");
  text_add_pid(text, lpid);
  text_add(text, " %lu %u %u %u %u ", nattch, uid, gid, cuid, cgid);
  text_add_time(text, (int64_t)atime);
  text_add(text, " ");
  text_add_time(text, (int64_t)dtime);
  text_add(text, " ");
  text_add_time(text, (int64_t)ctime);
  return true;
}

void shm_execute(const Request* request, const Scratch* scratch, Reply* reply) {
  Text text = text_over(reply->text, sizeof(reply->text));
  errno = 0;
  reply->ret = 0;
  switch (request->op) {
    case kShmGet: execute_get(request, reply); break;
    case kShmAt: execute_attach(request, reply, &text); break;
    case kShmDt: execute_detach(request, reply); break;
    case kShmLoad:
    case kShmStore: execute_access(request, reply, &text); break;
    case kShmMunmap:
    case kShmMmapOver:
    case kShmMprotect:
    case kShmMremap: execute_memory(request, reply); break;
    case kShmFork: execute_fork(request, reply, &text); break;
    case kShmProc: proc_text_read(request, "/proc/sysvipc/shm", add_proc_line, reply, &text); break;
    default: execute_control(request, scratch, reply, &text);
  }
}
