// Generates and describes the calls of System V shared memory.
//
// Few segments of a few pages, attached where they meet. None of the calls sleeps.

#include "family_shm.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "ids.h"
#include "persona.h"
#include "place.h"

enum { kWantedSegments = 3, kTooManySegments = 9, kMarked = 4 };

static Ids known[kPlaces];  // of each namespace
static Ids* segments(void) { return &known[place_now]; }
// Removed, perhaps still attached; most recent of each place.
static int marked[kMarked];
static int marked_count;

static const char* const kOps[kShmOps] = {
    [kShmGet] = "shmget",
    [kShmAt] = "shmat",
    [kShmDt] = "shmdt",
    [kShmLoad] = "load",
    [kShmStore] = "store",
    [kShmMunmap] = "munmap",
    [kShmMmapOver] = "mmap",
    [kShmMprotect] = "mprotect",
    [kShmMremap] = "mremap",
    [kShmFork] = "fork",
    [kShmStat] = "shmctl IPC_STAT",
    [kShmSet] = "shmctl IPC_SET",
    [kShmRmid] = "shmctl IPC_RMID",
    [kShmLock] = "shmctl SHM_LOCK",
    [kShmUnlock] = "shmctl SHM_UNLOCK",
    [kShmIpcInfo] = "shmctl IPC_INFO",
    [kShmShmInfo] = "shmctl SHM_INFO",
    [kShmStatIndex] = "shmctl SHM_STAT",
    [kShmStatAny] = "shmctl SHM_STAT_ANY",
    [kShmOtherCommand] = "shmctl other",
    [kShmProc] = "/proc/sysvipc/shm",
};

static const int kCommands[kShmOps] = {
    [kShmStat] = IPC_STAT,    [kShmSet] = IPC_SET,        [kShmRmid] = IPC_RMID,
    [kShmLock] = SHM_LOCK,    [kShmUnlock] = SHM_UNLOCK,  [kShmIpcInfo] = IPC_INFO,
    [kShmShmInfo] = SHM_INFO, [kShmStatIndex] = SHM_STAT, [kShmStatAny] = SHM_STAT_ANY,
};

// ---- Drawing

static int draw_id(Rng* rng) {
  const int kept = marked_count < kMarked ? marked_count : kMarked;
  if (kept > 0 && rng_percent(rng, 15)) return marked[rng_below(rng, kept)];
  return ids_draw(segments(), rng);
}

static void draw_get(Rng* rng, Request* request) {
  static const Choice kKeys[] = {{25, 1}, {25, 2}, {15, 3}, {30, IPC_PRIVATE}, {5, -5}};
  static const Choice kFlags[] = {{60, IPC_CREAT},
                                  {20, IPC_CREAT | IPC_EXCL},
                                  {12, 0},
                                  {4, IPC_EXCL},
                                  {2, IPC_CREAT | SHM_NORESERVE}};
  static const Choice kModes[] = {{45, 0666}, {12, 0600}, {10, 0640}, {10, 0660}, {8, 0},
                                  {5, 0222},  {5, 0444},  {5, 0606},  {5, 0777}};
  static const Choice kWild[] = {
      {2, 0}, {1, -1}, {1, LONG_MIN}, {1, LONG_MAX}, {1, -1 - (1L << 24)}};
  request->arg[0] = RNG_CHOOSE(rng, kKeys);
  request->arg[2] = RNG_CHOOSE(rng, kFlags);
  request->arg[2] |= RNG_CHOOSE(rng, kModes);
  request->arg[1] = rng_between(rng, 1, 6) * kShmPage;
  if (rng_percent(rng, 50)) request->arg[1] -= rng_below(rng, kShmPage);
  if (rng_percent(rng, 4)) request->arg[1] = RNG_CHOOSE(rng, kWild);
  if (rng_percent(rng, 30)) request->persona = persona_draw(rng);
}

static int64_t draw_page(Rng* rng) {
  // Mostly one of a few beginnings: there attachments meet, and shmdt() finds them.
  if (rng_percent(rng, 70)) return rng_below(rng, 4) * (kArenaPages / 4);
  return rng_below(rng, kArenaPages);
}

static int64_t draw_place(Rng* rng, int floating_percent) {
  if (rng_percent(rng, floating_percent)) return kFloating + rng_below(rng, kFloatingPlaces);
  return draw_page(rng);
}

static int64_t draw_off(Rng* rng, int percent) {
  static const Choice kOff[] = {{3, 1}, {2, kShmPage - 1}, {2, 8}, {1, 2048}};
  return rng_percent(rng, percent) ? RNG_CHOOSE(rng, kOff) : 0;
}

static void draw_attach(Rng* rng, Request* request) {
  static const Choice kFlags[] = {
      {50, 0},       {18, SHM_RDONLY},           {12, SHM_REMAP},
      {6, SHM_RND},  {4, SHM_RND | SHM_REMAP},   {3, SHM_REMAP | SHM_RDONLY},
      {3, SHM_EXEC}, {2, SHM_EXEC | SHM_RDONLY}, {2, 0x4000777}};
  request->arg[0] = draw_id(rng);
  request->arg[1] = draw_place(rng, 25);
  request->arg[2] = RNG_CHOOSE(rng, kFlags);
  if (request->arg[1] < kFloating) request->arg[3] = draw_off(rng, 12);
}

static void draw_range(Rng* rng, Request* request) {
  request->arg[1] = draw_page(rng);
  request->arg[2] = rng_between(rng, 1, 3);
  if (rng_percent(rng, 50)) request->arg[1] += rng_below(rng, 4);
  if (request->arg[1] + request->arg[2] > kArenaPages)
    request->arg[1] = kArenaPages - request->arg[2];
}

static void draw_memory(Rng* rng, Request* request) {
  static const Choice kRights[] = {{3, PROT_READ | PROT_WRITE}, {3, PROT_READ}, {2, PROT_NONE}};
  draw_range(rng, request);
  if (request->op == kShmMprotect) request->arg[3] = RNG_CHOOSE(rng, kRights);
  if (request->op != kShmMremap) return;
  // Not to grow: what a mapping has behind its segment's end can't be moved in a cell.
  request->arg[4] = rng_percent(rng, 70) ? request->arg[2] : rng_between(rng, 1, request->arg[2]);
  request->arg[3] = draw_page(rng);
  if (request->arg[3] + request->arg[4] > kArenaPages)
    request->arg[3] = kArenaPages - request->arg[4];
}

static void draw_set(Rng* rng, Request* request) {
  static const Choice kModes[] = {{64, 0666}, {8, 0600}, {8, 0640},  {5, 0},
                                  {5, 0444},  {5, 0222}, {4, 07777}, {4, 0x7fffffff}};
  static const Choice kOwners[] = {{60, 0}, {20, 1}, {15, 2}, {4, 65534}, {1, -1}};
  request->arg[3] = RNG_CHOOSE(rng, kModes);
  request->arg[4] = RNG_CHOOSE(rng, kOwners);
  request->arg[5] = RNG_CHOOSE(rng, kOwners);
  request->pointer = draw_pointer(rng, 4);
  if (!shared->own_ids) return;
  if (request->arg[4] >= 0) request->arg[4] = geteuid();
  if (request->arg[5] >= 0) request->arg[5] = getegid();
  // A page of zeros names uid 0.
  if (request->pointer == kPointerReadOnly) request->pointer = kPointerNull;
}

static void draw_control(Rng* rng, Request* request) {
  static const Choice kOthers[] = {{2, 4},
                                   {2, 10},
                                   {2, 16},
                                   {2, 99},
                                   {2, -1},
                                   {1, INT_MIN},
                                   {1, INT_MAX},
                                   {2, 0x100 | IPC_STAT},
                                   {1, 0x100 | IPC_RMID}};
  const bool by_index = request->op == kShmStatIndex || request->op == kShmStatAny;
  request->arg[0] = by_index ? ids_draw_index(segments(), rng) : draw_id(rng);
  request->arg[2] =
      request->op == kShmOtherCommand ? RNG_CHOOSE(rng, kOthers) : kCommands[request->op];
  if (request->op == kShmSet)
    draw_set(rng, request);
  else if (request->op != kShmRmid && request->op != kShmLock && request->op != kShmUnlock)
    request->pointer = draw_pointer(rng, 8);
}

static ShmOp draw_op(Rng* rng) {
  static const Choice kWeights[] = {
      {50, kShmGet},         {230, kShmAt},       {110, kShmDt},      {110, kShmLoad},
      {110, kShmStore},      {30, kShmMunmap},    {10, kShmMmapOver}, {20, kShmMprotect},
      {24, kShmMremap},      {16, kShmFork},      {100, kShmStat},    {24, kShmSet},
      {30, kShmRmid},        {8, kShmLock},       {8, kShmUnlock},    {8, kShmIpcInfo},
      {14, kShmShmInfo},     {14, kShmStatIndex}, {14, kShmStatAny},  {20, kShmProc},
      {8, kShmOtherCommand},
  };
  if (segments()->live_count < kWantedSegments && rng_percent(rng, 40)) return kShmGet;
  if (segments()->live_count > kTooManySegments) return kShmRmid;
  return (ShmOp)RNG_CHOOSE(rng, kWeights);
}

static void shm_draw(Rng* rng, bool may_sleep, const Request* sleeper, Request* request) {
  static const Choice kChunks[] = {{1, 1}, {2, 7}, {3, 100}, {4, 4096}, {2, 65536}};
  (void)may_sleep;
  (void)sleeper;
  request->op = draw_op(rng);
  switch (request->op) {
    case kShmGet: draw_get(rng, request); break;
    case kShmAt: draw_attach(rng, request); break;
    case kShmDt:
    case kShmFork:
      request->arg[1] = draw_place(rng, 25);
      request->arg[3] = draw_off(rng, 5);
      if (request->op == kShmFork) request->arg[2] = rng_below(rng, kForkEnds);
      break;
    case kShmLoad:
    case kShmStore:
      request->arg[1] = draw_place(rng, 25);
      request->arg[2] = rng_between(rng, 1, 255);
      request->arg[3] = rng_below(rng, 3) * (kShmPage - 1);
      break;
    case kShmMunmap:
    case kShmMmapOver:
    case kShmMprotect:
    case kShmMremap: draw_memory(rng, request); break;
    case kShmProc: request->arg[0] = RNG_CHOOSE(rng, kChunks); break;
    default: draw_control(rng, request);
  }
}

// ---- Describing

static void describe_place(const Request* request, Text* text) {
  if (request->arg[1] >= kFloating)
    text_add(text, "floating %" PRId64, request->arg[1] - kFloating);
  else
    text_add(text, "page %" PRId64, request->arg[1]);
  if (request->arg[3] != 0) text_add(text, " + %" PRId64, request->arg[3]);
}

static void shm_describe(const Request* request, Text* text) {
  static const FlagName kGetFlags[] = {
      {IPC_CREAT, "IPC_CREAT"}, {IPC_EXCL, "IPC_EXCL"}, {SHM_NORESERVE, "SHM_NORESERVE"}};
  static const FlagName kAtFlags[] = {{SHM_RDONLY, "SHM_RDONLY"},
                                      {SHM_RND, "SHM_RND"},
                                      {SHM_REMAP, "SHM_REMAP"},
                                      {SHM_EXEC, "SHM_EXEC"}};
  static const char* const kEnds[kForkEnds] = {"exits", "is killed", "stores"};
  text_add(text, "%s", kOps[request->op]);
  switch (request->op) {
    case kShmGet:
      text_add(text, "(%" PRId64 ", %" PRId64 ", ", request->arg[0], request->arg[1]);
      text_add_flags(text, request->arg[2] & ~0777L, kGetFlags, 3);
      text_add(text, ", 0%03" PRIo64 ")", request->arg[2] & 0777);
      break;
    case kShmAt:
      text_add(text, "(%" PRId64 ", ", request->arg[0]);
      describe_place(request, text);
      text_add(text, ", ");
      text_add_flags(text, request->arg[2], kAtFlags, 4);
      text_add(text, ")");
      break;
    case kShmDt:
    case kShmLoad:
    case kShmStore:
    case kShmFork:
      text_add(text, "(");
      describe_place(request, text);
      if (request->op == kShmStore) text_add(text, ", %" PRId64, request->arg[2]);
      if (request->op == kShmFork) text_add(text, ", child %s", kEnds[request->arg[2]]);
      text_add(text, ")");
      break;
    case kShmMunmap:
    case kShmMmapOver:
    case kShmMprotect:
    case kShmMremap:
      text_add(text, "(page %" PRId64 ", %" PRId64 " pages", request->arg[1], request->arg[2]);
      if (request->op == kShmMprotect) text_add(text, ", rights %" PRId64, request->arg[3]);
      if (request->op == kShmMremap)
        text_add(text, ", to page %" PRId64 ", %" PRId64 " pages", request->arg[3],
                 request->arg[4]);
      text_add(text, ")");
      break;
    case kShmProc: text_add(text, " by %" PRId64, request->arg[0]); break;
    default:
      text_add(text, "(%" PRId64, request->arg[0]);
      if (request->op == kShmOtherCommand) text_add(text, ", command %" PRId64, request->arg[2]);
      if (request->op == kShmSet)
        text_add(text, ", mode 0%" PRIo64 ", owner %" PRId64 ":%" PRId64, request->arg[3],
                 request->arg[4], request->arg[5]);
      text_add_pointer(text, (PointerKind)request->pointer);
      text_add(text, ")");
  }
}

// ---- Learning

// It may have gone by itself, with kernel.shm_rmid_forced.
static bool is_gone(const Reply* reply) {
  return reply->ret < 0 && (reply->error == EINVAL || reply->error == EIDRM);
}

static void shm_learn(const Request* request, const Reply* reply) {
  if (request->op == kShmRmid && is_gone(reply)) ids_remove(segments(), (int)request->arg[0]);
  if (reply->ret < 0) return;
  if (request->op == kShmGet) ids_add(segments(), (int)reply->ret);
  if (request->op != kShmRmid) return;
  ids_remove(segments(), (int)request->arg[0]);
  marked[marked_count++ % kMarked] = (int)request->arg[0];
}

static void shm_forget_place(void) { *segments() = (Ids){.live_count = 0}; }

static bool shm_closing(Request* request) {
  if (segments()->live_count == 0) return false;
  request->op = kShmRmid;
  request->arg[0] = segments()->live[0];
  request->arg[2] = IPC_RMID;
  return true;
}

static void shm_settle(Request* request) {
  request->op = kShmShmInfo;
  request->arg[2] = kCommands[request->op];
}

const Family kShmFamily = {
    .name = "shm",
    .ops = kOps,
    .op_count = kShmOps,
    .file_ops = 1U << kShmProc,
    .weight = 100,
    .draw = shm_draw,
    .execute = shm_execute,
    .describe = shm_describe,
    .learn = shm_learn,
    .settle = shm_settle,
    .objects_vanish = true,
    .forget_place = shm_forget_place,
    .closing = shm_closing,
};
