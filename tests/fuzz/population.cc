#include "tests/fuzz/population.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/ipc/signature.h"

namespace fuzz {

using ipcell::CellLayout;
using ipcell::Journal;
using ipcell::Locked;
using ipcell::MsgQueueRec;
using ipcell::Registry;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "the population: %s\n", what);
  _exit(2);
}

namespace {

void stop_here() { raise(SIGSTOP); }

void send(Player& player, int id, long type, std::size_t size) {
  buffer.type = type;
  std::memset(buffer.text, 'a' + static_cast<int>(type), size);
  require(ipcell::sys_msgsnd(player.task, id, &buffer, size, IPC_NOWAIT) == 0, "msgsnd");
}

void limit(Player& player, int id, unsigned long qbytes) {
  struct msqid_ds wanted = {};
  wanted.msg_perm.mode = 0600;
  wanted.msg_perm.uid = geteuid();
  wanted.msg_qbytes = qbytes;
  require(ipcell::sys_msgctl(player.task, id, IPC_SET, &wanted) == 0, "IPC_SET");
}

MsgQueueRec& record(Player& player, int id) {
  return *player.cell.at<MsgQueueRec>(ipcell::msg_registry(player.cell).entries[id].record);
}

// Queue 0: messages of all sizes. 1: receivers. 2: nothing. 3: full, with senders. 4: to be
// removed.
void make_queues(Player& player) {
  player.cell.header().limits.msgmax = sizeof buffer.text;
  player.cell.header().limits.msgmnb = 3 * sizeof buffer.text;
  constexpr int kKeys[kObjects] = {1, 2, IPC_PRIVATE, 3, 4};
  for (int n = 0; n < kObjects; ++n) {
    require(ipcell::sys_msgget(player.task, kKeys[n], IPC_CREAT | 0600) == n, "msgget");
  }
  for (std::size_t size : {0, 10, 100, 1000, 8192, 20000})
    send(player, 0, static_cast<long>(size % 5) + 1, size);
  limit(player, 3, 100);
  send(player, 3, 1, 100);
  for (int n = 0; n < 3; ++n) send(player, 4, 2, 50);
}

void receive_for_ever(Player& player, std::size_t size, long type) {
  (void)ipcell::sys_msgrcv(player.task, 1, &buffer, size, type, 0);
}

void send_for_ever(Player& player, std::size_t size) {
  buffer.type = 2;
  (void)ipcell::sys_msgsnd(player.task, 3, &buffer, size, 0);
}

void die_with_lock(Player& player) {
  MsgQueueRec& queue = record(player, 0);
  ipcell::lock(player.task, queue.lock);
  Journal journal(player.task);
  journal.set(queue.lspid, 99);
  journal.set(queue.qbytes, 7);
  journal.set(queue.last, 0);
}

void die_with_message(Player& player) {
  MsgQueueRec& queue = record(player, 0);
  Locked locked(player.task, queue.lock);
  Journal journal(player.task);
  const ipcell::FoundMessage found =
      ipcell::find_message(player.cell, queue, 0, ipcell::SEARCH_ANY);
  ipcell::unlink_message(journal, player.cell, queue, found);
  journal.set(player.task.rec->in_flight, found.offset);
  journal.commit();
}

void die_removing(Player& player) {
  Registry& registry = ipcell::msg_registry(player.cell);
  Locked locked(player.task, registry.lock);
  MsgQueueRec& queue = record(player, 4);
  Journal journal(player.task);
  ipcell::remove_id_locked(journal, player.cell, registry, queue.perm);
  journal.set(queue.live, 0u);
  journal.set(player.task.rec->destroying, player.cell.offset_of(&queue));
  journal.commit();
}

// Asleep in a call, or stopped by itself.
bool await_rest(pid_t pid) {
  for (int tries = 0; tries < 5000; ++tries) {
    char path[64], text[300] = {};
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) return false;
    const std::size_t size = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    const char* end = size != 0 ? std::strrchr(text, ')') : nullptr;
    if (end == nullptr || end[2] == 'Z') return false;
    if (end[2] == 'T') return true;
    if (end[2] == 'S' && tries > 20) return true;
    usleep(1000);
  }
  return false;
}

}  // namespace

template <class Act>
bool Population::add(const Act& act, bool dies) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Player player;
    require(player.open(path_.c_str()) && player.attach() == 0, "attach");
    act(player);
    if (!dies) pause();
    _exit(0);
  }
  if (dies) {
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  alive_.push_back(pid);
  return await_rest(pid) && kill(pid, SIGSTOP) == 0;
}

// The dead come last: who attaches reaps whom it meets.
bool Population::populate() {
  const auto make_objects = [](Player& player) {
    make_queues(player);
    make_sets(player);
    make_segments(player);
    make_mqueues(player);
    stop_here();
  };
  const bool are_alive = add(make_objects, false) &&
                         add([](Player& player) { receive_for_ever(player, 100, 4); }, false) &&
                         add([](Player& player) { receive_for_ever(player, 5, 0); }, false) &&
                         add([](Player& player) { send_for_ever(player, 50); }, false) &&
                         add([](Player& player) { send_for_ever(player, 8192); }, false) &&
                         add(take_for_ever, false) && add(await_zero_for_ever, false) &&
                         add(take_several_for_ever, false) && add(await_zeros_for_ever, false) &&
                         add(attach_for_ever, false) && add(receive_at_mqueue, false) &&
                         add(send_at_mqueue, false) && add(wait_for_notice, false);
  if (!are_alive) return false;
  const pid_t doomed = fork();
  if (doomed == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Player players[15];
    for (Player& player : players)
      require(player.open(path_.c_str()) && player.attach() == 0, "attach");
    die_holding(players[4]);
    die_removing_set(players[5]);
    die_in_list(players[6]);
    die_with_arrays(players[7]);
    die_burying(players[8]);
    die_attached(players[9]);
    die_removing_segment(players[10]);
    die_detaching(players[11]);
    die_in_fork(players[12]);
    die_polling(players[13]);
    die_removing_mqueue(players[14]);
    die_with_message(players[0]);
    die_removing(players[1]);
    die_with_lock(players[2]);
    receive_for_ever(players[3], 10, 3);
    _exit(2);
  }
  const bool is_asleep = await_rest(doomed);
  kill(doomed, SIGKILL);
  int status;
  return waitpid(doomed, &status, 0) == doomed && is_asleep && WIFSIGNALED(status);
}

void Population::keep(std::uint64_t offset, std::uint64_t size) {
  const unsigned char* bytes = cell_.base() + offset;
  ranges_.push_back({offset, size, {bytes, bytes + size}});
}

void Population::take_snapshot() {
  constexpr std::uint64_t kRegistries = offsetof(CellLayout, registries);
  keep(0, kRegistries);
  for (unsigned family = 0; family < ipcell::kFamilies; ++family) {
    keep(kRegistries + family * sizeof(Registry),
         ipcell::align_up(offsetof(Registry, entries) + 1, ipcell::kPage));
  }
  keep(offsetof(CellLayout, processes), sizeof(ipcell::ProcessTable));
  keep(offsetof(CellLayout, mqueues), sizeof(ipcell::MqueueTable));
  keep(offsetof(CellLayout, segment_space), sizeof(ipcell::SegmentSpace));
  keep(offsetof(CellLayout, task_states), ipcell::kPage);
  keep(offsetof(CellLayout, tasks), cell_.header().slots_high * sizeof(ipcell::TaskPage));
  keep(ipcell::kHeapOffset, cell_.layout().heap.chunks_used * ipcell::kChunkSize);
}

// What was never there is not there again.
void Population::forget(std::uint64_t offset, std::uint64_t end) {
  offset = ipcell::align_up(offset, ipcell::kPage);
  if (offset < end) madvise(cell_.base() + offset, end - offset, MADV_REMOVE);
}

void Population::restore() {
  std::uint64_t end = 0;
  for (const Range& range : ranges_) {
    forget(end, range.offset);
    std::memcpy(cell_.base() + range.offset, range.bytes.data(), range.size);
    end = range.offset + range.size;
  }
  forget(end, ipcell::kCellSize);
  restore_pipes(folder_);
}

Population::Population(const std::string& path)
    : path_(path), folder_(path.substr(0, path.rfind('/'))) {
  if (!ipcell::Cell::open_or_create(path.c_str(), {ipcell::kLayoutSignature}, &cell_).ok()) return;
  is_there_ = populate();
  if (!is_there_) return;
  take_snapshot();
  keep_pipes(folder_);
}

Population::~Population() {
  for (pid_t pid : alive_) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  cell_.close();
  unlink(path_.c_str());
}

}  // namespace fuzz
