// What rules of fault injection do to calls. The grammar is tested in fault_parse_test.cc.
#include "core/ipc/fault.h"

#include <fcntl.h>
#include <set>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/ipc/check.h"
#include "core/ipc/fault_call.h"
#include "tests/unit/catch.h"
#include "tests/unit/msg_fixture.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell {

namespace {

using namespace test;

FaultRule parse(const std::string& text, bool allow_illegal = false) {
  FaultRule rule = {};
  FaultError error;
  FaultParseOptions options;
  options.allow_illegal = allow_illegal;
  INFO(text);
  const bool is_good = parse_fault_rule(text.c_str(), text.size(), options, &rule, &error);
  INFO(error.message);
  REQUIRE(is_good);
  return rule;
}

struct FaultTest {
  FaultTest() : task(cell) {}
  ~FaultTest() {
    // Whatever was injected: the cell is whole, and the task fit for its next call.
    CHECK(task.critical == 0);
    CHECK(task.lock_depth == 0);
    CHECK(task.watch == nullptr);
    CHECK(task.wait_frame == nullptr);
    CHECK_FALSE(cell.is_poisoned());
  }

  const FaultRec& add(const std::string& text, bool allow_illegal = false) {
    FaultRule rule = parse(text, allow_illegal);
    REQUIRE(add_fault_rule(task, rule) == 0);
    for (u32 n = 0; n < kFaultRules; ++n) {
      const FaultRec* rec = fault_rule_at(cell, n);
      if (rec != nullptr && std::string(rec->rule.id) == rule.id) return *rec;
    }
    FAIL("the rule is not there");
    std::abort();
  }
  // Results of `count` messages sent without waiting: "." for 0.
  std::string send_many(int id, int count) {
    std::string results;
    for (int n = 0; n < count; ++n) results += send(task, id, 1, "x", IPC_NOWAIT) == 0 ? '.' : 'F';
    return results;
  }

  TestCell cell;
  TestTask task;
};

}  // namespace

TEST_CASE("no rule is about what is done for a rule", "[fault]") {
  FaultTest test;
  const int queue = static_cast<int>(sys_msgget(test.task, IPC_PRIVATE, 0600));
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  const FaultRec& rec = test.add("sysv.*=rmid(before)");
  CHECK(sys_msgctl(test.task, queue, IPC_RMID, nullptr) == -EINVAL);
  CHECK(sys_semctl(test.task, set, 0, IPC_RMID, 0) == -EINVAL);
  CHECK(rec.matched == 2);
}

TEST_CASE("without rules nothing is asked for", "[fault]") {
  FaultTest test;
  CHECK_FALSE(has_faults(test.cell));
  CHECK_FALSE(may_fail(test.task, FaultOp::Msgget));
  CHECK(fault_rule_at(test.cell, 0) == nullptr);
  const FaultRec& rec = test.add("a: msgget=err(ENOMEM)");
  CHECK(may_fail(test.task, FaultOp::Msgget));
  CHECK(may_fail(test.task, FaultOp::Msgsnd, FaultOp::Msgget));
  // The others' calls cost no more than without rules.
  CHECK_FALSE(may_fail(test.task, FaultOp::Msgsnd));
  CHECK(rec.serial == 1);
  CHECK(remove_fault_rule(test.task, "b") == -ENOENT);
  CHECK(remove_fault_rule(test.task, "a") == 0);
  CHECK_FALSE(has_faults(test.cell));
  CHECK(make_queue(test.task) >= 0);
}

TEST_CASE("rules have ids, and places for so many", "[fault]") {
  FaultTest test;
  for (u32 n = 0; n < kFaultRules; ++n) test.add("msgget=err(ENOMEM)");
  FaultRule rule = parse("msgget=err(ENOMEM)");
  CHECK(add_fault_rule(test.task, rule) == -ENOSPC);
  CHECK(remove_fault_rule(test.task, "r7") == 0);
  rule = parse("r8: msgget=err(ENOMEM)");
  CHECK(add_fault_rule(test.task, rule) == -EEXIST);
  rule = parse("msgget=err(ENOMEM)");
  CHECK(add_fault_rule(test.task, rule) == 0);
  CHECK(std::string(rule.id) == "r65");
  CHECK(remove_fault_rules(test.task, nullptr, nullptr) == static_cast<int>(kFaultRules));
  CHECK_FALSE(has_faults(test.cell));
}

TEST_CASE("triggers count the calls that match", "[fault]") {
  struct Row {
    const char* trigger;
    const char* results;  // of ten calls
  };
  const Row rows[] = {
      {"", "FFFFFFFFFF"},
      {"@3", "..F......."},
      {"@3+", "..FFFFFFFF"},
      {"@3+2", "..F.F.F.F."},
      {"@2..4", ".FFF......"},
      {"@2..7+3", ".F..F....."},
      {" skip=4", "....FFFFFF"},
      {" times=2", "FF........"},
      {" skip=2 times=3", "..FFF....."},
      {"@2+3 times=2", ".F..F....."},
      {" p=0", ".........."},
      {" p=1", "FFFFFFFFFF"},
      {" t=1h..2h", ".........."},
      {" t=..1h", "FFFFFFFFFF"},
      {" per=proc times=1", "F........."},
      {" per=thread skip=9", ".........F"},
  };
  for (const Row& row : rows) {
    INFO(row.trigger);
    FaultTest test;
    const int id = make_queue(test.task);
    const FaultRec& rec = test.add(std::string("msgsnd") + row.trigger + "=err(ENOMEM)");
    CHECK(test.send_many(id, 10) == row.results);
    CHECK(rec.matched == 10);
    const std::string results = row.results;
    CHECK(rec.fired == static_cast<u64>(std::count(results.begin(), results.end(), 'F')));
    CHECK(rec.refused == 0);
  }
}

TEST_CASE("per=object counts each queue's calls apart", "[fault]") {
  FaultTest test;
  const int one = make_queue(test.task), two = make_queue(test.task);
  test.add("msgsnd@2 per=object=err(ENOMEM)");
  CHECK(test.send_many(one, 3) == ".F.");
  CHECK(test.send_many(two, 3) == ".F.");
}

TEST_CASE("what is drawn is the seed's, the rule's, the process's and the call's", "[fault]") {
  const auto draw = [](u64 seed, const char* rule, const char* path) {
    FaultTest test;
    FaultHost host = {};
    std::strcpy(host.path, path);
    test.task.fault_host = &host;
    const int id = make_queue(test.task);
    REQUIRE(set_fault_seed(test.task, seed) == 0);
    test.add(rule);
    return test.send_many(id, 200);
  };
  const std::string first = draw(1, "msgsnd p=0.3=err(ENOMEM)", "0");
  const auto hits = std::count(first.begin(), first.end(), 'F');
  CHECK(hits > 30);
  CHECK(hits < 90);
  CHECK(draw(1, "msgsnd p=0.3=err(ENOMEM)", "0") == first);
  CHECK(draw(1, "msgsnd p=0.3 per=proc=err(ENOMEM)", "0") != first);
  CHECK(draw(2, "msgsnd p=0.3=err(ENOMEM)", "0") != first);
  CHECK(draw(1, "msgsnd p=0.3=err(ENOMEM)", "0.1") != first);
}

TEST_CASE("predicates choose the calls", "[fault]") {
  FaultTest test;
  FaultHost host = {};
  std::strcpy(host.path, "0.2");
  std::strcpy(host.program, "server");
  host.find_caller = [](char* name, std::size_t size, u64* offset) {
    std::snprintf(name, size, "libwork.so.1");
    *offset = 0x1234;
  };
  test.task.fault_host = &host;
  const int id = static_cast<int>(sys_msgget(test.task, 0x77, IPC_CREAT | 0666));
  const auto fails = [&](const std::string& predicate, int flags = IPC_NOWAIT) {
    const FaultRec& rec = test.add("x: msgsnd[" + predicate + "]=err(ENOMEM)");
    const bool is_failure = send(test.task, id, 5, "hello", flags) == -ENOMEM;
    CHECK(rec.matched == (is_failure ? 1 : 0));
    REQUIRE(remove_fault_rule(test.task, "x") == 0);
    return is_failure;
  };
  CHECK(fails("key=0x77"));
  CHECK_FALSE(fails("key=0x78"));
  CHECK(fails("id=" + std::to_string(id)));
  CHECK_FALSE(fails("id=" + std::to_string(id + 1)));
  CHECK(fails("type=5"));
  CHECK_FALSE(fails("type>5"));
  CHECK(fails("size=5"));
  CHECK(fails("size>4"));
  CHECK_FALSE(fails("size<5"));
  CHECK(fails("size!=4"));
  CHECK(fails("flag:IPC_NOWAIT"));
  CHECK_FALSE(fails("flag:IPC_NOWAIT", 0));
  CHECK(fails("!flag:IPC_NOWAIT", 0));
  CHECK(fails("depth>=5"));
  CHECK_FALSE(fails("depth=0"));
  CHECK(fails("prog=serv*"));
  CHECK(fails("prog=\"ser[a-z]er\""));
  CHECK_FALSE(fails("prog=client"));
  CHECK(fails("proc=0.2"));
  CHECK_FALSE(fails("proc=0"));
  CHECK(fails("thread=0"));
  CHECK_FALSE(fails("thread=1"));
  CHECK(fails("uid=1000"));
  CHECK_FALSE(fails("uid=0"));
  CHECK(fails("caller=libwork*"));
  CHECK(fails("caller=libwork.so.1+0x1234"));
  CHECK_FALSE(fails("caller=libwork.so.1+0x1235"));
  CHECK_FALSE(fails("key=-1"));
  CHECK(fails("type>-1"));
  CHECK(fails("key=0x77,size>=5,prog=*"));
  CHECK_FALSE(fails("key=0x77,size>5"));
}

TEST_CASE("numbers below zero are numbers like others", "[fault]") {
  FaultTest test;
  test.add("msgget[key=0xdeadbeef]=err(ENOMEM)");
  CHECK(sys_msgget(test.task, static_cast<int>(0xdeadbeef), IPC_CREAT) == -ENOMEM);
  test.add("msgget[key=-1]=err(ENOMEM)");
  CHECK(sys_msgget(test.task, -1, IPC_CREAT) == -ENOMEM);
  const int id =
      static_cast<int>(sys_msgget(test.task, static_cast<int>(0xdeadbeee), IPC_CREAT | 0666));
  REQUIRE(id >= 0);
  const FaultRec& rec = test.add("msgsnd[key=0xdeadbeee]=err(ENOMEM)");
  CHECK(send(test.task, id, 1, "x") == -ENOMEM);
  CHECK(rec.fired == 1);
  test.add("msgrcv[type=-1]=err(EIDRM)");
  CHECK(next_text(test.task, id, -2) == "error " + std::to_string(ENOMSG));
  CHECK(next_text(test.task, id, -1) == "error " + std::to_string(EIDRM));
}

TEST_CASE("after: waits for another rule", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  test.add("first: msgsnd@2=log");
  test.add("second: msgsnd[after:first]=err(ENOMEM)");
  CHECK(test.send_many(id, 4) == ".FFF");
}

TEST_CASE("the first rule that gives a result ends it; `off` ends a rule", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  test.add("msgsnd@2=off");
  test.add("one: msgsnd[size=1]@3=err(ENOMEM)->off");
  const FaultRec& two = test.add("two: msgsnd=err(EIDRM)");
  REQUIRE(remove_fault_rule(test.task, "two") == 0);
  CHECK(two.state == kFaultFree);
  CHECK(test.send_many(id, 8) == "..F.....");
}

TEST_CASE("an identifier is gone when EIDRM was told", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  test.add("msgsnd@1=err(EIDRM)");
  CHECK(send(test.task, id, 1, "x") == -EIDRM);
  CHECK(send(test.task, id, 1, "x") == -EINVAL);
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  test.add("semctl=err(EIDRM)");
  CHECK(sys_semctl(test.task, set, 0, GETVAL, 0) == -EIDRM);
  remove_fault_rules(test.task, nullptr, nullptr);
  CHECK(sys_semctl(test.task, set, 0, GETVAL, 0) == -EINVAL);
}

TEST_CASE("an error for which Linux has no reason is left out, and counted", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  const FaultRec& rec = test.add("msgsnd=err(EIDRM)");
  CHECK(send(test.task, id + 1, 1, "x") == -EINVAL);
  CHECK(rec.refused == 1);
  const FaultRec& busy = test.add("msgrcv=err(ENOMSG)");
  test.add("semop=err(ENOMEM)");
  remove_fault_rule(test.task, rec.rule.id);
  CHECK(send(test.task, id, 1, "x") == 0);
  // It would have slept.
  CHECK(text_of(receive(test.task, id, 10, 0)) == "x");
  CHECK(busy.refused == 1);
  CHECK(next_text(test.task, id) == "error " + std::to_string(ENOMSG));
}

TEST_CASE("what is wrong with the call itself comes first", "[fault]") {
  FaultTest test;
  Task& task = test.task;
  const int queue = static_cast<int>(sys_msgget(task, 7, IPC_CREAT | 0666));
  const int set = static_cast<int>(sys_semget(task, 7, 2, IPC_CREAT | 0666));
  test.add("sysv.*[!flag:IPC_NOWAIT]=err(EIDRM)");
  test.add("semop=err(EAGAIN)");
  test.add("msgget|semget|shmget=err(ENOMEM)");
  struct msginfo info;
  CHECK(sys_msgctl(task, queue, MSG_INFO, reinterpret_cast<msqid_ds*>(&info)) >= 0);
  CHECK(sys_msgctl(task, queue, 9999, nullptr) == -EINVAL);
  char text[16];
  CHECK(sys_msgrcv(task, queue, text, static_cast<std::size_t>(-1), 0, 0) == -EINVAL);
  CHECK(sys_msgrcv(task, queue, text, 1, 0, kMsgCopy) == -EINVAL);
  CHECK(sys_semctl(task, set, 2, GETVAL, 0) == -EINVAL);
  CHECK(sys_semctl(task, set, 0, SETVAL, 40000) == -ERANGE);
  CHECK(operate(task, set, {}) == -EINVAL);
  CHECK(operate(task, set, {op(2, -1)}) == -EFBIG);
  CHECK(operate(task, set, {op(2, -1, IPC_NOWAIT)}) == -EFBIG);
  CHECK(operate_within(task, set, {op(0, -1)}, {0, 2'000'000'000}) == -EINVAL);
  CHECK(sys_semget(task, IPC_PRIVATE, 0, 0600) == -EINVAL);
  CHECK(sys_shmget(task, IPC_PRIVATE, 0, 0600) == -EINVAL);
  // Both are there.
  CHECK(sys_msgget(task, 7, 0) == queue);
  CHECK(sys_semget(task, 7, 0, 0) == set);
}

TEST_CASE("who asks for no permission is told of EEXIST first", "[fault]") {
  FaultTest test;
  Worker other(test.cell);
  test.add("msgget=err(EACCES)");
  CHECK(sys_msgget(test.task, 7, IPC_CREAT | 0666) >= 0);
  const auto get = [&](int flags) {
    return other.run([=](Task& own) { return sys_msgget(own, 7, flags); });
  };
  CHECK(get(IPC_CREAT | IPC_EXCL | 0666) == -EEXIST);
  CHECK(get(0666) == -EACCES);
}

TEST_CASE("a rule is followed as a whole", "[fault]") {
  FaultTest test;
  for (u32 n = 0; n < kFaultSteps - 1; ++n) test.add("msgget=yield");
  const FaultRec& rec = test.add("msgget=yield->err(ENOMEM)");
  CHECK(make_queue(test.task) >= 0);
  CHECK(rec.fired == 0);
  CHECK(rec.refused == 1);
  test.add("msgget=err(ENOMEM)");
  CHECK(make_queue(test.task) == -ENOMEM);
}

TEST_CASE("ENOSPC is a lowered limit, for the time of the call", "[fault]") {
  FaultTest test;
  Limits& limits = test.cell.header().limits;
  const u32 before = limits.msgmni;
  const int id = static_cast<int>(sys_msgget(test.task, 7, IPC_CREAT | 0666));
  const FaultRec& rec = test.add("msgget=err(ENOSPC)");
  CHECK(make_queue(test.task) == -ENOSPC);
  CHECK(limits.msgmni == before);
  // An object that is there needs no room.
  CHECK(sys_msgget(test.task, 7, 0) == id);
  CHECK(rec.refused == 1);
  test.add("semget|shmget=err(ENOSPC)");
  CHECK(sys_semget(test.task, IPC_PRIVATE, 1, 0600) == -ENOSPC);
  CHECK(limits.semmni != 0);
}

TEST_CASE("a limit is lowered for one call alone", "[fault]") {
  FaultTest test;
  const int set = make_set(test.task, 1);
  test.add("semget|msgget|shmget p=0.5=err(ENOSPC)");
  test.add("semop p=0.5=err(E2BIG)");
  const Limits before = test.cell.header().limits;
  Worker other(test.cell);
  // Each in its own task, and of different sizes.
  for (int n = 0; n < 200; ++n) {
    auto done = other.start([&](Task& own) { return operate(own, set, {op(0, 1), op(0, -1)}); });
    (void)operate(test.task, set, {op(0, 1), op(0, 1), op(0, -1), op(0, -1)});
    (void)make_queue(test.task);
    done.get();
  }
  CHECK(__builtin_memcmp(&before, &test.cell.header().limits, sizeof before) == 0);
}

TEST_CASE("limit() stays", "[fault]") {
  FaultTest test;
  test.add("msgget@2=limit(msgmni=1)");
  CHECK(make_queue(test.task) >= 0);
  CHECK(make_queue(test.task) == -ENOSPC);
  CHECK(test.cell.header().limits.msgmni == 1);
  test.add("msgget=limit(msgmni=32768)");
  CHECK(make_queue(test.task) >= 0);
  CHECK(test.cell.header().limits.msgmni == kMaxIds);
}

TEST_CASE("rmid(before) removes what the call names", "[fault]") {
  FaultTest test;
  const int id = static_cast<int>(sys_msgget(test.task, 9, IPC_CREAT | 0666));
  test.add("msgget[key=9]@1=rmid(before)");
  CHECK(sys_msgget(test.task, 9, 0) == -ENOENT);
  CHECK(send(test.task, id, 1, "x") == -EINVAL);
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  test.add("semop=rmid(before)");
  struct sembuf up = {0, 1, 0};
  CHECK(sys_semtimedop(test.task, set, &up, 1, nullptr) == -EINVAL);
}

TEST_CASE("eintr is of calls that sleep alone", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  const FaultRec& rec = test.add("msgrcv@1=eintr");
  REQUIRE(send(test.task, id, 1, "here") == 0);
  CHECK(text_of(receive(test.task, id, 10, 0)) == "here");
  CHECK(rec.matched == 0);
  CHECK(receive(test.task, id, 10, 0).result == -EINTR);
  CHECK(rec.fired == 1);
  // Taken back: nobody waits any more.
  REQUIRE(send(test.task, id, 1, "later") == 0);
  CHECK(text_of(receive(test.task, id, 10, 0)) == "later");
}

TEST_CASE("a sender and a semop are interrupted as well", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  while (send(test.task, id, 1, std::string(8000, 'x'), IPC_NOWAIT) == 0) {
  }
  test.add("msgsnd|semop=err(EINTR)");
  CHECK(send(test.task, id, 1, std::string(8000, 'x')) == -EINTR);
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  struct sembuf down = {0, -1, 0};
  CHECK(sys_semtimedop(test.task, set, &down, 1, nullptr) == -EINTR);
  CHECK(sys_semctl(test.task, set, 0, GETNCNT, 0) == 0);
}

TEST_CASE("full: without waiting it is an error, else an instant's sleep", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  const FaultRec& full = test.add("f: msgsnd=full");
  CHECK(send(test.task, id, 1, "x", IPC_NOWAIT) == -EAGAIN);
  CHECK(send(test.task, id, 1, "x") == 0);
  CHECK(full.fired == 2);
  test.add("msgrcv=empty->eintr");
  CHECK(receive(test.task, id, 10, 0).result == -EINTR);
  CHECK(next_text(test.task, id) == "error " + std::to_string(ENOMSG));
  remove_fault_rules(test.task, nullptr, nullptr);
  CHECK(next_text(test.task, id) == "x");
  test.add("msgrcv=empty->rmid(blocked)");
  REQUIRE(send(test.task, id, 1, "x") == 0);
  CHECK(receive(test.task, id, 10, 0).result == -EIDRM);
  CHECK(send(test.task, id, 1, "x") == -EINVAL);
}

TEST_CASE("busy: an increment never has to wait", "[fault]") {
  FaultTest test;
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  const FaultRec& rec = test.add("semop=busy");
  struct sembuf up = {0, 1, IPC_NOWAIT}, down = {0, -1, IPC_NOWAIT};
  CHECK(sys_semtimedop(test.task, set, &up, 1, nullptr) == 0);
  CHECK(rec.refused == 1);
  CHECK(sys_semtimedop(test.task, set, &down, 1, nullptr) == -EAGAIN);
  // The one that has to wait may do so, whatever the other says.
  REQUIRE(sys_semctl(test.task, set, 0, SETVAL, 1) == 0);
  struct sembuf both[] = {{0, -1, 0}, {0, 1, IPC_NOWAIT}};
  CHECK(sys_semtimedop(test.task, set, both, 2, nullptr) == 0);
}

TEST_CASE("timeout: the deadline passes at once", "[fault]") {
  FaultTest test;
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  test.add("semtimedop=timeout");
  struct sembuf down = {0, -1, 0};
  const struct timespec day = {86400, 0};
  CHECK(sys_semtimedop(test.task, set, &down, 1, &day) == -EAGAIN);
  CHECK(sys_semctl(test.task, set, 0, GETNCNT, 0) == 0);
}

TEST_CASE("EAGAIN of a semtimedop that sleeps is its timeout", "[fault]") {
  for (const char* rule : {"semtimedop[block]=err(EAGAIN)",
                           "semtimedop[!flag:IPC_NOWAIT]=err(EAGAIN)", "semtimedop=err(EAGAIN)"}) {
    INFO(rule);
    FaultTest test;
    const int set = make_set(test.task, 1);
    const FaultRec& rec = test.add(rule);
    const struct timespec day = {86400, 0};
    CHECK(operate_within(test.task, set, {op(0, -1)}, day) == -EAGAIN);
    CHECK(rec.fired == 1);
    CHECK(rec.refused == 0);
    // One that need not sleep is let through.
    CHECK(operate_within(test.task, set, {op(0, 1)}, day) == 0);
  }
}

TEST_CASE("rmid(blocked) removes what the call sleeps on", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  test.add("msgrcv=rmid(blocked)");
  CHECK(receive(test.task, id, 10, 7).result == -EIDRM);
  CHECK(send(test.task, id, 1, "x") == -EINVAL);
  const int set = static_cast<int>(sys_semget(test.task, IPC_PRIVATE, 1, 0600));
  test.add("semop=rmid(blocked)");
  struct sembuf down = {0, -1, 0};
  CHECK(sys_semtimedop(test.task, set, &down, 1, nullptr) == -EIDRM);
  CHECK(sys_semctl(test.task, set, 0, GETVAL, 0) == -EINVAL);
}

TEST_CASE("delays are at least as long as they say, at each point", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  const auto time_of = [&](const std::string& rule, const std::function<void()>& call) {
    test.add("d: " + rule);
    const i64 begin = monotonic_nanoseconds();
    call();
    REQUIRE(remove_fault_rule(test.task, "d") == 0);
    return monotonic_nanoseconds() - begin;
  };
  constexpr i64 kMillisecond = 1'000'000;
  CHECK(time_of("msgsnd=delay(enter,20ms)", [&] { CHECK(send(test.task, id, 1, "x") == 0); }) >=
        20 * kMillisecond);
  CHECK(time_of("msgsnd=delay(exit,20ms)", [&] { CHECK(send(test.task, id, 1, "y") == 0); }) >=
        20 * kMillisecond);
  test.add("msgrcv=delay(blocked,10ms)->delay(woken,10ms)->eintr");
  const i64 begin = monotonic_nanoseconds();
  CHECK(receive(test.task, id, 10, 9).result == -EINTR);
  CHECK(monotonic_nanoseconds() - begin >= 10 * kMillisecond);
}

TEST_CASE("what Linux never does is done if it is asked for", "[fault]") {
  FaultTest test;
  const int id = make_queue(test.task);
  test.add("d: msgsnd=unsafe.drop", true);
  CHECK(send(test.task, id, 1, "lost") == 0);
  remove_fault_rules(test.task, nullptr, nullptr);
  CHECK(next_text(test.task, id) == "error " + std::to_string(ENOMSG));
  test.add("msgsnd=unsafe.dup", true);
  CHECK(send(test.task, id, 1, "twice") == 0);
  remove_fault_rules(test.task, nullptr, nullptr);
  CHECK(next_text(test.task, id) == "twice");
  CHECK(next_text(test.task, id) == "twice");
  test.add("msgsnd=unsafe.corrupt", true);
  CHECK(send(test.task, id, 1, "abc") == 0);
  remove_fault_rules(test.task, nullptr, nullptr);
  CHECK(next_text(test.task, id) == std::string(1, static_cast<char>('a' ^ 0xff)) + "bc");
  REQUIRE(send(test.task, id, 1, "abc") == 0);
  test.add("msgrcv=unsafe.corrupt", true);
  CHECK(next_text(test.task, id) == std::string(1, static_cast<char>('a' ^ 0xff)) + "bc");
  test.add("msgget=err(EINTR)", true);
  CHECK(make_queue(test.task) == -EINTR);
}

TEST_CASE("calls are recorded by place, and one by one", "[fault]") {
  FaultTest test;
  static u64 place;
  FaultHost host = {};
  std::strcpy(host.path, "0.1");
  std::strcpy(host.program, "client");
  host.find_caller = [](char* name, std::size_t size, u64* offset) {
    std::snprintf(name, size, "client");
    *offset = place;
  };
  test.task.fault_host = &host;
  REQUIRE(record_fault_sites(test.task, kRecordSites) == 0);
  place = 0x10;
  const int id = make_queue(test.task);
  place = 0x20;
  test.send_many(id, 3);
  place = 0x30;
  send(test.task, id, 1, "x");
  REQUIRE(record_fault_sites(test.task, kRecordNothing) == 0);
  CHECK_FALSE(has_faults(test.cell));
  std::set<std::string> seen;
  for (const FaultSite& site : test.cell.layout().faults.sites) {
    if (site.is_ready == 0) continue;
    CHECK(std::string(site.process) == "0.1");
    seen.insert(std::string(name_of(site.op)) + " " + site.caller + "+" +
                std::to_string(site.offset) + " x" + std::to_string(site.count) + " " +
                std::to_string(site.seen));
  }
  const std::set<std::string> expected = {
      "msgget client+16 x1 " + std::to_string(kSiteWaits | kSiteCreates),
      "msgsnd client+32 x3 " + std::to_string(kSiteNowait),
      "msgsnd client+48 x1 " + std::to_string(kSiteWaits),
  };
  CHECK(seen == expected);
}

}  // namespace ipcell
