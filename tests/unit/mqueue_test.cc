// POSIX queues at the facade: names, attributes, limits, and how long a queue lives.
#include "core/ipc/mqueue.h"

#include <sys/stat.h>
#include <sys/types.h>

#include "tests/unit/mqueue_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr int kCreate = O_RDWR | O_CREAT;

long open_plain(MqTest& test, const char* name, int flags) {
  MqueueDescriptor opened;
  const long fd = test.open(test.task, name, flags, 0, 0, &opened);
  if (fd >= 0) test.close(opened);
  return fd;
}

}  // namespace

TEST_CASE("names of message queues", "[mqueue]") {
  MqTest test;
  CHECK(open_plain(test, "", kCreate) == -ENOENT);
  CHECK(open_plain(test, "a/b", kCreate) == -EACCES);
  CHECK(open_plain(test, ".", kCreate) == -EACCES);
  CHECK(open_plain(test, "..", kCreate) == -EACCES);
  CHECK(open_plain(test, std::string(256, 'a').c_str(), kCreate) == -ENAMETOOLONG);
  CHECK(open_plain(test, std::string(5000, 'a').c_str(), kCreate) == -ENAMETOOLONG);
  CHECK(open_plain(test, reinterpret_cast<const char*>(8), kCreate) == -EFAULT);
  CHECK(open_plain(test, "a", O_RDWR) == -ENOENT);
  CHECK(sys_mq_unlink(test.task, "a") == -ENOENT);
  CHECK(sys_mq_unlink(test.task, std::string(256, 'a').c_str()) == -ENAMETOOLONG);
  test.expect_nothing_left();
  // Names that differ, of all lengths that a block's class ends at.
  for (const std::size_t length : {1, 2, 55, 56, 119, 120, 247, 248, 255}) {
    const std::string name(length, 'n');
    CHECK(open_plain(test, name.c_str(), kCreate | O_EXCL) >= 0);
    CHECK(open_plain(test, name.c_str(), kCreate | O_EXCL) == -EEXIST);
    CHECK(open_plain(test, name.c_str(), O_RDONLY) >= 0);
    CHECK(open_plain(test, name.c_str(), O_WRONLY | O_RDWR) == -EINVAL);
    CHECK(test.violation() == "");
  }
  for (const std::size_t length : {1, 2, 55, 56, 119, 120, 247, 248, 255})
    CHECK(sys_mq_unlink(test.task, std::string(length, 'n').c_str()) == 0);
  test.expect_nothing_left();
}

TEST_CASE("many names share the buckets", "[mqueue]") {
  MqTest test;
  constexpr int kQueues = 200;
  std::vector<MqueueDescriptor> queues;
  for (int n = 0; n < kQueues; ++n) queues.push_back(test.make(std::to_string(n).c_str()));
  CHECK(test.violation() == "");
  for (int n = 0; n < kQueues; n += 3) test.unlink(std::to_string(n).c_str());
  CHECK(test.violation() == "");
  for (int n = 0; n < kQueues; ++n) {
    MqueueDescriptor found;
    CHECK(sys_mq_find(test.task, queues[static_cast<u32>(n)].fd, &found) == 0);
    CHECK(found.queue == queues[static_cast<u32>(n)].queue);
    CHECK(open_plain(test, std::to_string(n).c_str(), O_RDWR) >= (n % 3 == 0 ? -ENOENT : 0));
  }
  for (const MqueueDescriptor& queue : queues) test.close(queue);
  CHECK(test.violation() == "");
  for (int n = 0; n < kQueues; ++n) {
    if (n % 3 != 0) test.unlink(std::to_string(n).c_str());
  }
  test.expect_nothing_left();
}

TEST_CASE("what a message queue may be made of", "[mqueue]") {
  MqTest test;
  TestTask& root = test.task;
  MqueueDescriptor opened;
  CHECK(test.open(root, "q", kCreate, -1, 1, &opened) == -EINVAL);
  CHECK(test.open(root, "q", kCreate, 1, 0, &opened) == -EINVAL);
  CHECK(test.open(root, "q", kCreate, 65537, 1, &opened) == -EINVAL);
  CHECK(test.open(root, "q", kCreate, 1, 16 * 1024 * 1024 + 1, &opened) == -EINVAL);
  const auto* nowhere = reinterpret_cast<const struct mq_attr*>(8);
  CHECK(sys_mq_open(root, {"q", kCreate, 0600, nowhere, 0, ~0ull}, &opened) == -EFAULT);
  struct mq_attr shape = {};
  shape.mq_maxmsg = 10;
  shape.mq_msgsize = 100;
  // 10 * (100 + 48 + 48) bytes are charged.
  CHECK(sys_mq_open(root, {"q", kCreate, 0600, &shape, 7, 1959}, &opened) == -EMFILE);
  CHECK(sys_mq_open(root, {"q", kCreate, 0600, &shape, 7, 1960}, &opened) >= 0);
  MqueueDescriptor another;
  CHECK(sys_mq_open(root, {"p", kCreate, 0600, &shape, 7, 1960}, &another) == -EMFILE);
  CHECK(sys_mq_open(root, {"p", kCreate, 0600, &shape, 8, 1960}, &another) >= 0);
  test.unlink("p");
  test.unlink("q");
  // Without a name they are charged as long as somebody has them open.
  MqueueDescriptor third;
  CHECK(sys_mq_open(root, {"r", kCreate, 0600, &shape, 7, 1960}, &third) == -EMFILE);
  test.close(opened);
  CHECK(sys_mq_open(root, {"r", kCreate, 0600, &shape, 7, 1960}, &third) >= 0);
  test.close(another);
  test.close(third);
  test.unlink("r");
  test.expect_nothing_left();
}

TEST_CASE("limits bind who has no capability", "[mqueue]") {
  MqTest test;
  Worker worker(test.cell, user(1000, 1000));
  Limits& limits = test.cell.header().limits;
  limits.mq_msg_max = 5;
  limits.mq_msgsize_max = 50;
  limits.mq_queues_max = 1;
  const auto open = [&](const char* name, int flags, long messages, long size) {
    return worker.run([&](Task& own) {
      test.give_folder(own);
      MqueueDescriptor opened;
      const long fd = test.open(own, name, flags, messages, size, &opened, 0640);
      if (fd >= 0) ::close(static_cast<int>(fd));
      return fd;
    });
  };
  CHECK(open("q", kCreate, 6, 50) == -EINVAL);
  CHECK(open("q", kCreate, 5, 51) == -EINVAL);
  CHECK(open("q", kCreate, 5, 50) >= 0);
  CHECK(open("p", kCreate, 5, 50) == -ENOSPC);
  CHECK(open("q", O_RDONLY, 0, 0) >= 0);
  Worker stranger(test.cell, user(2000, 1000));
  const auto open_as_stranger = [&](int flags) {
    return stranger.run([&](Task& own) {
      test.give_folder(own);
      MqueueDescriptor opened;
      const long fd = test.open(own, "q", flags, 0, 0, &opened);
      if (fd >= 0) ::close(static_cast<int>(fd));
      return fd;
    });
  };
  // The group may read.
  CHECK(open_as_stranger(O_RDONLY) >= 0);
  CHECK(open_as_stranger(O_WRONLY) == -EACCES);
  CHECK(open_as_stranger(O_RDWR) == -EACCES);
  CHECK(stranger.run([](Task& own) { return sys_mq_unlink(own, "q"); }) == -EPERM);
  test.unlink("q");
  test.expect_nothing_left();
}

TEST_CASE("attributes of a message queue", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 7, 33);
  REQUIRE(test.send(queue, "abc", 3) == 0);
  struct mq_attr attributes = {}, wanted = {};
  CHECK(sys_mq_getsetattr(test.task, queue, nullptr, &attributes) == 0);
  CHECK(attributes.mq_flags == 0);
  CHECK(attributes.mq_maxmsg == 7);
  CHECK(attributes.mq_msgsize == 33);
  CHECK(attributes.mq_curmsgs == 1);
  // All but O_NONBLOCK is passed over.
  wanted = attributes;
  wanted.mq_flags = O_NONBLOCK;
  wanted.mq_maxmsg = wanted.mq_msgsize = 1;
  CHECK(sys_mq_getsetattr(test.task, queue, &wanted, &attributes) == 0);
  CHECK(attributes.mq_flags == 0);
  CHECK(sys_mq_getsetattr(test.task, queue, nullptr, &attributes) == 0);
  CHECK(attributes.mq_flags == O_NONBLOCK);
  CHECK(attributes.mq_maxmsg == 7);
  CHECK(test.next(queue) == "abc");
  CHECK(MqTest::receive(test.task, queue).result == -EAGAIN);
  wanted.mq_flags = O_APPEND;
  CHECK(sys_mq_getsetattr(test.task, queue, &wanted, nullptr) == -EINVAL);
  CHECK(sys_mq_getsetattr(test.task, queue, reinterpret_cast<struct mq_attr*>(8), nullptr) ==
        -EFAULT);
  test.close(queue);
  test.unlink("q");
  test.expect_nothing_left();
}

TEST_CASE("the checks of a send and a receive", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 2, 10);
  char text[20] = {};
  CHECK(test.send(queue, "x", 32768) == -EINVAL);
  CHECK(test.send(queue, std::string(11, 'x')) == -EMSGSIZE);
  CHECK(sys_mq_timedsend(test.task, queue, reinterpret_cast<char*>(8), 5, 0, nullptr) == -EFAULT);
  CHECK(sys_mq_timedreceive(test.task, queue, text, 9, nullptr, nullptr) == -EMSGSIZE);
  MqueueDescriptor reader = queue, writer = queue;
  reader.access = O_RDONLY;
  writer.access = O_WRONLY;
  CHECK(test.send(reader, "x") == -EBADF);
  CHECK(sys_mq_timedreceive(test.task, writer, text, 10, nullptr, nullptr) == -EBADF);
  MqueueDescriptor stale = queue;
  stale.serial += 7;
  CHECK(test.send(stale, "x") == -EBADF);
  CHECK(sys_mq_timedreceive(test.task, stale, text, 10, nullptr, nullptr) == -EBADF);
  CHECK(sys_mq_ready(test.task, stale) == -EBADF);
  // A message that can't be copied out is lost.
  CHECK(test.send(queue, "lost") == 0);
  CHECK(sys_mq_timedreceive(test.task, queue, reinterpret_cast<char*>(8), 10, nullptr, nullptr) ==
        -EFAULT);
  CHECK(test.messages(queue) == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("messages of all sizes come out whole", "[mqueue]") {
  MqTest test;
  constexpr long kLargest = 100000;
  const MqueueDescriptor queue = test.make("q", 10, kLargest);
  for (const std::size_t size : {0, 1, 24, 25, 8215, 8216, 8217, 16432, 16433, 99999, 100000}) {
    std::string text(size, '\0');
    for (std::size_t n = 0; n < size; ++n) text[n] = static_cast<char>(n * 7 + n / 251);
    CHECK(test.send(queue, text, 1) == 0);
    CHECK(test.violation() == "");
    CHECK(test.next(queue) == text);
  }
  test.close(queue);
  test.unlink("q");
  test.expect_nothing_left();
}

// --------------------------------------------------------------------------- its end

TEST_CASE("a queue without a name lives while it is open", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  const int second = dup(queue.fd);
  REQUIRE(test.send(queue, "x") == 0);
  test.unlink("q");
  CHECK(mqueue_table(test.cell).unlinked == 1);
  CHECK(open_plain(test, "q", O_RDWR) == -ENOENT);
  const MqueueDescriptor same_name = test.make("q");
  CHECK(same_name.serial != queue.serial);
  CHECK(test.messages(same_name) == 0);
  test.close(queue);
  MqueueDescriptor found;
  CHECK(sys_mq_find(test.task, second, &found) == 0);
  CHECK(found.serial == queue.serial);
  CHECK(test.next(found) == "x");
  CHECK(test.violation() == "");
  ::close(second);
  CHECK(test.has_pipe(queue.serial));
  sys_mq_closed(test.task);
  CHECK_FALSE(test.has_pipe(queue.serial));
  CHECK(test.send(found, "y") == -EBADF);
  test.unlink("q");
  test.close(same_name);
  test.expect_nothing_left();
}

TEST_CASE("a queue that nobody has open goes with its name", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  for (u32 n = 0; n < 5; ++n) REQUIRE(test.send(queue, "text", n) == 0);
  test.close(queue);
  CHECK(mqueue_table(test.cell).count == 1);
  test.unlink("q");
  CHECK_FALSE(test.has_pipe(queue.serial));
  test.expect_nothing_left();
}

TEST_CASE("a sleeper keeps a queue whose descriptor was closed", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::receive(own, queue).result; });
  test.unlink("q");
  ::close(queue.fd);
  sys_mq_closed(test.task);
  CHECK(test.record(queue).live == 1);
  CHECK(test.send(queue, "abc") == 0);
  CHECK(sleeper.result() == 3);
  sys_mq_closed(test.task);
  CHECK(mqueue_table(test.cell).count == 0);
  CHECK(test.violation() == "");
}

TEST_CASE("a thousand queues leave nothing", "[mqueue]") {
  MqTest test;
  u64 chunks = 0;
  for (int n = 0; n < 1000; ++n) {
    const MqueueDescriptor queue = test.make("q", 10, 20000);
    for (u32 message = 0; message < 6; ++message)
      REQUIRE(test.send(queue, std::string(n % 20 * 1000u, 'x'), message * 5000) == 0);
    REQUIRE(test.next(queue) == std::string(n % 20 * 1000u, 'x'));
    if (n % 2 == 0) test.unlink("q");
    test.close(queue);
    if (n % 2 != 0) test.unlink("q");
    if (n == 100) chunks = test.cell.layout().heap.chunks_used;
  }
  CHECK(test.cell.layout().heap.chunks_used == chunks);
  test.expect_nothing_left();
}

TEST_CASE("a sweep removes pipes that are no queue's", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q"), gone = test.make("gone");
  test.unlink("gone");
  const std::string stray = test.folder + "/mq/777", open_stray = test.folder + "/mq/778",
                    other = test.folder + "/mq/other";
  REQUIRE(mkfifo(stray.c_str(), 0600) == 0);
  REQUIRE(mkfifo(open_stray.c_str(), 0600) == 0);
  REQUIRE(mkfifo(other.c_str(), 0600) == 0);
  const int fd = ::open(open_stray.c_str(), O_RDWR);
  ::close(gone.fd);
  sys_mq_sweep(test.task);
  CHECK_FALSE(test.has_pipe(777));
  CHECK(test.has_pipe(778));
  CHECK(access(other.c_str(), F_OK) == 0);
  CHECK(test.has_pipe(queue.serial));
  CHECK_FALSE(test.has_pipe(gone.serial));
  CHECK(mqueue_table(test.cell).count == 1);
  ::close(fd);
  sys_mq_sweep(test.task);
  CHECK_FALSE(test.has_pipe(778));
  CHECK(test.send(queue, "x") == 0);
  CHECK(test.next(queue) == "x");
}

TEST_CASE("a queue ends although its pipe was removed", "[mqueue]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  REQUIRE(::unlink((test.folder + "/mq/" + std::to_string(queue.serial)).c_str()) == 0);
  CHECK(open_plain(test, "q", O_RDWR) == -ENOENT);
  CHECK(test.send(queue, "x") == 0);
  CHECK(test.violation() == "");
  // That there is no pipe does not say that nobody has it open.
  test.unlink("q");
  CHECK(mqueue_table(test.cell).count == 1);
  CHECK(test.next(queue) == "x");
  const MqueueDescriptor another = test.make("q");
  CHECK(test.violation() == "");
  test.close(queue);
  test.close(another);
  test.unlink("q");
  CHECK(test.violation() == "");
}

}  // namespace ipcell
