// Rules of fault injection and POSIX message queues.
#include <set>

#include "core/ipc/fault.h"
#include "tests/unit/mqueue_fixture.h"

namespace ipcell {

namespace {

using namespace test;

class MqFaultTest : public MqTest {
 public:
  const FaultRec& add(const std::string& text, bool allow_illegal = false) {
    FaultRule rule = {};
    FaultError error;
    FaultParseOptions options;
    options.allow_illegal = allow_illegal;
    INFO(text);
    const bool is_good = parse_fault_rule(text.c_str(), text.size(), options, &rule, &error);
    INFO(error.message);
    REQUIRE(is_good);
    REQUIRE(add_fault_rule(task, rule) == 0);
    for (u32 n = 0; n < kFaultRules; ++n) {
      const FaultRec* rec = fault_rule_at(cell, n);
      if (rec != nullptr && std::string(rec->rule.id) == rule.id) return *rec;
    }
    FAIL("the rule is not there");
    std::abort();
  }
  void clear() { remove_fault_rules(task, nullptr, nullptr); }
};

}  // namespace

TEST_CASE("a queue's calls meet rules, and go on without", "[fault_mqueue]") {
  MqFaultTest test;
  const MqueueDescriptor queue = test.make("q");
  test.add("mq_send@2=err(ENOMEM)");
  CHECK(sys_mq_timedsend(test.task, queue, "one", 3, 1, nullptr) == 0);
  CHECK(sys_mq_timedsend(test.task, queue, "two", 3, 1, nullptr) == -ENOMEM);
  CHECK(sys_mq_timedsend(test.task, queue, "three", 5, 1, nullptr) == 0);
  test.clear();
  CHECK(MqTest::receive(test.task, queue).text == "one");
  CHECK(MqTest::receive(test.task, queue).text == "three");
  test.close(queue);
  test.unlink("q");
}

TEST_CASE("predicates about queues", "[fault_mqueue]") {
  MqFaultTest test;
  const MqueueDescriptor queue = test.make("work-7", 10, 100, O_NONBLOCK);
  const auto fails = [&](const std::string& predicate) {
    test.add("x: mq_send[" + predicate + "]=err(ENOMEM)");
    const bool is_failure = sys_mq_timedsend(test.task, queue, "text", 4, 3, nullptr) == -ENOMEM;
    REQUIRE(remove_fault_rule(test.task, "x") == 0);
    return is_failure;
  };
  CHECK(fails("name=/work-7"));
  CHECK(fails("name=/work-*"));
  CHECK_FALSE(fails("name=/work"));
  CHECK(fails("prio=3"));
  CHECK_FALSE(fails("prio>3"));
  CHECK(fails("size=4"));
  CHECK(fails("flag:O_NONBLOCK"));
  CHECK(fails("depth=2"));
  CHECK_FALSE(fails("depth>3"));
  test.add("mq_open[name=/other]=err(EMFILE)");
  MqueueDescriptor other;
  CHECK(test.open(test.task, "work-7", O_RDONLY, 0, 0, &other) >= 0);
  test.close(other);
  CHECK(test.open(test.task, "other", O_RDWR | O_CREAT, 0, 0, &other) == -EMFILE);
  test.clear();
  test.close(queue);
  test.unlink("work-7");
}

TEST_CASE("queues that are full or empty for an instant, and for good", "[fault_mqueue]") {
  MqFaultTest test;
  const MqueueDescriptor queue = test.make("q", 2);
  const struct timespec late = in_ms(3600 * 1000);
  test.add("mq_receive=eintr");
  CHECK(MqTest::receive(test.task, queue).result == -EINTR);
  test.clear();
  test.add("mq_timedreceive=err(ETIMEDOUT)");
  char text[100];
  CHECK(sys_mq_timedreceive(test.task, queue, text, sizeof text, nullptr, &late) == -ETIMEDOUT);
  test.clear();
  test.add("mq_timedsend=full->timeout");
  CHECK(sys_mq_timedsend(test.task, queue, "x", 1, 0, &late) == -ETIMEDOUT);
  test.clear();
  test.add("mq_send=full->eintr");
  CHECK(sys_mq_timedsend(test.task, queue, "x", 1, 0, nullptr) == -EINTR);
  test.clear();
  CHECK(sys_mq_timedsend(test.task, queue, "x", 1, 0, nullptr) == 0);
  REQUIRE(sys_mq_set_nonblocking(test.task, queue, true) == 0);
  test.add("mq_receive=err(EAGAIN)");
  CHECK(MqTest::receive(test.task, queue).result == -EAGAIN);
  test.clear();
  CHECK(MqTest::receive(test.task, queue).text == "x");
  test.close(queue);
  test.unlink("q");
}

TEST_CASE("names that are taken away, or taken", "[fault_mqueue]") {
  MqFaultTest test;
  const MqueueDescriptor queue = test.make("q");
  test.add("mq_send@1=rmid(before)");
  CHECK(sys_mq_timedsend(test.task, queue, "x", 1, 0, nullptr) == 0);
  CHECK(sys_mq_unlink(test.task, "q") == -ENOENT);
  test.clear();
  test.close(queue);
  MqueueDescriptor opened;
  test.add("mq_open=err(EEXIST)");
  CHECK(test.open(test.task, "new", O_RDWR | O_CREAT | O_EXCL, 0, 0, &opened) == -EEXIST);
  test.clear();
  const MqueueDescriptor second = test.make("second");
  test.add("mq_open=err(ENOENT)");
  CHECK(test.open(test.task, "second", O_RDWR, 0, 0, &opened) == -ENOENT);
  // It is true: nobody finds it any more.
  test.clear();
  CHECK(test.open(test.task, "second", O_RDWR, 0, 0, &opened) == -ENOENT);
  test.close(second);
}

TEST_CASE("a queue that has lost its name takes no other's away", "[fault_mqueue]") {
  MqFaultTest test;
  const MqueueDescriptor old = test.make("q");
  test.unlink("q");
  const MqueueDescriptor fresh = test.make("q");
  const FaultRec& rec = test.add("mq_send=rmid(before)");
  CHECK(sys_mq_timedsend(test.task, old, "x", 1, 0, nullptr) == 0);
  CHECK(rec.refused == 1);
  test.clear();
  test.unlink("q");
  test.close(old);
  test.close(fresh);
}

TEST_CASE("queues_max holds for those who must heed it", "[fault_mqueue]") {
  MqFaultTest test;
  const FaultRec& rec = test.add("mq_open=err(ENOSPC)");
  const MqueueDescriptor queue = test.make("q");
  CHECK(rec.refused == 1);
  Worker other(test.cell, user(1000, 1000));
  MqueueDescriptor opened;
  CHECK(other.run([&](Task& own) {
    test.give_folder(own);
    return test.open(own, "mine", O_RDWR | O_CREAT, 0, 0, &opened);
  }) == -ENOSPC);
  test.clear();
  test.close(queue);
  test.unlink("q");
}

TEST_CASE("messages that are lost, doubled and changed on request", "[fault_mqueue]") {
  MqFaultTest test;
  const MqueueDescriptor queue = test.make("q");
  test.add("mq_send@1=unsafe.drop", true);
  CHECK(sys_mq_timedsend(test.task, queue, "lost", 4, 0, nullptr) == 0);
  test.clear();
  test.add("mq_send@1=unsafe.dup", true);
  CHECK(sys_mq_timedsend(test.task, queue, "two", 3, 0, nullptr) == 0);
  test.clear();
  test.add("mq_send@1=unsafe.corrupt", true);
  CHECK(sys_mq_timedsend(test.task, queue, "abc", 3, 0, nullptr) == 0);
  test.clear();
  CHECK(MqTest::receive(test.task, queue).text == "two");
  CHECK(MqTest::receive(test.task, queue).text == "two");
  CHECK(MqTest::receive(test.task, queue).text ==
        std::string(1, static_cast<char>('a' ^ 0xff)) + "bc");
  test.close(queue);
  test.unlink("q");
}

}  // namespace ipcell
