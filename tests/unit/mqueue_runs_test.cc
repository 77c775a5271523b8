// The order of messages, and the tree that keeps it.
#include "core/ipc/mqueue.h"

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "tests/unit/mqueue_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// The order that the kernel keeps, at its simplest.
class Model {
 public:
  void send(u32 priority, std::string text) { runs_[priority].push_back(std::move(text)); }
  bool is_empty() const { return runs_.empty(); }
  std::pair<u32, std::string> receive() {
    const auto highest = std::prev(runs_.end());
    std::pair<u32, std::string> message = {highest->first, highest->second.front()};
    highest->second.pop_front();
    if (highest->second.empty()) runs_.erase(highest);
    return message;
  }

 private:
  std::map<u32, std::deque<std::string>> runs_;
};

class RunsTest : public MqTest {
 public:
  RunsTest(long most) : queue(make("q", most, 8)) {}

  void send_next(u32 priority) {
    const std::string text = std::to_string(++sent_);
    REQUIRE(send(queue, text, priority) == 0);
    model_.send(priority, text);
  }
  void receive_next() {
    const auto [priority, text] = model_.receive();
    const MqReceived received = receive(task, queue);
    REQUIRE(received.text == text);
    REQUIRE(received.priority == priority);
  }
  void drain() {
    while (!model_.is_empty()) receive_next();
    REQUIRE(messages(queue) == 0);
    REQUIRE(record(queue).runs == 0);
  }
  bool is_empty() const { return model_.is_empty(); }

  MqueueDescriptor queue;

 private:
  Model model_;
  u32 sent_ = 0;
};

}  // namespace

TEST_CASE("messages come by priority and then by age", "[mqueue_runs]") {
  const u32 seed = std::random_device()();
  INFO("seed " << seed);
  std::minstd_rand random(seed);
  RunsTest test(300);
  constexpr u32 kEnds[] = {0, 1, 2, 16383, 16384, 16385, 32766, 32767};
  for (const u32 range : {2u, 8u, 100u, 32768u}) {
    for (int n = 0; n < 2000; ++n) {
      const bool sends =
          test.is_empty() || (random() % 100 < 55 && test.messages(test.queue) < 300);
      const u32 priority = random() % 4 == 0 ? kEnds[random() % std::size(kEnds)]
                                             : static_cast<u32>(random() % range);
      if (sends) {
        test.send_next(priority);
      } else {
        test.receive_next();
      }
      if (n % 100 == 0) REQUIRE(test.violation() == "");
    }
    test.drain();
  }
  REQUIRE(test.violation() == "");
}

TEST_CASE("a queue of 65,536 messages of all priorities", "[mqueue_runs]") {
  RunsTest test(65536);
  std::vector<u32> priorities;
  for (u32 n = 0; n < 65536; ++n) priorities.push_back(n % kMqPriorities);
  std::shuffle(priorities.begin(), priorities.end(), std::minstd_rand(7));
  for (const u32 priority : priorities) test.send_next(priority);
  const struct timespec past = {0, 0};
  CHECK(MqTest::send(test.task, test.queue, "x", 0, &past) == -ETIMEDOUT);
  CHECK(test.violation() == "");
  for (int n = 0; n < 30000; ++n) test.receive_next();
  CHECK(test.violation() == "");
  test.drain();
  CHECK(test.violation() == "");
}

TEST_CASE("the tree is never deeper than a priority has bits", "[mqueue_runs]") {
  RunsTest test(2000);
  SECTION("rising") {
    for (u32 n = 0; n < 1000; ++n) test.send_next(n * 32);
  }
  SECTION("falling") {
    for (u32 n = 1000; n > 0; --n) test.send_next(n * 32);
  }
  SECTION("each shares one bit more with the one before") {
    for (u32 bit = 0; bit <= kMqPriorityBits; ++bit) test.send_next((32767u << bit) & 32767u);
    for (u32 bit = 0; bit <= kMqPriorityBits; ++bit) test.send_next(32767u >> bit);
  }
  SECTION("all neighbours") {
    for (u32 n = 0; n < 2000; ++n) test.send_next(n);
  }
  CHECK(test.violation() == "");
  test.drain();
  CHECK(test.violation() == "");
}

TEST_CASE("runs are given back", "[mqueue_runs]") {
  MqTest test;
  const u64 before = test.blocks();
  for (int round = 0; round < 3; ++round) {
    const MqueueDescriptor queue = test.make("q", 1000, 8);
    for (u32 n = 0; n < 1000; ++n) REQUIRE(test.send(queue, "x", n * 31 % 32768) == 0);
    CHECK(test.violation() == "");
    test.close(queue);
    test.unlink("q");
    CHECK(test.blocks() == before);
  }
  test.expect_nothing_left();
}

}  // namespace ipcell
