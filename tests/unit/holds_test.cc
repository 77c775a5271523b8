// What a process holds when it forks, calls exec(2), or lends its memory.
#include "core/ipc/holds.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "core/cell/cell_members.h"
#include "tests/unit/shm_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// fork(2) as the shim brackets it.
ForkRecord g_fork;
int begin_fork(Task& task) { return sys_fork_begin(task, g_fork); }
void end_fork(Task& task, int child) {
  sys_fork_unlock(task);
  sys_fork_end(task, g_fork, child);
}

class ForkTest : public ShmTest {
 public:
  ForkTest() {
    place = attach(id);
    REQUIRE(place != nullptr);
  }
  // The record of a child that has no pid yet; nullptr if there is none.
  ProcessRec* unborn() const {
    const u64 offset = cell.layout().processes.buckets[0];
    return offset != 0 ? cell.at<ProcessRec>(offset) : nullptr;
  }
  u64 attached() {
    task.stranger_seen_ns = 0;
    return stat().shm_nattch;
  }
  u8* place;
};

// In a forked child: what the library does in its first moment.
int become_task(Task& own, AddressMap& map) {
  map.reset_lock();
  own.identity = identity_of_this_thread();
  return attach_task(own);
}

}  // namespace

TEST_CASE("a child's attachments are counted before there is a child", "[holds]") {
  ForkTest test;
  test.attach(test.id);
  REQUIRE(begin_fork(test.task) == 0);
  CHECK(test.attached() == 4);
  REQUIRE(test.unborn() != nullptr);
  CHECK(test.unborn()->serial == test.addresses.heir_serial);
  CHECK(test.task.rec->unborn == test.addresses.heir);
  CHECK(test.violation() == "");
  // The fork(2) fails.
  end_fork(test.task, -1);
  CHECK(test.attached() == 2);
  CHECK(test.unborn() == nullptr);
  CHECK(test.task.rec->unborn == 0);
  CHECK(test.addresses.heir == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("who has nothing attached makes nothing for a child", "[holds]") {
  ForkTest test;
  CHECK(test.detach(test.place) == 0);
  REQUIRE(begin_fork(test.task) == 0);
  CHECK(test.unborn() == nullptr);
  end_fork(test.task, 4711);
  CHECK(test.attached() == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("parent and child name the child's record, whoever comes first", "[holds]") {
  const bool is_child_first = GENERATE(false, true);
  ForkTest test;
  struct Steps {
    u32 may_begin, has_begun, may_detach, has_detached;
  };
  const Shared<Steps> steps;
  REQUIRE(begin_fork(test.task) == 0);
  Child child([&] {
    wait_until([&] { return load_acquire(steps->may_begin) != 0; });
    Task own;
    own.cell = &test.cell;
    own.cred = test.task.cred;
    own.addresses = &test.addresses;
    CHILD_CHECK(become_task(own, test.addresses) == 0);
    store_release(steps->has_begun, 1u);
    wait_until([&] { return load_acquire(steps->may_detach) != 0; });
    CHILD_CHECK(sys_shmdt(own, test.place) == 0);
    store_release(steps->has_detached, 1u);
    for (;;) pause();
  });
  if (!is_child_first) end_fork(test.task, child.pid());
  store_release(steps->may_begin, 1u);
  wait_until([&] { return load_acquire(steps->has_begun) != 0; });
  if (is_child_first) end_fork(test.task, child.pid());
  CHECK(test.unborn() == nullptr);
  CHECK(test.task.rec->unborn == 0);
  CHECK(test.attached() == 2);
  CHECK(test.violation() == "");
  store_release(steps->may_detach, 1u);
  wait_until([&] { return load_acquire(steps->has_detached) != 0; });
  CHECK(test.attached() == 1);
  child.kill();
  reap_dead_tasks(test.task);
  CHECK(test.count_processes() == 1);
  CHECK(test.violation() == "");
}

TEST_CASE("a child that ends unheard is detached", "[holds]") {
  ForkTest test;
  REQUIRE(begin_fork(test.task) == 0);
  Child child([] { return 0; });
  end_fork(test.task, child.pid());
  CHECK(child.wait() == 0);
  CHECK(test.attached() == 1);
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
}

TEST_CASE("a child that the library did not see counts what it has", "[holds]") {
  ForkTest test;
  CHECK(in_child([&] {
          Task own;
          own.cell = &test.cell;
          own.cred = test.task.cred;
          own.addresses = &test.addresses;
          CHILD_CHECK(become_task(own, test.addresses) == 0);
          CHILD_CHECK(test.record().nattch == 2);
          return 0;
        }) == 0);
  CHECK(test.attached() == 1);
  CHECK(test.violation() == "");
}

// The parent dies in its fork(2), and what it made for a child is left.
TEST_CASE("what was made for a child outlives the parent as long as there may be a child",
          "[holds]") {
  ShmTest test;
  Process& parent = test.process(
      [&](Task& own) { return ShmTest::attach(own, test.id) != nullptr && begin_fork(own) == 0; });
  CHECK(test.stat().shm_nattch == 2);
  {
    // A process that maps the cell and has no task may be the child.
    const Child stranger([] {
      for (;;) pause();
      return 0;
    });
    CHECK(has_stranger(test.cell, test.path.c_str(), test.task.identity.pid_namespace,
                       test.task.identity.start_time));
    parent.kill();
    reap_dead_tasks(test.task);
    CHECK(test.stat().shm_nattch == 1);
    test.task.stranger_seen_ns = 0;
    CHECK(test.stat().shm_nattch == 1);
    CHECK(test.violation() == "");
  }
  // Nobody is left who may be it.
  CHECK_FALSE(has_stranger(test.cell, test.path.c_str(), test.task.identity.pid_namespace,
                           test.task.identity.start_time));
  test.task.stranger_seen_ns = 0;
  CHECK(test.stat().shm_nattch == 0);
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
}

TEST_CASE("who can't look for a child buries none", "[holds]") {
  ShmTest test;
  Process& parent = test.process(
      [&](Task& own) { return ShmTest::attach(own, test.id) != nullptr && begin_fork(own) == 0; });
  parent.kill();
  test.task.addresses = nullptr;
  CHECK(test.stat().shm_nattch == 1);
  test.task.addresses = &test.addresses;
  test.task.stranger_seen_ns = 0;
  CHECK(test.stat().shm_nattch == 0);
}

TEST_CASE("the attachments of an image end with its exec(2)", "[holds]") {
  ForkTest test;
  Worker old(test.cell);
  AddressMap map;
  test.give_map(old.task(), map);
  old.task().identity.image = 7;
  old.task().rec->image = 7;
  old.run([&](Task& own) { return ShmTest::attach(own, test.id) != nullptr ? 0 : -1; });
  CHECK(test.attached() == 2);
  old.task().rec->is_execing = 1;
  old.die();
  CHECK(test.attached() == 1);
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
}

TEST_CASE("memory that is lent outlives its process", "[holds]") {
  ShmTest test;
  Process& lender = test.process([&](Task& own) {
    if (ShmTest::attach(own, test.id) == nullptr) return false;
    sys_share_memory(own);
    return true;
  });
  {
    const Child borrower([] {
      for (;;) pause();
      return 0;
    });
    lender.kill();
    CHECK(test.stat().shm_nattch == 1);
  }
  test.task.stranger_seen_ns = 0;
  CHECK(test.stat().shm_nattch == 0);
}

}  // namespace ipcell
