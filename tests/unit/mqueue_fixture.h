// POSIX message queues in tests: short ways to the facade's calls.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>

#include "core/ipc/check.h"
#include "core/ipc/mqueue.h"
#include "core/syscalls.h"
#include "tests/unit/catch.h"
#include "tests/unit/faults.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

namespace ipcell::test {

// The realtime clock in so many milliseconds.
inline struct timespec in_ms(long ms) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_sec += ms / 1000;
  time.tv_nsec += ms % 1000 * 1000000;
  if (time.tv_nsec >= 1000000000) {
    time.tv_nsec -= 1000000000;
    ++time.tv_sec;
  }
  return time;
}

struct MqReceived {
  long result;
  u32 priority;
  std::string text;
};

// A cell with a folder for pipes, and a task that may do all.
class MqTest {
 public:
  MqTest() : folder(cell.file().substr(0, cell.file().rfind('/'))), task(cell, superuser()) {
    give_folder(task);
  }
  void give_folder(Task& own) const { own.folder = folder.c_str(); }

  long open(Task& own, const char* name, int flags, long messages, long size,
            MqueueDescriptor* opened, u32 mode = 0600) const {
    struct mq_attr shape = {};
    shape.mq_maxmsg = messages;
    shape.mq_msgsize = size;
    const MqueueOpen request = {name, flags, mode, messages != 0 ? &shape : nullptr, 0, ~0ull};
    return sys_mq_open(own, request, opened);
  }
  // A new queue of the test's own task.
  MqueueDescriptor make(const char* name, long messages = 10, long size = 100, int flags = 0) {
    MqueueDescriptor opened;
    REQUIRE(open(task, name, O_RDWR | O_CREAT | O_EXCL | flags, messages, size, &opened) >= 0);
    return opened;
  }
  void close(const MqueueDescriptor& descriptor) {
    ::close(descriptor.fd);
    sys_mq_closed(task);
  }
  void unlink(const char* name) { CHECK(sys_mq_unlink(task, name) == 0); }

  static long send(Task& own, const MqueueDescriptor& to, const std::string& text, u32 priority = 0,
                   const struct timespec* deadline = nullptr) {
    return sys_mq_timedsend(own, to, text.data(), text.size(), priority, deadline);
  }
  long send(const MqueueDescriptor& to, const std::string& text, u32 priority = 0) {
    return send(task, to, text, priority);
  }
  static MqReceived receive(Task& own, const MqueueDescriptor& from,
                            const struct timespec* deadline = nullptr) {
    std::string text(from.max_size, '?');
    MqReceived received = {};
    received.result =
        sys_mq_timedreceive(own, from, text.data(), text.size(), &received.priority, deadline);
    if (received.result >= 0) received.text = text.substr(0, static_cast<u64>(received.result));
    return received;
  }
  // The next message's text, without waiting; or "error N".
  std::string next(const MqueueDescriptor& from) {
    const struct timespec past = {0, 0};
    const MqReceived received = receive(task, from, &past);
    return received.result < 0 ? "error " + std::to_string(-received.result) : received.text;
  }
  long messages(const MqueueDescriptor& of) {
    struct mq_attr attributes = {};
    CHECK(sys_mq_getsetattr(task, of, nullptr, &attributes) == 0);
    return attributes.mq_curmsgs;
  }
  MqueueRec& record(const MqueueDescriptor& of) const { return *mqueue_at(cell, of.queue); }
  bool has_pipe(u64 serial) const {
    return access((folder + "/mq/" + std::to_string(serial)).c_str(), F_OK) == 0;
  }
  // What check_cell() finds; "": nothing.
  std::string violation() const {
    char text[300];
    const char* found = check_cell(cell, CheckMode::Quiescent, text, sizeof text);
    return found != nullptr ? found : "";
  }
  // Blocks that no list of free blocks holds.
  u64 blocks() const { return take_census(cell).total(); }
  void expect_nothing_left() const {
    CHECK(violation() == "");
    CHECK(blocks() == 0);
    CHECK(mqueue_table(cell).count == 0);
    CHECK(mqueue_table(cell).unlinked == 0);
  }

  FaultHandler faults;
  TestCell cell;
  std::string folder;
  TestTask task;
};

}  // namespace ipcell::test
