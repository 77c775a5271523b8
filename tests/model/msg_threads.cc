// Threads of one process send and receive, blocked most of the time. In the end each letter has
// come once, from each sender in order, and nothing has leaked. Also meant to be run with
// -fsanitize=thread.
//
//   msg_threads [--seed N] [--count LETTERS_OF_A_SENDER]
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <vector>

#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/syscalls.h"
#include "tests/model/aftermath.h"
#include "tests/model/options.h"
#include "tests/model/traffic.h"
#include "tests/unit/fixture.h"

namespace ipcell::model {

namespace {

constexpr u32 kSenders = 4;
// Of two queues: three that each wait for a type of their own, three that take what comes, one that
// prefers low types.
constexpr int kReceivers = 7;
constexpr long kTypes = 3;

class Exchange {
 public:
  explicit Exchange(const Options& options)
      : options_(options), main_(cell_), seen_(kSenders * (options.count + 1)) {
    cell_.header().limits.msgmax = 16384;
    for (int& id : ids_) id = static_cast<int>(sys_msgget(main_, IPC_PRIVATE, 0600));
  }

  int run() {
    std::vector<std::thread> senders, receivers;
    for (int n = 0; n < kReceivers; ++n) receivers.emplace_back([this, n] { receive_all(n); });
    for (u32 n = 0; n < kSenders; ++n) senders.emplace_back([this, n] { send_all(n); });
    for (std::thread& sender : senders) sender.join();
    test::wait_until([&] { return received_ == kSenders * options_.count || errors_ != 0; });
    for (int id : ids_) sys_msgctl(main_, id, IPC_RMID, nullptr);
    for (std::thread& receiver : receivers) receiver.join();
    for (u32 sender = 0; sender < kSenders; ++sender) {
      for (u32 number = 1; number <= options_.count; ++number) {
        if (seen(sender, number) != 1) complain("a letter came not once", seen(sender, number));
      }
    }
    if (const char* trouble = find_trouble(main_)) complain(trouble, 0);
    return errors_ == 0 ? 0 : 1;
  }

 private:
  void complain(const char* what, long value) {
    if (errors_++ < 10) std::fprintf(stderr, "msg_threads: %s (%ld)\n", what, value);
  }
  std::atomic<u8>& seen(u32 sender, u32 number) {
    return seen_[sender * (options_.count + 1) + number];
  }

  void send_all(u32 sender) {
    test::TestTask task(cell_);
    Random random(options_.seed + sender);
    for (u32 number = 1; number <= options_.count; ++number) {
      const Letter letter = {sender, number, 1 + static_cast<long>(random.below(kTypes))};
      const std::size_t size = random.one_in(10) ? random.below(kLongestLetter) : random.below(500);
      const int id = ids_[random.below(2)];
      long result = -EAGAIN;
      if (random.one_in(8)) result = send_letter(task, id, letter, size, IPC_NOWAIT);
      if (result == -EAGAIN) result = send_letter(task, id, letter, size, 0);
      if (result != 0) return complain("msgsnd failed", result);
    }
  }

  void receive_all(int place) {
    test::TestTask task(cell_);
    const long type = place < kTypes ? place + 1 : place == kReceivers - 1 ? -kTypes : 0;
    const int id = ids_[place < kTypes ? 0 : 1];
    Order order;
    for (;;) {
      Letter letter;
      const long result = receive_letter(task, id, type, 0, &letter);
      // The queue's end.
      if (result == -EIDRM || result == -EINVAL) return;
      if (result < 0) return complain("msgrcv failed", result);
      if (!is_letter_sound()) return complain("a letter is damaged", result);
      if (letter.sender >= kSenders || letter.number > options_.count)
        return complain("a strange letter", 0);
      if (type > 0 && letter.type != type) complain("a letter of another type", letter.type);
      if (!order.accept(letter)) complain("letters came out of order", letter.number);
      ++seen(letter.sender, letter.number);
      ++received_;
    }
  }

  const Options options_;
  test::TestCell cell_;
  test::TestTask main_;
  int ids_[2] = {};
  std::vector<std::atomic<u8>> seen_;
  std::atomic<u64> received_{0};
  std::atomic<int> errors_{0};
};

}  // namespace

}  // namespace ipcell::model

int main(int argc, char** argv) {
  using namespace ipcell::model;
  return Exchange(read_options(argc, argv, 20000)).run();
}
