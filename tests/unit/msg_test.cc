// msgget(2), and msgsnd(2) and msgrcv(2) where nobody has to wait.
#include "core/ipc/msg.h"

#include <climits>

#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

class QueueTest {
 public:
  QueueTest() : task(cell), id(make_queue(task)) {}

  TestCell cell;
  TestTask task;
  int id;
};

}  // namespace

TEST_CASE("msgget finds, makes or refuses", "[msg]") {
  TestCell cell;
  TestTask task(cell);
  CHECK(sys_msgget(task, 7, 0600) == -ENOENT);
  CHECK(sys_msgget(task, 7, IPC_EXCL | 0600) == -ENOENT);
  CHECK(sys_msgget(task, 7, IPC_CREAT | 0600) == 0);
  CHECK(sys_msgget(task, 7, 0) == 0);
  CHECK(sys_msgget(task, 7, IPC_CREAT | 0600) == 0);
  // IPC_EXCL means nothing without IPC_CREAT.
  CHECK(sys_msgget(task, 7, IPC_EXCL | 0600) == 0);
  CHECK(sys_msgget(task, 7, IPC_CREAT | IPC_EXCL | 0600) == -EEXIST);
  CHECK(sys_msgget(task, -7, IPC_CREAT | IPC_EXCL | 0600) == 1);
  CHECK(sys_msgget(task, IPC_PRIVATE, 0600) == 2);
  CHECK(sys_msgget(task, IPC_PRIVATE, IPC_EXCL) == 3);
}

TEST_CASE("msgget asks for the bits of its flags, EEXIST comes first", "[msg]") {
  TestCell cell;
  TestTask task(cell, user(1, 1));
  REQUIRE(sys_msgget(task, 7, IPC_CREAT | 0640) == 0);
  task.credentials = user(2, 1);
  CHECK(sys_msgget(task, 7, 0400) == 0);
  CHECK(sys_msgget(task, 7, 0600) == -EACCES);
  task.credentials = user(2, 2);
  CHECK(sys_msgget(task, 7, 0) == 0);
  CHECK(sys_msgget(task, 7, IPC_CREAT | 0004) == -EACCES);
  CHECK(sys_msgget(task, 7, IPC_CREAT | IPC_EXCL | 0004) == -EEXIST);
  task.credentials.capabilities = 1ull << kCapIpcOwner;
  CHECK(sys_msgget(task, 7, 0666) == 0);
}

TEST_CASE("a fresh queue", "[msg]") {
  TestCell cell;
  TestTask task(cell, user(12, 34));
  task.credentials.fsgid = 56;
  test_seconds = 1234;
  cell.header().limits.msgmnb = 5000;
  const int id = make_queue(task, 99, IPC_CREAT | 07777);
  const struct msqid_ds info = stat_of(task, id);
  CHECK(info.msg_perm.__key == 99);
  CHECK(info.msg_perm.uid == 12);
  CHECK(info.msg_perm.cuid == 12);
  CHECK(info.msg_perm.gid == 34);
  CHECK(info.msg_perm.cgid == 34);
  CHECK(info.msg_perm.mode == 0777);
  CHECK(info.msg_qbytes == 5000);
  CHECK(info.msg_ctime == 1234);
  CHECK(info.msg_stime == 0);
  CHECK(info.msg_rtime == 0);
  CHECK(info.__msg_cbytes == 0);
  CHECK(info.msg_qnum == 0);
  CHECK(info.msg_lspid == 0);
  CHECK(info.msg_lrpid == 0);
}

TEST_CASE("msgget at the limit of queues", "[msg]") {
  TestCell cell;
  TestTask task(cell);
  cell.header().limits.msgmni = 2;
  CHECK(make_queue(task, 1) == 0);
  CHECK(make_queue(task, 2) == 1);
  CHECK(make_queue(task, 3) == -ENOSPC);
  CHECK(make_queue(task, 1) == 0);
  CHECK(remove(task, 0) == 0);
  CHECK(make_queue(task, 3) == 2);
  CHECK(take_census(cell).in_use[static_cast<u32>(BlockClass::MsgQueue)] == 2);
}

TEST_CASE("messages come out in the order of their sending", "[msg]") {
  QueueTest test;
  for (const char* text : {"one", "two", "three", ""})
    CHECK(send(test.task, test.id, 5, text) == 0);
  for (const char* text : {"one", "two", "three", ""}) {
    const Received received = receive(test.task, test.id, 100, 0);
    CHECK(received.text == text);
    CHECK(received.type == 5);
  }
  CHECK(receive(test.task, test.id, 100, 0, IPC_NOWAIT).result == -ENOMSG);
}

TEST_CASE("sending and receiving leave their traces", "[msg]") {
  QueueTest test;
  test_seconds = 2000;
  CHECK(send(test.task, test.id, 1, "12345") == 0);
  test_seconds = 2001;
  CHECK(send(test.task, test.id, 1, "") == 0);
  struct msqid_ds info = stat_of(test.task, test.id);
  CHECK(info.msg_stime == 2001);
  CHECK(info.msg_rtime == 0);
  CHECK(info.msg_lspid == test.task.identity.pid);
  CHECK(info.msg_lrpid == 0);
  CHECK(info.__msg_cbytes == 5);
  CHECK(info.msg_qnum == 2);
  test_seconds = 2002;
  CHECK(receive(test.task, test.id, 2, 0, MSG_NOERROR).text == "12");
  info = stat_of(test.task, test.id);
  CHECK(info.msg_stime == 2001);
  CHECK(info.msg_rtime == 2002);
  CHECK(info.msg_lrpid == test.task.identity.pid);
  CHECK(info.__msg_cbytes == 0);
  CHECK(info.msg_qnum == 1);
}

TEST_CASE("msgrcv chooses by type", "[msg]") {
  QueueTest test;
  for (long type : {3l, 2l, 3l, 2l, LONG_MAX, 1l}) {
    CHECK(send(test.task, test.id, type, std::to_string(type)) == 0);
  }
  const auto next = [&](long type, int flags = 0) {
    return next_text(test.task, test.id, type, flags);
  };
  SECTION("any") {
    CHECK(next(0) == "3");
    // MSG_EXCEPT means nothing without a type.
    CHECK(next(0, kMsgExceptFlag) == "2");
  }
  SECTION("a type") {
    CHECK(next(2) == "2");
    CHECK(next(2) == "2");
    CHECK(next(2) == "error " + std::to_string(ENOMSG));
    CHECK(next(LONG_MAX) == std::to_string(LONG_MAX));
  }
  SECTION("all but a type") {
    CHECK(next(3, kMsgExceptFlag) == "2");
    CHECK(next(2, kMsgExceptFlag) == "3");
    CHECK(next(3, kMsgExceptFlag) == "2");
    CHECK(next(3, kMsgExceptFlag) == std::to_string(LONG_MAX));
  }
  SECTION("the lowest up to a type, and the first of it") {
    CHECK(next(-3) == "1");
    CHECK(next(-1) == "error " + std::to_string(ENOMSG));
    CHECK(next(-2) == "2");
    CHECK(next(-3) == "2");
    CHECK(next(-3) == "3");
    // LONG_MIN stands for the highest type; MSG_EXCEPT means nothing here.
    CHECK(next(LONG_MIN, kMsgExceptFlag) == "3");
    CHECK(next(LONG_MIN) == std::to_string(LONG_MAX));
  }
}

TEST_CASE("a message that is too long stays, or is cut off", "[msg]") {
  QueueTest test;
  CHECK(send(test.task, test.id, 1, "long text") == 0);
  CHECK(send(test.task, test.id, 1, "x") == 0);
  CHECK(receive(test.task, test.id, 4, 0).result == -E2BIG);
  // The chosen one counts, not another that would fit.
  CHECK(receive(test.task, test.id, 0, 1, IPC_NOWAIT).result == -E2BIG);
  CHECK(stat_of(test.task, test.id).msg_qnum == 2);
  CHECK(receive(test.task, test.id, 4, 0, MSG_NOERROR).text == "long");
  CHECK(receive(test.task, test.id, 0, 0, MSG_NOERROR).result == 0);
  CHECK(stat_of(test.task, test.id).msg_qnum == 0);
}

TEST_CASE("MSG_COPY takes nothing out", "[msg]") {
  QueueTest test;
  CHECK(send(test.task, test.id, 3, "first") == 0);
  CHECK(send(test.task, test.id, 4, "second") == 0);
  const int copy = kMsgCopyFlag | IPC_NOWAIT;
  const struct msqid_ds before = stat_of(test.task, test.id);
  const Received second = receive(test.task, test.id, 100, 1, copy);
  CHECK(second.text == "second");
  CHECK(second.type == 4);
  CHECK(receive(test.task, test.id, 5, 0, copy).text == "first");
  CHECK(receive(test.task, test.id, 100, 2, copy).result == -ENOMSG);
  CHECK(receive(test.task, test.id, 100, -1, copy).result == -ENOMSG);
  CHECK(receive(test.task, test.id, 4, 0, copy).result == -E2BIG);
  CHECK(receive(test.task, test.id, 4, 0, copy | MSG_NOERROR).result == -EINVAL);
  CHECK(receive(test.task, test.id, 100, 0, kMsgCopyFlag).result == -EINVAL);
  CHECK(receive(test.task, test.id, 100, 0, copy | kMsgExceptFlag).result == -EINVAL);
  const struct msqid_ds after = stat_of(test.task, test.id);
  CHECK(std::memcmp(&before, &after, sizeof before) == 0);
  CHECK(take_census(test.cell).total() == 3);
}

TEST_CASE("msgsnd checks in the kernel's order", "[msg]") {
  QueueTest test;
  CHECK(send(test.task, test.id, 0, "x") == -EINVAL);
  CHECK(send(test.task, test.id, -1, "x") == -EINVAL);
  CHECK(send(test.task, -1, 1, "x") == -EINVAL);
  CHECK(send(test.task, 4711, 1, "x") == -EINVAL);
  CHECK(send(test.task, test.id, 1, std::string(8192, 'x')) == 0);
  CHECK(send(test.task, test.id, 1, std::string(8193, 'x')) == -EINVAL);
  long type = 1;
  CHECK(sys_msgsnd(test.task, test.id, &type, ~std::size_t{0}, 0) == -EINVAL);
  set_mode(test.task, test.id, 0444);
  CHECK(send(test.task, test.id, 1, "x") == -EACCES);
  // Without room, too.
  CHECK(set_qbytes(test.task, test.id, 0) == 0);
  CHECK(send(test.task, test.id, 1, "x", IPC_NOWAIT) == -EACCES);
  CHECK(take_census(test.cell).total() == 2);
}

TEST_CASE("msgrcv checks in the kernel's order", "[msg]") {
  QueueTest test;
  CHECK(send(test.task, test.id, 1, "x") == 0);
  CHECK(receive(test.task, -1, 8, 0).result == -EINVAL);
  CHECK(receive(test.task, 4711, 8, 0).result == -EINVAL);
  CHECK(sys_msgrcv(test.task, test.id, nullptr, ~std::size_t{0}, 0, 0) == -EINVAL);
  set_mode(test.task, test.id, 0222);
  CHECK(receive(test.task, test.id, 0, 0).result == -EACCES);
  CHECK(receive(test.task, test.id, 0, 5, IPC_NOWAIT).result == -EACCES);
  set_mode(test.task, test.id, 0444);
  CHECK(receive(test.task, test.id, 8, 0).text == "x");
}

TEST_CASE("a queue is full by bytes and by messages", "[msg]") {
  QueueTest test;
  const auto fill = [&](std::size_t size) {
    int sent = 0;
    while (send(test.task, test.id, 1, std::string(size, 'x'), IPC_NOWAIT) == 0) ++sent;
    CHECK(send(test.task, test.id, 1, std::string(size, 'x'), IPC_NOWAIT) == -EAGAIN);
    return sent;
  };
  CHECK(set_qbytes(test.task, test.id, 10) == 0);
  SECTION("bytes") {
    CHECK(fill(3) == 3);
    CHECK(send(test.task, test.id, 1, "x", IPC_NOWAIT) == 0);
    CHECK(stat_of(test.task, test.id).__msg_cbytes == 10);
    CHECK(send(test.task, test.id, 1, "", IPC_NOWAIT) == 0);
  }
  SECTION("messages without text") { CHECK(fill(0) == 10); }
  SECTION("nothing at all") {
    CHECK(set_qbytes(test.task, test.id, 0) == 0);
    CHECK(fill(0) == 0);
  }
}

TEST_CASE("a removed queue's identifier is stale, also when its index is used again", "[msg]") {
  TestCell cell;
  TestTask task(cell);
  const int old = make_queue(task, 5);
  CHECK(remove(task, old) == 0);
  int id = old;
  for (int n = 0; n < 64; ++n) {
    if (n != 0) remove(task, id);
    id = make_queue(task, 5);
  }
  REQUIRE(id == 32768);
  CHECK(send(task, old, 1, "x") == -EINVAL);
  CHECK(receive(task, old, 8, 0, IPC_NOWAIT).result == -EINVAL);
  CHECK(remove(task, old) == -EINVAL);
  CHECK(send(task, id, 1, "x") == 0);
}

TEST_CASE("a poisoned cell refuses every call", "[msg]") {
  QueueTest test;
  test.cell.header().poisoned = 1;
  CHECK(sys_msgget(test.task, 1, IPC_CREAT) == -EIO);
  CHECK(send(test.task, test.id, 1, "x") == -EIO);
  CHECK(receive(test.task, test.id, 8, 0).result == -EIO);
  CHECK(remove(test.task, test.id) == -EIO);
  test.cell.header().poisoned = 0;
}

TEST_CASE("a scribbled queue is refused", "[msg]") {
  QueueTest test;
  CHECK(send(test.task, test.id, 1, "x") == 0);
  Registry& registry = msg_registry(test.cell);
  MsgQueueRec& queue = *test.cell.at<MsgQueueRec>(registry.entries[test.id].record);
  const auto receive_it = [&](Task& task) { receive(task, test.id, 8, 0, IPC_NOWAIT); };
  SECTION("the identifier leads to a message") {
    registry.entries[test.id].record = queue.first;
    CHECK(poisons(test.cell, receive_it));
  }
  SECTION("the identifier leads out of the cell") {
    registry.entries[test.id].record = ~0ull;
    CHECK(poisons(test.cell, receive_it));
  }
  SECTION("the list of messages leads out of the heap") {
    queue.first = 8;
    CHECK(poisons(test.cell, receive_it));
  }
  SECTION("the list of messages goes round") {
    test.cell.at<MsgBlock>(queue.first)->next = queue.first;
    CHECK(poisons(test.cell, [&](Task& task) { receive(task, test.id, 8, 2, IPC_NOWAIT); }));
  }
  SECTION("the list of waiters leads out of the table") {
    queue.receivers.first = kTaskSlots + 1;
    CHECK(poisons(test.cell, [&](Task& task) { send(task, test.id, 1, "y"); }));
  }
}

}  // namespace ipcell
