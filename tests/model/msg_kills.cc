// Processes send, receive and make and remove queues, and at any moment one of them is killed and
// another takes its place. In the end of each killed one at most the message that it was sending or
// receiving is in doubt; all others have come once, in order, and nothing has leaked.
//
//   msg_kills [--seed N] [--count KILLS_OF_EACH_KIND]
#include <cerrno>
#include <cstdio>
#include <deque>
#include <memory>

#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "core/ipc/msg.h"
#include "core/syscalls.h"
#include "tests/model/aftermath.h"
#include "tests/model/options.h"
#include "tests/model/traffic.h"
#include "tests/unit/fixture.h"

namespace ipcell::model {

namespace {

// There is always a receiver that waits at each of the two queues.
enum class Role { Sender, FirstReceiver, SecondReceiver, Churner };
constexpr Role kRoles[] = {Role::Sender,        Role::Sender,         Role::Sender,
                           Role::FirstReceiver, Role::SecondReceiver, Role::Churner};
bool is_receiver(Role role) { return role == Role::FirstReceiver || role == Role::SecondReceiver; }

constexpr u32 kMostProcesses = 2048;
constexpr u32 kMostLetters = 4096;  // of one sender

// What the processes write down, each for itself; it outlives them.
struct Ledger {
  u32 is_over;  // 1: senders and churners end
  u32 errors;
  struct Sender {
    u32 started;   // number of the letter that it is sending, or sent last
    u32 finished;  // number of the letter that it has sent last
    u8 received[kMostLetters];
  } senders[kMostProcesses];
};

class Mayhem {
 public:
  Mayhem(const Options& options, bool are_receivers_safe)
      : options_(options), are_receivers_safe_(are_receivers_safe), random_(options.seed),
        task_(cell_) {
    cell_.header().limits.msgmax = 16384;
    for (int& id : ids_) id = static_cast<int>(sys_msgget(task_, IPC_PRIVATE, 0666));
  }

  int run() {
    for (Role role : kRoles) processes_.push_back(begin(role));
    for (u64 kills = 0; kills < options_.count && ledger_->errors == 0; ++kills) {
      usleep(static_cast<useconds_t>(random_.below(3000)));
      Process& victim = processes_[random_.below(processes_.size())];
      if (are_receivers_safe_ && is_receiver(victim.role)) continue;
      victim.child->kill();
      if (is_receiver(victim.role)) ++killed_receivers_;
      victim = begin(victim.role);
    }
    wind_down();
    settle_accounts();
    if (const char* trouble = find_trouble(task_)) complain(trouble, 0);
    std::printf("%u processes, %llu letters received, %llu lost with killed receivers\n",
                next_process_, static_cast<unsigned long long>(received_),
                static_cast<unsigned long long>(lost_));
    return ledger_->errors == 0 ? 0 : 1;
  }

 private:
  struct Process {
    Role role;
    std::unique_ptr<test::Child> child;
  };

  void complain(const char* what, long value) {
    if (__atomic_fetch_add(&ledger_->errors, 1, __ATOMIC_ACQ_REL) < 10) {
      std::fprintf(stderr, "msg_kills: %s (%ld)\n", what, value);
    }
  }

  Process begin(Role role) {
    const u32 number = next_process_++;
    return {role, std::make_unique<test::Child>([this, role, number] {
              test::TestTask task(cell_);
              Random random(options_.seed + number);
              if (role == Role::Sender) send_until_over(task, random, number);
              if (role == Role::FirstReceiver) receive_until_removed(task, random, 0);
              if (role == Role::SecondReceiver) receive_until_removed(task, random, 1);
              if (role == Role::Churner) churn_until_over(task, random);
              return 0;
            })};
  }

  bool is_over() const { return load_acquire(ledger_->is_over) != 0; }

  void send_until_over(Task& task, Random& random, u32 own_number) {
    Ledger::Sender& ledger = ledger_->senders[own_number];
    for (u32 number = 1; number < kMostLetters && !is_over(); ++number) {
      const Letter letter = {own_number, number, 1 + static_cast<long>(random.below(3))};
      const std::size_t size = random.one_in(10) ? random.below(kLongestLetter) : random.below(500);
      store_release(ledger.started, number);
      const long result = send_letter(task, ids_[random.below(2)], letter, size, 0);
      if (result != 0) return complain("msgsnd failed", result);
      store_release(ledger.finished, number);
    }
    // It has sent what it may: it waits to be killed.
    while (!is_over()) usleep(1000);
  }

  void receive_until_removed(Task& task, Random& random, int own_queue) {
    Order orders[2];
    for (;;) {
      Letter letter;
      int queue = 1 - own_queue;
      long result =
          random.one_in(4) ? receive_letter(task, ids_[queue], 0, IPC_NOWAIT, &letter) : -ENOMSG;
      if (result == -ENOMSG) {
        queue = own_queue;
        result = receive_letter(task, ids_[queue], random.one_in(2) ? 0 : -3, 0, &letter);
      }
      if (result == -EIDRM || result == -EINVAL) return;
      if (result < 0) return complain("msgrcv failed", result);
      if (letter.sender >= kMostProcesses || letter.number >= kMostLetters)
        return complain("a strange letter", 0);
      __atomic_fetch_add(&ledger_->senders[letter.sender].received[letter.number], 1,
                         __ATOMIC_ACQ_REL);
      if (!is_letter_sound()) return complain("a letter is damaged", result);
      if (!orders[queue].accept(letter)) complain("letters came out of order", letter.number);
    }
  }

  // Queues by key, with messages in them, changed and removed.
  void churn_until_over(Task& task, Random& random) {
    while (!is_over()) {
      const long id = sys_msgget(task, static_cast<int>(1 + random.below(4)), IPC_CREAT | 0666);
      if (id < 0) return complain("msgget failed", id);
      const int queue = static_cast<int>(id);
      for (u64 n = random.below(4); n > 0; --n)
        send_letter(task, queue, {0, 0, 1}, random.below(9000), IPC_NOWAIT);
      struct msqid_ds info;
      if (sys_msgctl(task, queue, IPC_STAT, &info) == 0 && random.one_in(2)) {
        info.msg_qbytes = random.below(16384);
        sys_msgctl(task, queue, IPC_SET, &info);
      }
      Letter letter;
      const long result = receive_letter(task, queue, 0, IPC_NOWAIT, &letter);
      if (result >= 0 && !is_letter_sound()) return complain("a letter is damaged", result);
      if (random.one_in(3)) sys_msgctl(task, queue, IPC_RMID, nullptr);
    }
  }

  // Lets senders end and receivers take what is left.
  void wind_down() {
    store_release(ledger_->is_over, 1);
    for (Process& process : processes_) {
      if (!is_receiver(process.role) && process.child->wait() != 0) complain("a process failed", 0);
    }
    for (int id : ids_) {
      test::wait_until([&] {
        Letter letter;
        // The receivers may be waiting at the other queue.
        const long result = receive_letter(task_, id, 0, IPC_NOWAIT, &letter);
        if (result >= 0) ++ledger_->senders[letter.sender].received[letter.number];
        return result == -ENOMSG || ledger_->errors != 0;
      });
      sys_msgctl(task_, id, IPC_RMID, nullptr);
    }
    for (Process& process : processes_) {
      if (is_receiver(process.role) && process.child->wait() != 0) complain("a process failed", 0);
    }
  }

  void settle_accounts() {
    for (u32 number = 0; number < next_process_; ++number) {
      const Ledger::Sender& sender = ledger_->senders[number];
      for (u32 letter = 1; letter < kMostLetters; ++letter) {
        const u32 times = sender.received[letter];
        received_ += times;
        if (times > 1) complain("a letter came twice", letter);
        if (times != 0 && letter > sender.started)
          complain("a letter came that nobody sent", letter);
        if (times == 0 && letter <= sender.finished) ++lost_;
      }
    }
    // Each killed receiver may have had one letter that it did not write down.
    if (lost_ > killed_receivers_)
      complain("letters are lost", static_cast<long>(lost_ - killed_receivers_));
  }

  const Options options_;
  const bool are_receivers_safe_;
  Random random_;
  test::TestCell cell_;
  test::TestTask task_;
  test::Shared<Ledger> ledger_;
  int ids_[2] = {};
  std::deque<Process> processes_;
  u32 next_process_ = 0;
  u64 killed_receivers_ = 0, received_ = 0, lost_ = 0;
};

}  // namespace

}  // namespace ipcell::model

int main(int argc, char** argv) {
  using namespace ipcell::model;
  Options options = read_options(argc, argv, 400);
  if (options.count > kMostProcesses - 16) options.count = kMostProcesses - 16;
  // If no receiver is killed not one letter may be missing.
  for (bool are_receivers_safe : {true, false}) {
    if (const int status = Mayhem(options, are_receivers_safe).run()) return status;
  }
  return 0;
}
