#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/player.h"

namespace fuzz {

namespace {

// As many as a set can have by the room of its array: what GETALL writes.
unsigned short values[ipcell::kArrayLeavesMax * ipcell::kLeafBytes / sizeof(ipcell::Semaphore)];

short any_change(Rng& rng) {
  if (rng.chance(5)) return static_cast<short>(rng.next());
  return static_cast<short>(static_cast<int>(rng.below(5)) - 2);
}

unsigned short any_num(Rng& rng) {
  if (rng.chance(3)) return static_cast<unsigned short>(rng.next());
  return static_cast<unsigned short>(rng.below(rng.chance(70) ? 3 : 300));
}

void make_any(Player& player, Rng& rng) {
  constexpr int kSizes[] = {0, 1, 3, 17, 300, 1000};
  const int flags = rng.chance(50) ? 0600 | IPC_CREAT : 0600;
  (void)ipcell::sys_semget(player.task, static_cast<int>(rng.below(6)),
                           kSizes[rng.below(std::size(kSizes))], flags);
}

void control_any(Player& player, Rng& rng, int id) {
  union {
    struct semid_ds set;
    struct seminfo info;
  } out = {};
  out.set.sem_perm.mode = 0600;
  out.set.sem_perm.uid = geteuid();
  constexpr int kCommands[] = {GETVAL,   GETPID,   GETNCNT,  GETZCNT,  SETVAL,
                               GETALL,   SETALL,   SETALL,   IPC_STAT, IPC_SET,
                               IPC_RMID, IPC_INFO, SEM_INFO, SEM_STAT, IPC_STAT};
  const int command = kCommands[rng.below(std::size(kCommands))];
  if (command == IPC_RMID && rng.chance(70)) return;
  void* buffer = &out;
  if (command == GETALL || command == SETALL) {
    buffer = values;
    for (std::size_t n = 0; n < 1000; ++n) values[n] = static_cast<unsigned short>(rng.below(4));
  }
  const auto argument = command == SETVAL ? static_cast<unsigned long>(rng.below(4))
                                          : reinterpret_cast<unsigned long>(buffer);
  (void)ipcell::sys_semctl(player.task, id, any_num(rng), command, argument);
}

void read_text(Player& player) {
  char text[2000];
  ipcell::u32 position = 0;
  while (ipcell::sys_proc_sem(player.task, &position, text, sizeof text) != 0) {
  }
}

}  // namespace

void operate_any(Player& player, Rng& rng, int id, const struct timespec* timeout) {
  constexpr std::size_t kCounts[] = {1, 1, 1, 2, 3, 5, 70, 100, 500};
  struct sembuf ops[500];
  const std::size_t count = kCounts[rng.below(std::size(kCounts))];
  const int flags = timeout != nullptr ? 0 : IPC_NOWAIT;
  for (std::size_t n = 0; n < count; ++n) {
    const int undo = rng.chance(40) ? SEM_UNDO : 0;
    // Many are made only if they all may be.
    const short change = count > 5 ? short{1} : any_change(rng);
    ops[n] = {any_num(rng), change, static_cast<short>(flags | undo)};
  }
  (void)ipcell::sys_semtimedop(player.task, id, ops, count, timeout);
}

void call_sem(Player& player, Rng& rng, int count) {
  const int id = any_id(player, rng, ipcell::sem_registry(player.cell), count);
  switch (rng.below(12)) {
    case 0: make_any(player, rng); break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5: operate_any(player, rng, id, nullptr); break;
    case 6:
    case 7:
    case 8:
    case 9: control_any(player, rng, id); break;
    case 10: read_text(player); break;
    case 11:
      if (rng.chance(30)) ipcell::sys_unshare_undo(player.task, rng.chance(50));
      break;
  }
}

}  // namespace fuzz
