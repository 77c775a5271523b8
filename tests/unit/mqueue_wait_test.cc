// Sleepers at POSIX queues, who is told of messages, and what poll(2) sees.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <atomic>

#include "tests/unit/mqueue_fixture.h"

namespace ipcell {

namespace {

using namespace test;

int nice_thread(int value) { return setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), value); }

}  // namespace

// --------------------------------------------------------------------------- sleepers

TEST_CASE("receivers are served by their scheduling priority", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  const auto receiver = [&](int value) {
    return [&, value](Task& own) {
      nice_thread(value);
      const MqReceived received = MqTest::receive(own, queue);
      return received.text.empty() ? -1L : static_cast<long>(received.text[0]);
    };
  };
  Sleeper fifth(test.cell, receiver(19)), third(test.cell, receiver(5)),
      first(test.cell, receiver(0)), fourth(test.cell, receiver(5)), second(test.cell, receiver(0));
  CHECK(test.violation() == "");
  Sleeper* const order[] = {&first, &second, &third, &fourth, &fifth};
  long text = 'a';
  for (Sleeper* sleeper : order) {
    REQUIRE(test.send(queue, std::string(1, static_cast<char>(text))) == 0);
    CHECK(sleeper->result() == text);
    CHECK(test.messages(queue) == 0);
    ++text;
  }
  CHECK(test.violation() == "");
}

TEST_CASE("senders are admitted by their scheduling priority", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 1);
  REQUIRE(test.send(queue, "full", 7) == 0);
  const auto sender = [&](int value, const char* text, u32 priority) {
    return [&, value, text, priority](Task& own) {
      nice_thread(value);
      return MqTest::send(own, queue, text, priority);
    };
  };
  Sleeper last(test.cell, sender(10, "last", 9)), first(test.cell, sender(0, "first", 1));
  CHECK(test.violation() == "");
  CHECK(test.next(queue) == "full");
  CHECK(first.result() == 0);
  CHECK(test.messages(queue) == 1);
  CHECK(test.next(queue) == "first");
  CHECK(last.result() == 0);
  CHECK(test.next(queue) == "last");
  CHECK(test.violation() == "");
}

TEST_CASE("a sender is admitted with a priority of its own", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 2);
  REQUIRE(test.send(queue, "a", 5) == 0);
  REQUIRE(test.send(queue, "b", 5) == 0);
  const u32 priority = GENERATE(0u, 5u, 9u);
  Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::send(own, queue, "new", priority); });
  CHECK(test.next(queue) == "a");
  CHECK(sleeper.result() == 0);
  CHECK(test.violation() == "");
  CHECK(test.next(queue) == (priority > 5 ? "new" : "b"));
  CHECK(test.next(queue) == (priority > 5 ? "b" : "new"));
}

TEST_CASE("deadlines of a send and a receive", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 1);
  const struct timespec past = {1, 0};
  const struct timespec wrong[] = {{-1, 0}, {5, -1}, {5, 1000000000}};
  for (const struct timespec& deadline : wrong) {
    CHECK(MqTest::receive(test.task, queue, &deadline).result == -EINVAL);
    CHECK(MqTest::send(test.task, queue, "x", 0, &deadline) == -EINVAL);
  }
  CHECK(MqTest::receive(test.task, queue, &past).result == -ETIMEDOUT);
  CHECK(MqTest::send(test.task, queue, "x", 0, &past) == 0);
  CHECK(MqTest::send(test.task, queue, "y", 0, &past) == -ETIMEDOUT);
  const u64 blocks = test.blocks();
  const struct timespec soon = in_ms(30);
  CHECK(MqTest::send(test.task, queue, std::string(100, 'y'), 9, &soon) == -ETIMEDOUT);
  CHECK(in_ms(0).tv_nsec + in_ms(0).tv_sec * 1000000000 >= soon.tv_nsec + soon.tv_sec * 1000000000);
  CHECK(test.blocks() == blocks);
  CHECK(MqTest::receive(test.task, queue, &past).text == "x");
  const struct timespec later = in_ms(30), far = {0x7fffffffffffffff, 0};
  CHECK(MqTest::receive(test.task, queue, &later).result == -ETIMEDOUT);
  CHECK(test.violation() == "");
  Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::receive(own, queue, &far).result; });
  CHECK(test.send(queue, "abc") == 0);
  CHECK(sleeper.result() == 3);
}

TEST_CASE("the dead are passed over and reaped", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 1);
  const u64 blocks = test.blocks();
  kill_asleep(test.cell, [&](Task& own) { return MqTest::receive(own, queue).result; });
  CHECK(test.send(queue, "x") == 0);
  CHECK(test.violation() == "");
  kill_asleep(test.cell, [&](Task& own) { return MqTest::send(own, queue, "dead", 9); });
  Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::send(own, queue, "alive", 1); });
  CHECK(test.next(queue) == "x");
  CHECK(sleeper.result() == 0);
  CHECK(test.next(queue) == "alive");
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
  CHECK(test.blocks() == blocks);
}

// --------------------------------------------------------------------------- who is told

namespace {

struct sigevent event_of(int how, int value = 0) {
  struct sigevent event = {};
  event.sigev_notify = how;
  event.sigev_signo = SIGUSR1;
  event.sigev_value.sival_int = value;
  return event;
}

// SIGUSR1 is blocked while it lives, and waited for.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set_, &old_);
  }
  ~Signals() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }
  // The value that came with the next one; -1 if there is none.
  int next() {
    const struct timespec at_once = {0, 0};
    siginfo_t info = {};
    if (sigtimedwait(&set_, &info, &at_once) != SIGUSR1) return -1;
    CHECK(info.si_code == SI_MESGQ);
    CHECK(info.si_pid == getpid());
    return info.si_value.sival_int;
  }

 private:
  sigset_t set_, old_;
};

}  // namespace

TEST_CASE("a registration tells once of a message in the empty queue", "[mqueue_wait]") {
  Signals signals;
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  struct sigevent event = event_of(SIGEV_SIGNAL, 42);
  CHECK(sys_mq_notify(test.task, queue, &event) == 0);
  CHECK(sys_mq_notify(test.task, queue, &event) == -EBUSY);
  CHECK(test.violation() == "");
  CHECK(test.send(queue, "x") == 0);
  CHECK(signals.next() == 42);
  CHECK(signals.next() == -1);
  CHECK(test.record(queue).notify.kind == MqNotifyKind::None);
  // Not of one in a queue that has some; nor if a receiver waits.
  CHECK(sys_mq_notify(test.task, queue, &event) == 0);
  CHECK(test.send(queue, "y") == 0);
  CHECK(signals.next() == -1);
  CHECK(test.next(queue) == "x");
  CHECK(test.next(queue) == "y");
  Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::receive(own, queue).result; });
  CHECK(test.send(queue, "z") == 0);
  CHECK(sleeper.result() == 1);
  CHECK(signals.next() == -1);
  CHECK(test.send(queue, "z") == 0);
  CHECK(signals.next() == 42);
}

TEST_CASE("registrations are taken away", "[mqueue_wait]") {
  Signals signals;
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  CHECK(sys_mq_notify(test.task, queue, nullptr) == 0);
  struct sigevent event = event_of(SIGEV_SIGNAL);
  event.sigev_signo = 65;
  CHECK(sys_mq_notify(test.task, queue, &event) == -EINVAL);
  event = event_of(17);
  CHECK(sys_mq_notify(test.task, queue, &event) == -EINVAL);
  event = event_of(SIGEV_NONE);
  CHECK(sys_mq_notify(test.task, queue, &event) == 0);
  CHECK(sys_mq_notify(test.task, queue, nullptr) == 0);
  event = event_of(SIGEV_SIGNAL, 1);
  CHECK(sys_mq_notify(test.task, queue, &event) == 0);
  sys_mq_flush(test.task, queue.queue, queue.serial + 1);
  CHECK(sys_mq_notify(test.task, queue, &event) == -EBUSY);
  sys_mq_flush(test.task, queue.queue, queue.serial);
  CHECK(test.send(queue, "x") == 0);
  CHECK(signals.next() == -1);
}

TEST_CASE("another process's registration ends with it", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  struct sigevent event = event_of(SIGEV_NONE);
  Process other(test.cell, [&](Task& own) { return sys_mq_notify(own, queue, &event) == 0; });
  CHECK(sys_mq_notify(test.task, queue, &event) == -EBUSY);
  // What one process takes away is its own.
  CHECK(sys_mq_notify(test.task, queue, nullptr) == 0);
  CHECK(sys_mq_notify(test.task, queue, &event) == -EBUSY);
  other.kill();
  CHECK(sys_mq_notify(test.task, queue, &event) == 0);
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
}

TEST_CASE("a thread waits to be told", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  std::atomic<long> reported{99};
  const auto wait_to_be_told = [&](Task& own) {
    return sys_mq_notify_thread(
        own, queue,
        [](void* context, long error) { static_cast<std::atomic<long>*>(context)->store(error); },
        &reported);
  };
  {
    Sleeper sleeper(test.cell, wait_to_be_told);
    CHECK(test.violation() == "");
    struct sigevent event = event_of(SIGEV_NONE);
    CHECK(sys_mq_notify(test.task, queue, &event) == -EBUSY);
    CHECK(test.send(queue, "x") == 0);
    CHECK(sleeper.result() == 1);
    CHECK(reported == 0);
  }
  Sleeper sleeper(test.cell, wait_to_be_told);
  CHECK(sys_mq_notify(test.task, queue, nullptr) == 0);
  CHECK(sleeper.result() == 0);
  const u32 dead = kill_asleep(test.cell, wait_to_be_told);
  CHECK(test.record(queue).notify.witness == dead);
  reap_dead_tasks(test.task);
  CHECK(test.record(queue).notify.kind == MqNotifyKind::None);
  CHECK(test.violation() == "");
}

// --------------------------------------------------------------------------- poll(2)

namespace {

short polled(const MqueueDescriptor& queue) {
  struct pollfd entry = {queue.fd, POLLIN | POLLOUT, 0};
  poll(&entry, 1, 0);
  return entry.revents;
}

// What the kernel would tell: Linux: ipc/mqueue.c:mqueue_poll_file()
short possible(MqTest& test, const MqueueDescriptor& queue, long most) {
  const long messages = test.messages(queue);
  return static_cast<short>((messages != 0 ? POLLIN : 0) | (messages < most ? POLLOUT : 0));
}

}  // namespace

TEST_CASE("poll(2) sees what is possible while the queue is watched", "[mqueue_wait]") {
  const long most = GENERATE(1L, 2L, 10L);
  MqTest test;
  const MqueueDescriptor queue = test.make("q", most);
  for (int round = 0; round < 3; ++round) {
    REQUIRE(sys_mq_watch(test.task, queue, MqueueWatch::Call) == 0);
    for (long n = 0; n < most; ++n) {
      CHECK(test.send(queue, "x", static_cast<u32>(n)) == 0);
      CHECK(polled(queue) == possible(test, queue, most));
    }
    {
      // A sender takes the place of what is received.
      Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::send(own, queue, "y"); });
      CHECK(polled(queue) == POLLIN);
      CHECK(test.next(queue) == "x");
      CHECK(sleeper.result() == 0);
      CHECK(polled(queue) == POLLIN);
    }
    for (long n = 0; n < most; ++n) {
      CHECK(test.next(queue) != "");
      CHECK(polled(queue) == possible(test, queue, most));
    }
    // A message that is handed over is never there.
    Sleeper sleeper(test.cell, [&](Task& own) { return MqTest::receive(own, queue).result; });
    CHECK(test.send(queue, "z") == 0);
    CHECK(sleeper.result() == 1);
    CHECK(polled(queue) == POLLOUT);
    sys_mq_unwatch(test.task);
    // Nobody keeps it up meanwhile, and who watches again sees it.
    if (round == 1) CHECK(test.send(queue, "w") == 0);
    REQUIRE(sys_mq_watch(test.task, queue, MqueueWatch::Call) == 0);
    CHECK(polled(queue) == possible(test, queue, most));
    if (round == 1) CHECK(test.next(queue) == "w");
    sys_mq_unwatch(test.task);
    CHECK(test.violation() == "");
  }
}

TEST_CASE("each change is an edge for epoll", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q", 3);
  const int instance = epoll_create1(0);
  struct epoll_event event = {};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  REQUIRE(epoll_ctl(instance, EPOLL_CTL_ADD, queue.fd, &event) == 0);
  REQUIRE(sys_mq_watch(test.task, queue, MqueueWatch::Edges) == 0);
  const auto edges = [&] {
    struct epoll_event found = {};
    const int count = epoll_wait(instance, &found, 1, 0);
    return count == 1 ? found.events : 0u;
  };
  CHECK(edges() == 0u + EPOLLOUT);
  CHECK(edges() == 0u);
  for (long n = 1; n <= 3; ++n) {
    CHECK(test.send(queue, "x") == 0);
    CHECK(edges() == (n < 3 ? 0u + EPOLLIN + EPOLLOUT : 0u + EPOLLIN));
    CHECK(edges() == 0u);
    CHECK(polled(queue) == possible(test, queue, 3));
  }
  for (long n = 2; n >= 0; --n) {
    CHECK(test.next(queue) == "x");
    CHECK(edges() == (n > 0 ? 0u + EPOLLIN + EPOLLOUT : 0u + EPOLLOUT));
    CHECK(edges() == 0u);
    CHECK(polled(queue) == possible(test, queue, 3));
  }
  ::close(instance);
}

TEST_CASE("a poller's death gives back its watching", "[mqueue_wait]") {
  MqTest test;
  const MqueueDescriptor queue = test.make("q");
  {
    Process poller(test.cell, [&](Task& own) {
      return sys_mq_watch(own, queue, MqueueWatch::Call) == 0 &&
             sys_mq_watch(own, queue, MqueueWatch::Call) == 0;
    });
    CHECK((test.record(queue).watched & kWatchedPollers) == 2);
    CHECK(test.violation() == "");
    poller.kill();
  }
  reap_dead_tasks(test.task);
  CHECK(test.record(queue).watched == 0);
  CHECK(test.violation() == "");
  // So many at once; more stay watched for good.
  for (u32 n = 0; n < kPolledQueues + 1; ++n)
    REQUIRE(sys_mq_watch(test.task, queue, MqueueWatch::Call) == 0);
  CHECK(test.record(queue).watched == (kPolledQueues | kWatchedByEpoll));
  sys_mq_unwatch(test.task);
  CHECK(test.record(queue).watched == kWatchedByEpoll);
  CHECK(test.violation() == "");
}

}  // namespace ipcell
