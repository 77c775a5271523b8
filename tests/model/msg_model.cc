// Random calls of the facade, each compared with the oracle's answer: results, contents,
// statistics, /proc text and, from time to time, the heap. One task, which changes its credentials;
// no call waits.
//
//   msg_model [--seed N] [--count OPERATIONS]
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <vector>

#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/ipc/msg.h"
#include "core/syscalls.h"
#include "tests/model/msg_oracle.h"
#include "tests/model/options.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

namespace ipcell::model {

namespace {

constexpr int kExcept = 020000, kCopy = 040000, kStatAny = 13;

// No call is to wait: one that does is interrupted, and gives a result that no oracle knows.
Task* the_task = nullptr;
int interrupt_sleep(u32&, u32, i64) {
  interrupt_wait(*the_task);
  return -EINTR;
}

// Who may call, in the oracle's words and the core's.
struct Person {
  Caller caller;
  std::vector<u32> groups;
  Cred cred;
};

class MsgModel {
 public:
  explicit MsgModel(std::uint64_t seed) : random_(seed), task_(cell_) {
    // Owner, one of the group, one of several groups, a stranger, and who may do anything.
    add_person({10, 20, {20}, {}}, {});
    add_person({11, 20, {20}, {}}, {});
    add_person({12, 21, {21, 20, 22}, {}}, {20, 22});
    add_person({13, 23, {23}, {}}, {});
    add_person({0, 0, {0}, {15, 21, 24}}, {});
    add_person({14, 24, {24}, {15}}, {});
    add_person({15, 25, {25}, {21}}, {});
    add_person({10, 26, {26}, {24}}, {});
    oracle_.pid = task_.identity.pid;
    test::test_seconds = oracle_.now;
    the_task = &task_;
    task_.sleep = interrupt_sleep;
    become(persons_.front());
  }

  void step() {
    ++steps_;
    if (random_.one_in(8)) become(persons_[random_.below(persons_.size())]);
    if (random_.one_in(4)) tick();
    if (random_.one_in(300)) change_limits();
    // Queues become many and few in turn, so that indexes are used again.
    const bool is_growing = steps_ / 2000 % 2 == 0;
    const std::uint64_t choice = random_.below(100);
    if (choice < (is_growing ? 8u : 4u)) return get();
    if (choice < (is_growing ? 10u : 14u)) return remove();
    if (choice < 18) return set();
    if (choice < 26) return stat();
    if (choice < 28) return info();
    if (choice < 64) return send();
    return receive();
  }

  // All that can be looked at.
  void compare_all() {
    const Caller& nobody = persons_.front().caller;
    for (const auto& [index, queue] : oracle_.queues()) compare_stat(nobody, queue.id, kStatAny);
    note("proc text");
    std::string text, buffer(300, '\0');
    u32 position = 0;
    while (const std::size_t size = sys_proc_msg(task_, &position, buffer.data(), buffer.size())) {
      text += buffer.substr(0, size);
    }
    if (text != oracle_.proc_text()) fail("the text of /proc differs");
    u64 pieces = 0;
    for (const auto& [index, queue] : oracle_.queues()) {
      for (const Message& message : queue.messages) pieces += pieces_of(message.text.size());
    }
    const test::HeapCensus census = test::take_census(cell_);
    if (!census.is_sound) fail("the heap is broken");
    if (census.total() != pieces + oracle_.queues().size()) fail("blocks of the heap have leaked");
    if (cell_.is_poisoned()) fail("the cell is poisoned");
  }

 private:
  [[noreturn]] void fail(const std::string& what) {
    std::string text = "step " + std::to_string(steps_) + ": " + what + "; the last calls:\n";
    for (const std::string& note : notes_) text += "  " + note + "\n";
    throw std::runtime_error(text);
  }

  __attribute__((format(printf, 2, 3))) void note(const char* format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    notes_.push_back(text);
    if (notes_.size() > 30) notes_.pop_front();
  }

  void expect(long wanted, long actual) {
    notes_.back() += " = " + std::to_string(actual);
    if (wanted != actual) fail("the oracle says " + std::to_string(wanted));
  }

  // --- the surroundings

  void add_person(const Caller& caller, const std::vector<u32>& more_groups) {
    Person& person = persons_.emplace_back();
    person.caller = caller;
    person.groups = more_groups;
    person.cred = test::user(caller.uid, caller.gid);
    person.cred.groups = person.groups.data();
    person.cred.group_count = static_cast<u32>(person.groups.size());
    for (int number : caller.capabilities) person.cred.capabilities |= 1ull << number;
  }

  void become(const Person& person) {
    caller_ = &person.caller;
    task_.cred = &person.cred;
  }

  void tick() {
    oracle_.now += static_cast<long>(random_.below(3));
    test::test_seconds = oracle_.now;
  }

  void change_limits() {
    Limits& limits = cell_.header().limits;
    const unsigned sizes[] = {0, 10, 8192, 8192, 8192, 8192, 30000, 30000};
    const unsigned numbers[] = {0, 3, 40, 32000, 32000, 32000, 32000, 40000};
    limits.msgmax = oracle_.msgmax = random_.pick(sizes);
    limits.msgmnb = oracle_.msgmnb = random_.pick(sizes) * 2;
    limits.msgmni = oracle_.msgmni = random_.pick(numbers);
    if (random_.one_in(4)) {
      const int ids[] = {
          0, 5, 32767, 32768 + 70, 65536 * 3, INT_MAX, static_cast<int>(random_.below(INT_MAX))};
      oracle_.next_id = random_.pick(ids);
      msg_registry(cell_).next_id = oracle_.next_id;
    }
    note("limits %u %u %u, next id %d", limits.msgmax, limits.msgmnb, limits.msgmni,
         oracle_.next_id);
  }

  // Mostly one that is there, often one of the lowest; else one that was, or never.
  int some_id() {
    if (oracle_.queues().empty() || random_.one_in(40)) {
      const int odd[] = {-1, INT_MIN, INT_MAX, 32768, static_cast<int>(random_.below(100))};
      return random_.pick(odd);
    }
    if (random_.one_in(12)) return ids_[ids_.size() - 1 - random_.below(ids_.size()) % 40];
    const std::size_t end = random_.one_in(2) ? oracle_.queues().size() : 3;
    const std::size_t place = random_.below(std::min(end, oracle_.queues().size()));
    return std::next(oracle_.queues().begin(), static_cast<std::ptrdiff_t>(place))->second.id;
  }

  int some_mode() {
    const int modes[] = {0666, 0666, 0666, 0666, 0666, 0666, 0600,
                         0660, 0640, 0620, 0444, 0222, 0,    0777};
    return random_.pick(modes);
  }

  static u64 pieces_of(std::size_t size) {
    const u64 piece = kBlockSize[static_cast<u32>(BlockClass::Bytes8256)] - sizeof(MsgBlock);
    return size == 0 ? 1 : (size + piece - 1) / piece;
  }

  // --- the calls

  void get() {
    const int keys[] = {IPC_PRIVATE, 1, 2, 3, -4, static_cast<int>(random_.below(40))};
    const int key = random_.pick(keys);
    int flags = some_mode();
    if (!random_.one_in(4)) flags |= IPC_CREAT;
    if (random_.one_in(6)) flags |= IPC_EXCL;
    note("msgget(%d, 0%o)", key, static_cast<unsigned>(flags));
    const long wanted = oracle_.get(*caller_, key, flags);
    expect(wanted, sys_msgget(task_, key, flags));
    if (wanted >= 0 && oracle_.next_id < 0) msg_registry_matches();
    if (wanted >= 0) ids_.push_back(static_cast<int>(wanted));
  }

  void msg_registry_matches() {
    if (msg_registry(cell_).next_id != -1) fail("the wanted identifier was not forgotten");
  }

  void send() {
    const int id = some_id();
    const std::size_t sizes[] = {
        0, 1, 8, random_.below(100), random_.below(9000), random_.below(31000)};
    Message message = {static_cast<long>(1 + random_.below(6)), random_.bytes(random_.pick(sizes))};
    if (random_.one_in(20)) message.type = LONG_MAX;
    if (random_.one_in(20)) message.type = -static_cast<long>(random_.below(2));
    note("msgsnd(%d, type %ld, %zu bytes)", id, message.type, message.text.size());
    const long wanted = oracle_.send(*caller_, id, message);
    // The flag makes no difference where nobody would wait.
    const int flags = wanted == -EAGAIN || random_.one_in(2) ? IPC_NOWAIT : 0;
    std::string buffer(sizeof message.type, '\0');
    std::memcpy(buffer.data(), &message.type, sizeof message.type);
    buffer += message.text;
    expect(wanted, sys_msgsnd(task_, id, buffer.data(), message.text.size(), flags));
  }

  void receive() {
    const int id = some_id();
    const std::size_t sizes[] = {31000, 31000, 31000, 0, 8, random_.below(9000)};
    const long types[] = {0, 0, 0, 1, 2, 3, 5, -1, -2, -4, LONG_MIN, LONG_MAX, -LONG_MAX};
    const std::size_t size = random_.one_in(200) ? SIZE_MAX : random_.pick(sizes);
    const long type = random_.pick(types);
    int flags = IPC_NOWAIT;
    if (random_.one_in(4)) flags |= MSG_NOERROR;
    if (random_.one_in(6)) flags |= kExcept;
    if (random_.one_in(6)) flags |= kCopy;
    note("msgrcv(%d, %zu, type %ld, 0%o)", id, size, type, static_cast<unsigned>(flags));
    Message wanted_message;
    const long wanted = oracle_.receive(*caller_, id, size, type, flags, &wanted_message);
    if (wanted != -ENOMSG && (flags & kCopy) == 0 && random_.one_in(2)) flags &= ~IPC_NOWAIT;
    Message message;
    std::string buffer(sizeof message.type + std::min<std::size_t>(size, 31000), '?');
    const long actual = sys_msgrcv(task_, id, buffer.data(), size, type, flags);
    expect(wanted, actual);
    if (actual < 0) return;
    std::memcpy(&message.type, buffer.data(), sizeof message.type);
    message.text = buffer.substr(sizeof message.type, static_cast<std::size_t>(actual));
    if (message.type != wanted_message.type) fail("the type differs");
    if (message.text != wanted_message.text) fail("the text differs");
  }

  void set() {
    const int id = some_id();
    const unsigned users[] = {10, 10, 11, 13, UINT_MAX}, groups[] = {20, 20, 22, 23, UINT_MAX};
    const unsigned long sizes[] = {0,     3,         500,       16384,           16385,
                                   60000, 1ul << 30, ULONG_MAX, (1ul << 33) + 70};
    const Change change = {random_.pick(users), random_.pick(groups),
                           static_cast<unsigned>(some_mode()), random_.pick(sizes)};
    note("msgctl(%d, IPC_SET, %u:%u 0%o %lu)", id, change.uid, change.gid, change.mode,
         change.qbytes);
    struct msqid_ds wanted = {};
    wanted.msg_perm.uid = change.uid;
    wanted.msg_perm.gid = change.gid;
    wanted.msg_perm.mode = static_cast<decltype(wanted.msg_perm.mode)>(change.mode);
    wanted.msg_qbytes = change.qbytes;
    const long result = id < 0 ? -EINVAL : oracle_.set(*caller_, id, change);
    expect(result, sys_msgctl(task_, id, IPC_SET, &wanted));
  }

  void remove() {
    const int id = some_id();
    note("msgctl(%d, IPC_RMID)", id);
    const long wanted = oracle_.remove(*caller_, id);
    expect(wanted, sys_msgctl(task_, id, IPC_RMID, nullptr));
  }

  void stat() {
    const int commands[] = {IPC_STAT, MSG_STAT, kStatAny};
    const int id = some_id();
    compare_stat(*caller_, random_.one_in(2) && id >= 0 ? id % 32768 : id, random_.pick(commands));
  }

  void compare_stat(const Caller& caller, int id, int command) {
    note("msgctl(%d, command %d)", id, command);
    long result = 0;
    const Queue* wanted =
        oracle_.stat(caller, id, command != IPC_STAT, command == kStatAny, &result);
    struct msqid_ds actual;
    std::memset(&actual, 0xee, sizeof actual);
    expect(result, sys_msgctl(task_, id, command, &actual));
    if (wanted == nullptr) return;
    const struct ipc_perm& perm = actual.msg_perm;
    const bool is_same =
        perm.__key == wanted->key && perm.uid == wanted->uid && perm.gid == wanted->gid &&
        perm.cuid == wanted->cuid && perm.cgid == wanted->cgid && perm.mode == wanted->mode &&
        perm.__seq == static_cast<unsigned short>(wanted->id / 32768) &&
        actual.msg_stime == wanted->stime && actual.msg_rtime == wanted->rtime &&
        actual.msg_ctime == wanted->ctime && actual.__msg_cbytes == wanted->cbytes() &&
        actual.msg_qnum == wanted->messages.size() && actual.msg_qbytes == wanted->qbytes &&
        actual.msg_lspid == wanted->lspid && actual.msg_lrpid == wanted->lrpid;
    if (!is_same) fail("the statistics differ");
  }

  void info() {
    note("msgctl(MSG_INFO)");
    const Totals totals = oracle_.totals();
    struct msginfo actual = {};
    expect(oracle_.highest_index(), sys_msgctl(task_, 0, MSG_INFO, &actual));
    if (actual.msgpool != totals.queues ||
        static_cast<unsigned long>(actual.msgmap) != totals.messages ||
        static_cast<unsigned long>(actual.msgtql) != totals.bytes) {
      fail("the totals differ");
    }
  }

  Random random_;
  test::TestCell cell_;
  test::TestTask task_;
  MsgOracle oracle_;
  std::deque<Person> persons_;
  const Caller* caller_ = nullptr;
  std::vector<int> ids_;
  std::deque<std::string> notes_;
  std::uint64_t steps_ = 0;
};

int run(const Options& options) {
  MsgModel model(options.seed);
  for (std::uint64_t n = 0; n < options.count; ++n) {
    model.step();
    if (n % 1000 == 999 || n + 1 == options.count) model.compare_all();
  }
  return 0;
}

}  // namespace

}  // namespace ipcell::model

int main(int argc, char** argv) {
  try {
    return ipcell::model::run(ipcell::model::read_options(argc, argv, 100000));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "msg_model: %s\n", error.what());
    return 1;
  }
}
