#include "core/ipc/shm.h"

#include "tests/fuzz/population.h"

namespace fuzz {

using ipcell::Journal;
using ipcell::kPage;
using ipcell::Locked;
using ipcell::LockedSegment;
using ipcell::SegmentRec;

namespace {

constexpr int kSeveral = 0, kMarked = 1, kLarge = 2, kDoomed = 3, kRemoved = 4;

SegmentRec& record(Player& player, int id) {
  return *player.cell.at<SegmentRec>(ipcell::shm_registry(player.cell).entries[id].record);
}

unsigned char* attach(Player& player, int id) {
  const long address = ipcell::sys_shmat(player.task, id, nullptr, 0);
  require(address > 0, "shmat");
  return reinterpret_cast<unsigned char*>(address);
}

}  // namespace

void make_segments(Player& player) {
  constexpr int kKeys[kObjects] = {1, 2, IPC_PRIVATE, 3, 4};
  constexpr std::size_t kPages[kObjects] = {1, 3, 20, 2, 1};
  for (int n = 0; n < kObjects; ++n) {
    require(ipcell::sys_shmget(player.task, kKeys[n], kPages[n] * kPage, IPC_CREAT | 0600) == n,
            "shmget");
  }
  for (int id : {kSeveral, kSeveral, kMarked, kLarge, kRemoved}) *attach(player, id) = 1;
  require(ipcell::sys_shmctl(player.task, kMarked, IPC_RMID, nullptr) == 0, "IPC_RMID");
}

void attach_for_ever(Player& player) {
  unsigned char* place = attach(player, kLarge);
  const auto middle = reinterpret_cast<ipcell::u64>(place) + 5 * kPage;
  require(ipcell::sys_munmap(player.task, middle, kPage) == 0, "munmap");
  attach(player, kMarked);
}

void die_attached(Player& player) {
  for (int id : {kSeveral, kLarge, kLarge, kMarked}) attach(player, id);
}

void die_in_fork(Player& player) {
  attach(player, kSeveral);
  attach(player, kLarge);
  ipcell::ForkRecord record;
  require(ipcell::sys_fork_begin(player.task, record) == 0, "fork");
}

void die_removing_segment(Player& player) {
  ipcell::Registry& registry = ipcell::shm_registry(player.cell);
  Locked locked(player.task, registry.lock);
  SegmentRec& segment = record(player, kRemoved);
  Journal journal(player.task);
  ipcell::remove_id_locked(journal, player.cell, registry, segment.perm);
  journal.set(registry.total, registry.total - static_cast<ipcell::i64>(segment.pages));
  journal.set(segment.live, 0u);
  journal.set(player.task.rec->destroying, player.cell.offset_of(&segment));
  journal.commit();
}

// The last to detach from a removed segment, which is still there.
void die_detaching(Player& player) {
  attach(player, kDoomed);
  require(ipcell::sys_shmctl(player.task, kDoomed, IPC_RMID, nullptr) == 0, "IPC_RMID");
  LockedSegment segment(player.task, player.cell.offset_of(&record(player, kDoomed)));
  ipcell::HoldRec* hold = ipcell::find_attachment(player.task, *segment);
  require(hold != nullptr, "there is no attachment");
  ipcell::change_attachments(player.task, *segment, *hold, {0, hold->amount},
                             player.task.identity.pid);
}

}  // namespace fuzz
