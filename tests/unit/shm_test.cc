// Segments: shmget, shmat, shmdt and shmctl, as a caller in the same process.
#include "core/ipc/shm.h"

#include <sys/mman.h>

#include "core/ipc/limits.h"
#include "tests/unit/shm_fixture.h"

namespace ipcell {

using namespace test;

// ---------------------------------------------------------------- shmget

TEST_CASE("shmget checks its arguments as the kernel does", "[shm]") {
  ShmTest test(3, 77);
  Task& task = test.task;
  Limits& limits = test.cell.header().limits;
  CHECK(sys_shmget(task, 77, 0, 0) == test.id);
  CHECK(sys_shmget(task, 77, 3 * kPage, 0) == test.id);
  CHECK(sys_shmget(task, 77, 3 * kPage + 1, 0) == -EINVAL);
  CHECK(sys_shmget(task, 77, 1, IPC_CREAT | IPC_EXCL | 0600) == -EEXIST);
  CHECK(sys_shmget(task, 78, 1, 0) == -ENOENT);
  CHECK(sys_shmget(task, 78, 0, IPC_CREAT | 0600) == -EINVAL);
  limits.shmmax = 5000;
  CHECK(sys_shmget(task, 78, 5001, IPC_CREAT | 0600) == -EINVAL);
  limits.shmall = 4;
  CHECK(sys_shmget(task, 78, 5000, IPC_CREAT | 0600) == -ENOSPC);
  CHECK(sys_shmget(task, 78, 4096, IPC_CREAT | 0600) >= 0);
  limits.shmall = 1000;
  limits.shmmni = 2;
  CHECK(sys_shmget(task, 79, 1, IPC_CREAT | 0600) == -ENOSPC);
  CHECK(test.violation() == "");
}

// ---------------------------------------------------------------- shmat, shmdt

TEST_CASE("attachments are counted, with who and when", "[shm]") {
  ShmTest test;
  test_seconds = 5000;
  struct shmid_ds info = test.stat();
  CHECK(info.shm_nattch == 0);
  CHECK(info.shm_atime == 0);
  CHECK(info.shm_lpid == 0);
  u8* first = test.attach(test.id);
  u8* second = test.attach(test.id, SHM_RDONLY);
  REQUIRE((first != nullptr && second != nullptr));
  first[kPage] = 7;
  CHECK(second[kPage] == 7);
  info = test.stat();
  CHECK(info.shm_nattch == 2);
  CHECK(info.shm_atime == 5000);
  CHECK(info.shm_dtime == 0);
  CHECK(info.shm_lpid == getpid());
  test_seconds = 5001;
  CHECK(test.detach(first) == 0);
  CHECK(test.detach(first) == -EINVAL);
  CHECK(test.detach(first + 1) == -EINVAL);
  info = test.stat();
  CHECK(info.shm_nattch == 1);
  CHECK(info.shm_dtime == 5001);
  CHECK(test.violation() == "");
}

TEST_CASE("shmat checks its arguments as the kernel does", "[shm]") {
  ShmTest test;
  const auto attach = [&](int id, u64 address, int flags) {
    return sys_shmat(test.task, id, reinterpret_cast<void*>(address), flags);
  };
  CHECK(attach(-1, 0, 0) == -EINVAL);
  CHECK(attach(test.id + 1, 0, 0) == -EINVAL);
  CHECK(attach(test.id, 4097, 0) == -EINVAL);
  CHECK(attach(test.id, 0, SHM_REMAP) == -EINVAL);
  const auto place = reinterpret_cast<u64>(test.attach(test.id));
  CHECK(attach(test.id, place, 0) == -EINVAL);
  CHECK(test.stat().shm_nattch == 1);
  CHECK(attach(test.id, place + 5, SHM_RND | SHM_REMAP) == static_cast<long>(place));
  CHECK(test.stat().shm_nattch == 1);
  test.record().perm.mode = 0;
  CHECK(attach(test.id, 0, 0) == -EACCES);
  CHECK(test.violation() == "");
}

TEST_CASE("a piece that is cut off is an attachment more", "[shm]") {
  ShmTest test;
  const auto place = reinterpret_cast<u64>(test.attach(test.id));
  REQUIRE(place != 0);
  CHECK(sys_munmap(test.task, place + kPage, kPage) == 0);
  CHECK(test.stat().shm_nattch == 2);
  CHECK(sys_shmdt(test.task, reinterpret_cast<void*>(place)) == 0);
  CHECK(test.stat().shm_nattch == 0);
  CHECK(test.addresses.is_empty());
  CHECK(test.violation() == "");
}

// ---------------------------------------------------------------- shmctl

TEST_CASE("IPC_RMID waits for the last who has it attached", "[shm]") {
  ShmTest test(3, 77);
  u8* first = test.attach(test.id);
  u8* second = test.attach(test.id);
  CHECK(test.control(IPC_RMID) == 0);
  const struct shmid_ds info = test.stat();
  CHECK((info.shm_perm.mode & SHM_DEST) != 0);
  CHECK(info.shm_perm.__key == IPC_PRIVATE);
  CHECK(sys_shmget(test.task, 77, 1, 0) == -ENOENT);
  CHECK(test.control(IPC_RMID) == 0);
  CHECK(test.detach(first) == 0);
  // By its id it can still be attached.
  u8* third = test.attach(test.id);
  CHECK(third != nullptr);
  CHECK(test.detach(third) == 0);
  CHECK(test.is_there());
  CHECK(test.detach(second) == 0);
  CHECK_FALSE(test.is_there());
  CHECK(shm_registry(test.cell).total == 0);
  CHECK(shm_registry(test.cell).in_use == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("a segment that nobody has goes at once", "[shm]") {
  ShmTest test;
  CHECK(test.control(IPC_RMID) == 0);
  CHECK_FALSE(test.is_there());
  CHECK(test.control(IPC_RMID) == -EINVAL);
  CHECK(test.task.rec->doomed == 0);
  CHECK(test.task.rec->destroying == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("IPC_SET changes owner and permissions", "[shm]") {
  ShmTest test;
  test_seconds = 6000;
  struct shmid_ds wanted = {};
  wanted.shm_perm.uid = 1000;
  wanted.shm_perm.gid = 77;
  wanted.shm_perm.mode = 01640;
  CHECK(test.control(IPC_SET, &wanted) == 0);
  const struct shmid_ds info = test.stat();
  CHECK(info.shm_perm.mode == 0640);
  CHECK(info.shm_perm.gid == 77);
  CHECK(info.shm_ctime == 6000);
  test.record().perm.uid = test.record().perm.cuid = 1;
  CHECK(test.control(IPC_SET, &wanted) == -EPERM);
  CHECK(test.control(IPC_RMID) == -EPERM);
  CHECK(test.control(SHM_LOCK) == -EPERM);
}

TEST_CASE("SHM_LOCK is told by the mode, and has its limit", "[shm]") {
  ShmTest test(1);
  CHECK(test.control(SHM_LOCK) == 0);
  CHECK((test.stat().shm_perm.mode & SHM_LOCKED) != 0);
  CHECK(test.control(SHM_LOCK) == 0);
  CHECK(test.control(SHM_UNLOCK) == 0);
  CHECK((test.stat().shm_perm.mode & SHM_LOCKED) == 0);
  test.record().pages = ~0ull / kPage / 2;
  const long limited = memory_lock_limit() == ~0ull ? 0 : -ENOMEM;
  CHECK(test.control(SHM_LOCK) == limited);
}

TEST_CASE("the other commands tell of all segments", "[shm]") {
  ShmTest test;
  const int second = test.make(2);
  u8* place = test.attach(second);
  REQUIRE(place != nullptr);
  place[0] = 1;
  struct shm_info info;
  CHECK(test.control(SHM_INFO, &info) == 1);
  CHECK(info.used_ids == 2);
  CHECK(info.shm_tot == 5);
  CHECK(info.shm_rss == 1);
  struct shminfo limits;
  CHECK(test.control(IPC_INFO, &limits) == 1);
  CHECK(limits.shmmin == 1);
  CHECK(limits.shmmax == test.cell.header().limits.shmmax);
  CHECK(limits.shmmni == test.cell.header().limits.shmmni);
  struct shmid_ds stat;
  CHECK(sys_shmctl(test.task, 1, SHM_STAT, &stat) == second);
  CHECK(stat.shm_nattch == 1);
  CHECK(sys_shmctl(test.task, 2, SHM_STAT, &stat) == -EINVAL);
  test.record_of(second).perm.mode = 0;
  CHECK(sys_shmctl(test.task, second, IPC_STAT, &stat) == -EACCES);
  constexpr int kStatAny = 15;
  CHECK(sys_shmctl(test.task, 1, kStatAny, &stat) == second);
  CHECK(test.control(4711) == -EINVAL);
  CHECK(test.control(-1) == -EINVAL);
}

// ---------------------------------------------------------------- the dead

TEST_CASE("whoever looks detaches the dead, once", "[shm]") {
  ShmTest test;
  test_seconds = 5000;
  REQUIRE(test.attach(test.id) != nullptr);
  std::vector<Process*> dead = {&test.attacher(2), &test.attacher()};
  Process& living = test.attacher();
  CHECK(test.stat().shm_nattch == 5);
  for (Process* process : dead) process->kill();
  test_seconds = 5001;
  struct shmid_ds info = test.stat();
  CHECK(info.shm_nattch == 2);
  CHECK(info.shm_dtime == 5001);
  test_seconds = 5002;
  CHECK(test.stat().shm_dtime == 5001);
  living.become_zombie();
  info = test.stat();
  CHECK(info.shm_nattch == 1);
  CHECK(info.shm_lpid == living.pid());
  reap_dead_tasks(test.task);
  CHECK(test.count_processes() == 1);
  CHECK(test.violation() == "");
}

TEST_CASE("a removed segment goes with the last of the dead", "[shm]") {
  ShmTest test;
  Process& process = test.attacher(3);
  CHECK(test.control(IPC_RMID) == 0);
  CHECK(test.is_there());
  process.kill();
  SECTION("for who looks") { CHECK_FALSE(test.is_there()); }
  SECTION("for who attaches it") { CHECK(test.attach(test.id) == nullptr); }
  SECTION("for who reaps") { reap_dead_tasks(test.task); }
  SECTION("for who sweeps") { sweep_segments(test.task); }
  CHECK(shm_registry(test.cell).in_use == 0);
  reap_dead_tasks(test.task);
  CHECK(test.count_processes() == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("the segments of the dead stand in nobody's way", "[shm]") {
  ShmTest test;
  Process& process = test.attacher();
  CHECK(test.control(IPC_RMID) == 0);
  process.kill();
  test.cell.header().limits.shmmni = 1;
  CHECK(test.make(1) >= 0);
  CHECK(test.violation() == "");
}

}  // namespace ipcell
