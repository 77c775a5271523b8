#include "tests/fuzz/player.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/ipc/signature.h"
#include "tests/fuzz/fuzz.h"

namespace fuzz {

Buffer buffer;

bool Player::open(const char* path) {
  status = ipcell::Cell::open(path, {ipcell::kLayoutSignature}, &cell);
  if (!status.ok()) return false;
  cred_.euid = geteuid();
  cred_.egid = cred_.fsgid = getegid();
  task.cell = &cell;
  task.cred = &cred_;
  addresses.file.set_file(cell, path);
  task.addresses = &addresses;
  folder_ = std::string(path).substr(0, std::string(path).rfind('/'));
  task.folder = folder_.c_str();
  task.identity.pid = getpid();
  task.identity.tid = static_cast<int>(syscall(SYS_gettid));
  bool is_zombie;
  ipcell::read_process(task.identity.pid, &task.identity.start_time, &is_zombie);
  struct stat space;
  if (stat("/proc/self/ns/pid", &space) == 0) task.identity.pid_namespace = space.st_ino;
  return true;
}

bool Player::put_between_guards() {
  constexpr std::size_t kGuard = 1 << 20;
  void* room = mmap(nullptr, ipcell::kCellSize + 2 * kGuard, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return false;
  void* place = static_cast<char*>(room) + kGuard;
  if (mremap(cell.base(), ipcell::kCellSize, ipcell::kCellSize, MREMAP_MAYMOVE | MREMAP_FIXED,
             place) != place) {
    return false;
  }
  cell.adopt_mapping(static_cast<ipcell::u8*>(place));
  return true;
}

int Player::attach() { return ipcell::attach_task(task); }

int any_id(Player& player, Rng& rng, const ipcell::Registry& registry, int count) {
  const auto index = static_cast<ipcell::u32>(rng.below(static_cast<std::uint64_t>(count) + 1));
  if (rng.chance(10)) return static_cast<int>(rng.next());
  if (rng.chance(30)) {
    const auto* object = player.cell.at<ipcell::ObjectHead>(registry.entries[index].record);
    if (object != nullptr) return object->perm.id;
  }
  return static_cast<int>(index);
}

namespace {

std::size_t any_size(Rng& rng) {
  constexpr std::size_t kSizes[] = {0, 1, 24, 25, 100, 1000, 8192, 8224, 20000};
  return kSizes[rng.below(std::size(kSizes))];
}

void receive_any(Player& player, Rng& rng, int id) {
  const long type = static_cast<long>(rng.below(9)) - 4;
  int flags = IPC_NOWAIT;
  if (rng.chance(30)) flags |= MSG_NOERROR;
  if (rng.chance(20)) flags |= MSG_EXCEPT;
  if (rng.chance(20)) flags = IPC_NOWAIT | MSG_COPY;
  (void)ipcell::sys_msgrcv(player.task, id, &buffer, any_size(rng), type, flags);
}

void control_any(Player& player, Rng& rng, int id) {
  union {
    struct msqid_ds queue;
    struct msginfo info;
  } out = {};
  constexpr int kCommands[] = {IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, MSG_INFO, MSG_STAT, 13};
  const int command = kCommands[rng.below(std::size(kCommands))];
  if (command == IPC_RMID && rng.chance(70)) return;
  out.queue.msg_perm.mode = 0600;
  out.queue.msg_perm.uid = geteuid();
  out.queue.msg_qbytes = rng.below(20000);
  (void)ipcell::sys_msgctl(player.task, id, command, &out);
}

void read_text(Player& player) {
  char text[2000];
  ipcell::u32 position = 0;
  while (ipcell::sys_proc_msg(player.task, &position, text, sizeof text) != 0) {
  }
}

void call_msg(Player& player, Rng& rng, int count) {
  const int id = any_id(player, rng, ipcell::msg_registry(player.cell), count);
  switch (rng.below(12)) {
    case 0: (void)ipcell::sys_msgget(player.task, static_cast<int>(rng.below(6)), 0600); break;
    case 1:
      (void)ipcell::sys_msgget(player.task, static_cast<int>(rng.below(6)), 0600 | IPC_CREAT);
      break;
    case 2:
    case 3:
    case 4:
      buffer.type = static_cast<long>(rng.below(5)) + 1;
      (void)ipcell::sys_msgsnd(player.task, id, &buffer, any_size(rng), IPC_NOWAIT);
      break;
    case 5:
    case 6:
    case 7: receive_any(player, rng, id); break;
    case 8:
    case 9: control_any(player, rng, id); break;
    case 10: read_text(player); break;
    case 11: ipcell::reap_dead_tasks(player.task); break;
  }
}

}  // namespace

void call_one(Player& player, Rng& rng, int count) {
  switch (rng.below(4)) {
    case 0: return call_msg(player, rng, count);
    case 1: return call_sem(player, rng, count);
    case 2: return call_mqueue(player, rng, count);
    default: call_shm(player, rng, count);
  }
}

}  // namespace fuzz
