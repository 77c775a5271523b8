#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/ipc/sysctl.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/player.h"

namespace fuzz {

namespace {

using ipcell::kPage;
using ipcell::u64;

bool is_error(long result) { return result < 0 && result > -4096; }

// A page of something that the player has attached, or of nothing.
u64 any_address(Player& player, Rng& rng) {
  if (player.attached == 0) return rng.below(16) * kPage;
  const u64 start = player.places[rng.below(player.attached)];
  return start + (rng.chance(60) ? 0 : rng.below(4) * kPage);
}

void make_any(Player& player, Rng& rng) {
  constexpr std::size_t kSizes[] = {0, 1, 4096, 4097, 20000, 300'000};
  int flags = rng.chance(50) ? 0600 | IPC_CREAT : 0600;
  if (rng.chance(20)) flags |= SHM_NORESERVE;
  (void)ipcell::sys_shmget(player.task, static_cast<int>(rng.below(6)),
                           kSizes[rng.below(std::size(kSizes))], flags);
}

// Memory that segments may replace.
constexpr u64 kArenaPages = 1024;

u64 arena() {
  static const long start = ipcell::sys::call(SYS_mmap, 0, kArenaPages * kPage, PROT_NONE,
                                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return static_cast<u64>(start);
}

// False if the segment would replace more than that.
bool fits_arena(Player& player, int id) {
  const auto index = static_cast<ipcell::u32>(id) % ipcell::kMaxIds;
  const auto* segment =
      player.cell.at<ipcell::SegmentRec>(ipcell::shm_registry(player.cell).entries[index].record);
  return segment != nullptr && segment->pages <= kArenaPages / 2;
}

void attach_any(Player& player, Rng& rng, int id) {
  int flags = rng.chance(20) ? SHM_RDONLY : 0;
  u64 address = 0;
  if (rng.chance(20)) {
    address = any_address(player, rng);
  } else if (rng.chance(20) && fits_arena(player, id)) {
    address = arena() + rng.below(10) * kPage;
    flags |= SHM_REMAP;
  }
  const long result = ipcell::sys_shmat(player.task, id, reinterpret_cast<void*>(address), flags);
  if (is_error(result) || player.attached == std::size(player.places)) return;
  player.places[player.attached++] = static_cast<u64>(result);
}

void control_any(Player& player, Rng& rng, int id) {
  union {
    struct shmid_ds segment;
    struct shminfo limits;
    struct shm_info info;
  } out = {};
  out.segment.shm_perm.mode = 0600;
  out.segment.shm_perm.uid = geteuid();
  constexpr int kCommands[] = {IPC_STAT, IPC_SET,    IPC_RMID, IPC_INFO, SHM_INFO,
                               SHM_STAT, SHM_UNLOCK, SHM_LOCK, IPC_STAT, 15};
  const int command = kCommands[rng.below(std::size(kCommands))];
  if (command == IPC_RMID && rng.chance(50)) return;
  (void)ipcell::sys_shmctl(player.task, id, command, &out);
}

// Of pages that are attached, and of no others: they are the player's own memory.
void remap_any(Player& player, Rng& rng) {
  if (player.attached == 0) return;
  const u64 address = any_address(player, rng);
  const u64 size = (rng.below(3) + 1) * kPage;
  {
    ipcell::LockedMap locked(player.task);
    const int index = player.addresses.find(address);
    if (index < 0 || player.addresses.at(static_cast<ipcell::u32>(index)).end < address + size)
      return;
  }
  const auto start = static_cast<long>(address);
  switch (rng.below(4)) {
    case 0: (void)ipcell::sys_munmap(player.task, address, size); break;
    case 1:
      (void)ipcell::sys_change_mapping(
          player.task, {SYS_mprotect, start, static_cast<long>(size), PROT_READ, 0, 0, 0},
          {ipcell::kPieceProtection, PROT_READ});
      break;
    case 2:
      (void)ipcell::sys_mmap_fixed(player.task,
                                   {SYS_mmap, start, static_cast<long>(size), PROT_READ,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0});
      break;
    case 3:
      (void)ipcell::sys_mremap(player.task,
                               {address, size, rng.below(5) * kPage + kPage, MREMAP_MAYMOVE, 0});
      break;
  }
}

// fork(2) as the shim brackets it.
ipcell::ForkRecord g_fork;
int begin_fork(ipcell::Task& task) { return ipcell::sys_fork_begin(task, g_fork); }
void end_fork(ipcell::Task& task, int child) {
  ipcell::sys_fork_unlock(task);
  ipcell::sys_fork_end(task, g_fork, child);
}

void fork_any(Player& player, Rng& rng) {
  if (player.addresses.is_empty() || begin_fork(player.task) != 0) return;
  // It fails, or there is a child that is gone before it says anything.
  const bool has_child = rng.chance(50);
  end_fork(player.task, has_child ? 0x3fffffff : -1);
}

void read_text(Player& player) {
  char text[2000];
  ipcell::u32 position = 0;
  while (ipcell::sys_proc_shm(player.task, &position, text, sizeof text) != 0) {
  }
}

// Any sysctl, kernel.shm_rmid_forced most often; small numbers, so that calls go on.
void write_sysctl(Player& player, Rng& rng) {
  const ipcell::u32 number = rng.chance(50) ? ipcell::find_sysctl("kernel.shm_rmid_forced", 22)
                                            : static_cast<ipcell::u32>(rng.below(ipcell::kSysctls));
  const char digits[] = {static_cast<char>('0' + rng.below(2)),
                         static_cast<char>('0' + rng.below(10))};
  const std::size_t size = rng.chance(80) ? 1 : 2;
  (void)ipcell::sys_sysctl_write(player.task, number, digits, size, 0);
  char text[ipcell::kSysctlText];
  (void)ipcell::sys_sysctl_print(player.task, number, text);
}

}  // namespace

void call_shm(Player& player, Rng& rng, int count) {
  const int id = any_id(player, rng, ipcell::shm_registry(player.cell), count);
  switch (rng.below(13)) {
    case 0:
    case 1: make_any(player, rng); break;
    case 2:
    case 3:
    case 4: attach_any(player, rng, id); break;
    case 5:
    case 6:
      (void)ipcell::sys_shmdt(player.task, reinterpret_cast<void*>(any_address(player, rng)));
      break;
    case 7:
    case 8: control_any(player, rng, id); break;
    case 9: remap_any(player, rng); break;
    case 10: fork_any(player, rng); break;
    case 11: read_text(player); break;
    case 12: write_sysctl(player, rng); break;
  }
}

}  // namespace fuzz
