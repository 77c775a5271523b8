#include "core/ipc/msg.h"

#include <climits>

#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

struct msginfo info_of(Task& task, int command, long* result) {
  struct msginfo info;
  std::memset(&info, 0xee, sizeof info);
  *result = sys_msgctl(task, 0, command, reinterpret_cast<struct msqid_ds*>(&info));
  return info;
}

constexpr u64 bit(int capability) { return 1ull << capability; }

}  // namespace

TEST_CASE("msgctl checks identifier and command first", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell);
  const int id = make_queue(task);
  struct msqid_ds info = stat_of(task, id);
  for (int command :
       {IPC_STAT, IPC_SET, IPC_RMID, MSG_STAT, kMsgStatAnyCommand, IPC_INFO, MSG_INFO}) {
    CHECK(sys_msgctl(task, -1, command, &info) == -EINVAL);
  }
  for (int command : {-1, 4, 14, 4711, INT_MIN})
    CHECK(sys_msgctl(task, id, command, &info) == -EINVAL);
  for (int command : {IPC_STAT, IPC_SET, IPC_RMID, MSG_STAT, kMsgStatAnyCommand}) {
    CHECK(sys_msgctl(task, id + 1, command, &info) == -EINVAL);
    CHECK(sys_msgctl(task, 32767, command, &info) == -EINVAL);
  }
}

TEST_CASE("IPC_STAT wants the identifier, MSG_STAT the index", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell);
  for (int n = 0; n < 64; ++n) remove(task, make_queue(task));
  const int id = make_queue(task, 42);
  REQUIRE(id == 32768);
  struct msqid_ds info;
  CHECK(sys_msgctl(task, id, IPC_STAT, &info) == 0);
  CHECK(info.msg_perm.__key == 42);
  CHECK(info.msg_perm.__seq == 1);
  CHECK(sys_msgctl(task, 0, IPC_STAT, &info) == -EINVAL);
  CHECK(sys_msgctl(task, 0, MSG_STAT, &info) == id);
  CHECK(info.msg_perm.__key == 42);
  CHECK(sys_msgctl(task, 0, kMsgStatAnyCommand, &info) == id);
  // Whatever stands above the index.
  CHECK(sys_msgctl(task, 5 * 32768, MSG_STAT, &info) == id);
}

TEST_CASE("IPC_STAT and MSG_STAT want read permission, MSG_STAT_ANY none", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell, user(1, 1));
  const int id = make_queue(task, IPC_PRIVATE, 0220);
  struct msqid_ds info;
  CHECK(sys_msgctl(task, id, IPC_STAT, &info) == -EACCES);
  CHECK(sys_msgctl(task, id, MSG_STAT, &info) == -EACCES);
  CHECK(sys_msgctl(task, id, kMsgStatAnyCommand, &info) == id);
  task.credentials.capabilities = bit(kCapIpcOwner);
  CHECK(sys_msgctl(task, id, IPC_STAT, &info) == 0);
}

TEST_CASE("IPC_SET changes owner, mode and room", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell, user(1, 2));
  test_seconds = 3000;
  const int id = make_queue(task, 42, IPC_CREAT | 0600);
  struct msqid_ds wanted;
  std::memset(&wanted, 0xee, sizeof wanted);
  wanted.msg_perm.uid = 10;
  wanted.msg_perm.gid = 20;
  wanted.msg_perm.mode = static_cast<decltype(wanted.msg_perm.mode)>(07644);
  wanted.msg_qbytes = 100;
  test_seconds = 3001;
  CHECK(sys_msgctl(task, id, IPC_SET, &wanted) == 0);
  const struct msqid_ds info = stat_of(task, id);
  CHECK(info.msg_perm.uid == 10);
  CHECK(info.msg_perm.gid == 20);
  CHECK(info.msg_perm.cuid == 1);
  CHECK(info.msg_perm.cgid == 2);
  CHECK(info.msg_perm.mode == 0644);
  CHECK(info.msg_perm.__key == 42);
  CHECK(info.msg_qbytes == 100);
  CHECK(info.msg_ctime == 3001);
  CHECK(info.msg_stime == 0);

  // The creator may still, the new owner may, nobody else.
  CHECK(set_qbytes(task, id, 200) == 0);
  task.credentials = user(10, 99);
  CHECK(set_qbytes(task, id, 300) == 0);
  task.credentials = user(11, 20);
  CHECK(set_qbytes(task, id, 400) == -EPERM);
  task.credentials.capabilities = ~bit(kCapSysAdmin);
  CHECK(set_qbytes(task, id, 400) == -EPERM);
  task.credentials.capabilities = bit(kCapSysAdmin);
  CHECK(set_qbytes(task, id, 400) == 0);
  CHECK(stat_of(task, id).msg_qbytes == 400);
}

TEST_CASE("more room than msgmnb is for CAP_SYS_RESOURCE", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell);
  cell.header().limits.msgmnb = 1000;
  const int id = make_queue(task);
  CHECK(set_qbytes(task, id, 1000) == 0);
  CHECK(set_qbytes(task, id, 1001) == -EPERM);
  CHECK(set_qbytes(task, id, ~0ull) == -EPERM);
  CHECK(stat_of(task, id).msg_qbytes == 1000);
  task.credentials.capabilities = bit(kCapSysResource);
  CHECK(set_qbytes(task, id, 1 << 30) == 0);
  CHECK(stat_of(task, id).msg_qbytes == 1 << 30);
  // Linux: ipc/msg.c:msgctl_down() takes it for an int.
  CHECK(set_qbytes(task, id, (1ull << 40) + 7) == 0);
  CHECK(stat_of(task, id).msg_qbytes == 7);
  CHECK(set_qbytes(task, id, 0xffffffffull) == 0);
  CHECK(stat_of(task, id).msg_qbytes == ~0ul);
  task.credentials.capabilities = 0;
  CHECK(set_qbytes(task, id, 1ull << 40) == 0);
  CHECK(stat_of(task, id).msg_qbytes == 0);
}

TEST_CASE("IPC_SET refuses the user that nobody is, and changes nothing then", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell);
  const int id = make_queue(task);
  struct msqid_ds wanted = stat_of(task, id);
  wanted.msg_qbytes = 5;
  SECTION("owner") { wanted.msg_perm.uid = ~0u; }
  SECTION("group") { wanted.msg_perm.gid = ~0u; }
  CHECK(sys_msgctl(task, id, IPC_SET, &wanted) == -EINVAL);
  CHECK(stat_of(task, id).msg_qbytes == 16384);
}

TEST_CASE("IPC_RMID is for owner, creator and CAP_SYS_ADMIN", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell, user(1, 1));
  const int id = make_queue(task);
  struct msqid_ds wanted = stat_of(task, id);
  wanted.msg_perm.uid = 2;
  REQUIRE(sys_msgctl(task, id, IPC_SET, &wanted) == 0);
  task.credentials = user(3, 1);
  CHECK(remove(task, id) == -EPERM);
  SECTION("the creator") { task.credentials = user(1, 9); }
  SECTION("the owner") { task.credentials = user(2, 9); }
  SECTION("an administrator") { task.credentials.capabilities = bit(kCapSysAdmin); }
  CHECK(remove(task, id) == 0);
  CHECK(remove(task, id) == -EINVAL);
  CHECK(take_census(cell).total() == 0);
}

TEST_CASE("IPC_INFO tells the limits", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell);
  cell.header().limits.msgmax = 11;
  cell.header().limits.msgmnb = 12;
  cell.header().limits.msgmni = 13;
  long result = -1;
  struct msginfo info = info_of(task, IPC_INFO, &result);
  CHECK(result == 0);
  CHECK(info.msgmax == 11);
  CHECK(info.msgmnb == 12);
  CHECK(info.msgmni == 13);
  CHECK(info.msgssz == 16);
  CHECK(info.msgseg == 65535);
  CHECK(info.msgpool == 512000);
  CHECK(info.msgmap == 16384);
  CHECK(info.msgtql == 16384);
  for (int n = 0; n < 3; ++n) make_queue(task);
  remove(task, 1);
  info_of(task, IPC_INFO, &result);
  CHECK(result == 2);
}

TEST_CASE("MSG_INFO tells what is there", "[msg_ctl]") {
  TestCell cell;
  TestTask task(cell);
  long result = -1;
  struct msginfo info = info_of(task, MSG_INFO, &result);
  CHECK(result == 0);
  CHECK(info.msgpool == 0);
  for (int n = 0; n < 3; ++n) make_queue(task);
  CHECK(send(task, 0, 1, "12345") == 0);
  CHECK(send(task, 2, 1, "123") == 0);
  CHECK(send(task, 2, 1, "") == 0);
  remove(task, 1);
  info = info_of(task, MSG_INFO, &result);
  CHECK(result == 2);
  CHECK(info.msgpool == 2);
  CHECK(info.msgmap == 3);
  CHECK(info.msgtql == 8);
  remove(task, 2);
  info = info_of(task, MSG_INFO, &result);
  CHECK(result == 0);
  CHECK(info.msgmap == 1);
  CHECK(info.msgtql == 5);
}

}  // namespace ipcell
