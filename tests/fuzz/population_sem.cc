#include <unistd.h>

#include "core/ipc/undo.h"
#include "tests/fuzz/population.h"

namespace fuzz {

using ipcell::Journal;
using ipcell::Locked;
using ipcell::SemOp;
using ipcell::SemSetRec;
using ipcell::u32;
using ipcell::UndoRec;

namespace {

constexpr int kSmall = 0, kLarge = 1, kMerged = 2, kBuried = 3, kRemoved = 4;
constexpr int kBuriedSems = 40;

SemSetRec& record(Player& player, int id) {
  return *player.cell.at<SemSetRec>(ipcell::sem_registry(player.cell).entries[id].record);
}

struct sembuf op(int num, int change, int flags = 0) {
  return {static_cast<unsigned short>(num), static_cast<short>(change), static_cast<short>(flags)};
}

template <std::size_t kCount>
long operate(Player& player, int id, const struct sembuf (&ops)[kCount]) {
  return ipcell::sys_semtimedop(player.task, id, ops, kCount, nullptr);
}

}  // namespace

void make_sets(Player& player) {
  constexpr int kKeys[kObjects] = {1, 2, IPC_PRIVATE, 3, 4};
  constexpr int kSizes[kObjects] = {3, 300, 3, kBuriedSems, 20};
  for (int n = 0; n < kObjects; ++n) {
    require(ipcell::sys_semget(player.task, kKeys[n], kSizes[n], IPC_CREAT | 0600) == n, "semget");
  }
  require(operate(player, kSmall, {op(1, 1), op(2, 2, SEM_UNDO)}) == 0, "semop");
  require(operate(player, kLarge, {op(0, 1, SEM_UNDO), op(299, 2, SEM_UNDO)}) == 0, "semop");
  require(operate(player, kMerged, {op(2, 1, SEM_UNDO)}) == 0, "semop");
  require(operate(player, kBuried, {op(0, 7), op(39, 7)}) == 0, "semop");
  require(operate(player, kRemoved, {op(19, 1, SEM_UNDO)}) == 0, "semop");
}

void take_for_ever(Player& player) { (void)operate(player, kSmall, {op(0, -1, SEM_UNDO)}); }
void await_zero_for_ever(Player& player) { (void)operate(player, kSmall, {op(2, 0)}); }
void take_several_for_ever(Player& player) {
  (void)operate(player, kMerged, {op(2, -1, SEM_UNDO), op(0, -1), op(1, 1, SEM_UNDO)});
}
void await_zeros_for_ever(Player& player) { (void)operate(player, kMerged, {op(0, 0), op(2, 0)}); }

void die_holding(Player& player) {
  require(operate(player, kLarge, {op(1, 1, SEM_UNDO), op(150, 1, SEM_UNDO)}) == 0, "semop");
  struct sembuf all[kBuriedSems];
  for (int n = 0; n < kBuriedSems; ++n) all[n] = op(n, 1, SEM_UNDO);
  require(operate(player, kBuried, all) == 0, "semop");
  require(operate(player, kSmall, {op(1, -1, SEM_UNDO)}) == 0, "semop");
}

void die_removing_set(Player& player) {
  ipcell::Registry& registry = ipcell::sem_registry(player.cell);
  Locked locked(player.task, registry.lock);
  SemSetRec& set = record(player, kRemoved);
  Journal journal(player.task);
  ipcell::remove_id_locked(journal, player.cell, registry, set.perm);
  journal.set(registry.total, registry.total - static_cast<ipcell::i32>(set.nsems));
  journal.set(set.live, 0u);
  journal.set(player.task.rec->destroying, player.cell.offset_of(&set));
  journal.commit();
}

void die_in_list(Player& player) {
  ipcell::LockedSet set(player.task, player.cell.offset_of(&record(player, kMerged)));
  const SemOp ops[] = {{0, -1, 0, 0}, {1, -1, 0, 0}};
  require(ipcell::enqueue_semop(player.task, *set, {ops, 2, player.task.identity.pid, nullptr},
                                0) == ipcell::kWaitPending,
          "enqueue_semop");
}

void die_with_arrays(Player& player) {
  require(ipcell::build_array(player.task, 20000) == 0, "build_array");
  require(ipcell::reserve_journal(player.task, 1000) == 0, "reserve_journal");
  ipcell::ReservedBlock block;
  require(block.reserve(player.task, ipcell::BlockClass::Undo) == 0, "reserve");
  Journal journal(player.task);
  block.take(journal, player.task);
  journal.set(player.task.rec->loose, block.offset());
  journal.commit();
}

void die_burying(Player& player) {
  SemSetRec& set = record(player, kBuried);
  ipcell::lock(player.task, set.lock);
  UndoRec& undo = *player.cell.at<UndoRec>(set.holds.all);
  Journal journal(player.task);
  journal.set(set.burying, player.cell.offset_of(&undo));
  for (u32 num = 0; num < 20; ++num) {
    journal.set(ipcell::semaphore_at(player.cell, set, num)->state, ipcell::pack_state(0, 1));
    journal.set(*ipcell::adjustment_at(player.cell, undo, num), 0);
    // The last ten are to be rolled back.
    if (num == 10) journal.commit();
  }
}

}  // namespace fuzz
