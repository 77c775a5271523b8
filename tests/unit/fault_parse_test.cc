// Rules of fault injection: what each construct of the grammar makes of a rule. What is refused,
// and where, stands in fault_refusal_test.cc.
#include "core/ipc/fault_parse.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "tests/unit/catch.h"

namespace ipcell {

namespace {

constexpr u64 kForever = ~0ull;

FaultRule parse(const std::string& text, bool allow_illegal = false) {
  FaultParseOptions options;
  options.allow_illegal = allow_illegal;
  FaultRule rule;
  FaultError error;
  const bool is_parsed = parse_fault_rule(text.data(), text.size(), options, &rule, &error);
  INFO(text << "\n" << error.column << ": " << error.message);
  REQUIRE(is_parsed);
  CHECK(error.message[0] == '\0');
  return rule;
}

u64 ops(std::initializer_list<FaultOp> list) {
  u64 mask = 0;
  for (FaultOp op : list) mask |= bit_of(op);
  return mask;
}

u64 ops_of(const std::string& calls) { return parse(calls + "=log").ops; }

FaultPred pred_of(const std::string& text) {
  const FaultRule rule = parse(text + "=log");
  REQUIRE(rule.pred_count == 1);
  return rule.preds[0];
}

FaultTrigger trigger_of(const std::string& text) {
  return parse("msgsnd " + text + "=log").trigger;
}

FaultAction action_of(const std::string& text, bool allow_illegal = false) {
  const FaultRule rule = parse(text, allow_illegal);
  REQUIRE(rule.action_count == 1);
  return rule.actions[0];
}

std::string text_of(const FaultRule& rule, FaultText place) {
  REQUIRE(place.start + place.length <= rule.text_length);
  return std::string(rule.text + place.start, place.length);
}

std::string pred_text(const std::string& text) {
  const FaultRule rule = parse(text + "=log");
  return text_of(rule, rule.preds[0].text);
}

void check_number(const std::string& text, FaultField field, FaultCompare compare, i64 value) {
  INFO(text);
  const FaultPred pred = pred_of(text);
  CHECK(pred.field == field);
  CHECK(pred.compare == compare);
  CHECK(pred.value == value);
}

void check_action(const FaultAction& action, FaultAct act, FaultPoint point, u32 number,
                  i64 value) {
  CHECK(action.act == act);
  CHECK(action.point == point);
  CHECK(action.number == number);
  CHECK(action.value == value);
}

constexpr u64 kAll = (1ull << kFaultOps) - 1;
constexpr u64 kSysv = 0xfff, kMq = kAll & ~kSysv;

}  // namespace

TEST_CASE("a rule is a call and an action, and keeps its text", "[fault_parse]") {
  const FaultRule rule = parse("  msgsnd = log\t");
  CHECK(rule.id[0] == '\0');
  CHECK(rule.ops == bit_of(FaultOp::Msgsnd));
  CHECK(rule.pred_count == 0);
  CHECK(rule.action_count == 1);
  CHECK(rule.is_illegal == 0);
  CHECK(std::string(rule.text) == "msgsnd = log");
  CHECK(rule.text_length == 12);
}

TEST_CASE("an id stands in front of the rule, and not in its text", "[fault_parse]") {
  for (const char* text :
       {"a-1_b.c:msgsnd=log", " a-1_b.c : msgsnd=log", "a-1_b.c:  msgsnd=log "}) {
    const FaultRule rule = parse(text);
    CHECK(std::string(rule.id) == "a-1_b.c");
    CHECK(std::string(rule.text) == "msgsnd=log");
  }
  CHECK(std::string(parse("msgsnd: msgrcv=log").id) == "msgsnd");
  CHECK(std::string(parse("7:msgrcv=log").id) == "7");
  const std::string longest(kFaultIdMax - 1, 'x');
  CHECK(parse(longest + ":msgsnd=log").id == longest);
}

TEST_CASE("calls have their names", "[fault_parse]") {
  for (u32 op = 0; op < kFaultOps; ++op)
    CHECK(ops_of(name_of(static_cast<FaultOp>(op))) == 1ull << op);
  CHECK(name_of(static_cast<FaultOp>(kFaultOps)) == nullptr);
  CHECK(std::string(name_of_errno(ENOMEM)) == "ENOMEM");
  CHECK(std::string(name_of_errno(EAGAIN)) == "EAGAIN");
  CHECK(name_of_errno(4000) == nullptr);
}

TEST_CASE("groups, globs and lists of calls", "[fault_parse]") {
  CHECK(ops_of("sysv.*") == kSysv);
  CHECK(ops_of("posix.*") == kMq);
  CHECK(ops_of("mq.*") == kMq);
  CHECK(ops_of("mq_*") == kMq);
  CHECK(ops_of("*") == kAll);
  CHECK(ops_of("msg.*") ==
        ops({FaultOp::Msgget, FaultOp::Msgsnd, FaultOp::Msgrcv, FaultOp::Msgctl}));
  CHECK(ops_of("sem.*") ==
        ops({FaultOp::Semget, FaultOp::Semop, FaultOp::Semtimedop, FaultOp::Semctl}));
  CHECK(ops_of("shm.*") == ops({FaultOp::Shmget, FaultOp::Shmat, FaultOp::Shmdt, FaultOp::Shmctl}));
  CHECK(ops_of("*get") == ops({FaultOp::Msgget, FaultOp::Semget, FaultOp::Shmget}));
  CHECK(ops_of("sem*op") == ops({FaultOp::Semop, FaultOp::Semtimedop}));
  CHECK(ops_of("msg???") == ops_of("msg.*"));
  CHECK(ops_of("shmat|shmdt") == ops({FaultOp::Shmat, FaultOp::Shmdt}));
  CHECK(ops_of(" shmat | mq_* |shmdt ") == (kMq | ops({FaultOp::Shmat, FaultOp::Shmdt})));
}

TEST_CASE("numbers of predicates", "[fault_parse]") {
  using F = FaultField;
  using C = FaultCompare;
  check_number("msgget[key=5]", F::Key, C::Equal, 5);
  check_number("msgget[key=0x10]", F::Key, C::Equal, 16);
  check_number("msgget[key=010]", F::Key, C::Equal, 8);
  check_number("msgget[key=0]", F::Key, C::Equal, 0);
  check_number("msgget[key=-7]", F::Key, C::Equal, -7);
  check_number("msgget[key=0xdeadbeef]", F::Key, C::Equal, static_cast<i32>(0xdeadbeef));
  check_number("msgget[key=-2147483648]", F::Key, C::Equal, -2147483648ll);
  check_number("shmget[key!=IPC_PRIVATE]", F::Key, C::NotEqual, 0);
  check_number("msgsnd[id=32768]", F::Id, C::Equal, 32768);
  check_number("msgsnd[type=-9223372036854775808]", F::Type, C::Equal, -0x7fffffffffffffff - 1);
  check_number("msgsnd[type=0x7fffffffffffffff]", F::Type, C::Equal, 0x7fffffffffffffff);
  check_number("mq_send[prio>=31]", F::Prio, C::AtLeast, 31);
  check_number("msgsnd[size>4K]", F::Size, C::Greater, 4096);
  check_number("msgsnd[size<0x10K]", F::Size, C::Less, 16384);
  check_number("shmget[ size >= 2M ]", F::Size, C::AtLeast, 2 << 20);
  check_number("shmget[size<=3G]", F::Size, C::AtMost, 3ll << 30);
  check_number("shmget[size!=0]", F::Size, C::NotEqual, 0);
  check_number("semget[nsems=3]", F::Nsems, C::Equal, 3);
  check_number("semop[sem=2]", F::Sem, C::Equal, 2);
  check_number("msgrcv[depth>10]", F::Depth, C::Greater, 10);
  check_number("msgrcv[thread!=0]", F::Thread, C::NotEqual, 0);
  check_number("msgrcv[uid>=1000]", F::Uid, C::AtLeast, 1000);
  check_number("msgrcv[uid=0xffffffff]", F::Uid, C::Equal, 0xffffffff);
  check_number("msgctl[cmd=IPC_RMID]", F::Command, C::Equal, IPC_RMID);
  check_number("semctl[cmd!=SETVAL]", F::Command, C::NotEqual, SETVAL);
  check_number("shmctl[cmd=SHM_LOCK]", F::Command, C::Equal, SHM_LOCK);
  check_number("msgctl[cmd=77]", F::Command, C::Equal, 77);
  check_number("msgsnd[block]", F::Block, C::Equal, 0);
}

TEST_CASE("flags", "[fault_parse]") {
  using F = FaultField;
  using C = FaultCompare;
  check_number("msgsnd[flag:IPC_NOWAIT]", F::Flag, C::Equal, IPC_NOWAIT);
  check_number("msgsnd[!flag:IPC_NOWAIT]", F::Flag, C::NotEqual, IPC_NOWAIT);
  check_number("msgsnd[ ! flag : IPC_NOWAIT ]", F::Flag, C::NotEqual, IPC_NOWAIT);
  check_number("msgget[flag:IPC_CREAT|IPC_EXCL]", F::Flag, C::Equal, IPC_CREAT | IPC_EXCL);
  check_number("semop[flag:SEM_UNDO]", F::Flag, C::Equal, SEM_UNDO);
  check_number("shmget[flag:SHM_HUGETLB]", F::Flag, C::Equal, SHM_HUGETLB);
  check_number("shmget[flag:SHM_NORESERVE]", F::Flag, C::Equal, SHM_NORESERVE);
  check_number("mq_open[flag:O_RDONLY]", F::Flag, C::Equal, 0);
  check_number("mq_open[flag:O_RDWR]", F::Flag, C::Equal, O_RDWR);
  check_number("mq_send[flag:O_NONBLOCK]", F::Flag, C::Equal, O_NONBLOCK);
}

TEST_CASE("texts of predicates", "[fault_parse]") {
  CHECK(pred_text("mq_open[name=/q*]") == "/q*");
  CHECK(pred_text("mq_open[ name = /a b ]") == "/a b");
  CHECK(pred_text("mq_open[name=\"/[a-c],\"]") == "/[a-c],");
  CHECK(pred_text("id: msgsnd[prog=work?]") == "work?");
  CHECK(pred_text("msgsnd[argv~^a (b|c)+$]") == "^a (b|c)+$");
  CHECK(pred_text("msgsnd[argv~\" a;[^]] # \"]") == " a;[^]] # ");
  CHECK(pred_text("msgsnd[proc=0]") == "0");
  CHECK(pred_text("msgsnd[proc=0.2.10]") == "0.2.10");
  CHECK(pred_text("msgsnd[after:other-rule]") == "other-rule");
  CHECK(pred_text("msgsnd[after: 1]") == "1");
  CHECK(pred_text("msgsnd[caller=libfoo.so]") == "libfoo.so");
}

TEST_CASE("a caller may have an offset", "[fault_parse]") {
  const auto check = [](const std::string& text, const std::string& file, i64 offset) {
    INFO(text);
    const FaultRule rule = parse("msgsnd[caller=" + text + "]=log");
    CHECK(text_of(rule, rule.preds[0].text) == file);
    CHECK(rule.preds[0].value == offset);
  };
  check("libfoo.so", "libfoo.so", -1);
  check("libfoo.so+0x1A", "libfoo.so", 0x1a);
  check("\"libfoo.so+0x1a\"", "libfoo.so", 0x1a);
  check("libstdc++.so.6", "libstdc++.so.6", -1);
  check("libstdc++.so.6+0x7fffffffffffffff", "libstdc++.so.6", 0x7fffffffffffffff);
  check("a+0x", "a+0x", -1);
}

TEST_CASE("a predicate of some calls of a group leaves the others out", "[fault_parse]") {
  const FaultRule typed = parse("sysv.*[type=3]=log");
  CHECK(typed.ops == ops({FaultOp::Msgsnd, FaultOp::Msgrcv}));
  CHECK(typed.preds[0].ops == typed.ops);
  // SETVAL and MSG_STAT are other calls' commands of the same number.
  CHECK(ops_of("sysv.*[cmd=SETVAL]") == bit_of(FaultOp::Semctl));
  CHECK(ops_of("sysv.*[cmd=IPC_RMID]") == ops({FaultOp::Msgctl, FaultOp::Semctl, FaultOp::Shmctl}));
  // So it is with SHM_RND and MSG_EXCEPT.
  CHECK(ops_of("sysv.*[!flag:SHM_RND]") == bit_of(FaultOp::Shmat));
  CHECK(ops_of("*[flag:IPC_NOWAIT,size>4]") == ops({FaultOp::Msgsnd, FaultOp::Msgrcv}));
}

TEST_CASE("as many predicates as there is room for", "[fault_parse]") {
  std::string text = "msgsnd[id=0";
  for (u32 n = 1; n < kFaultPreds; ++n) text += ",id=" + std::to_string(n);
  const FaultRule rule = parse(text + "]=log");
  CHECK(rule.pred_count == kFaultPreds);
  CHECK(rule.preds[kFaultPreds - 1].value == kFaultPreds - 1);
}

TEST_CASE("the calls that are counted", "[fault_parse]") {
  const auto check = [](const std::string& text, u64 first, u64 last, u64 step) {
    INFO(text);
    const FaultTrigger trigger = trigger_of(text);
    CHECK(trigger.first == first);
    CHECK(trigger.last == last);
    CHECK(trigger.step == step);
  };
  check("", 1, kForever, 1);
  check("@3", 3, 3, 1);
  check("@3+", 3, kForever, 1);
  check("@3+2", 3, kForever, 2);
  check("@3..7", 3, 7, 1);
  check("@3..7+", 3, 7, 1);
  check("@3..7+2", 3, 7, 2);
  check("@0x10..020+0x2", 16, 16, 2);
}

TEST_CASE("the other triggers", "[fault_parse]") {
  CHECK(trigger_of("skip=4").skip == 4);
  CHECK(trigger_of("skip = 0").skip == 0);
  CHECK(trigger_of("times=2").times == 2);
  CHECK(trigger_of("").times == kForever);
  CHECK(trigger_of("").scope == FaultScope::Global);
  CHECK(trigger_of("per=global").scope == FaultScope::Global);
  CHECK(trigger_of("per=proc").scope == FaultScope::Process);
  CHECK(trigger_of("per=thread").scope == FaultScope::Thread);
  CHECK(trigger_of("per=object").scope == FaultScope::Object);
  const FaultTrigger all = trigger_of("per=proc times=3 @2+ p=50% skip=1 t=1s..2s");
  CHECK(all.first == 2);
  CHECK(all.skip == 1);
  CHECK(all.times == 3);
  CHECK(all.chance == 1ull << 31);
  CHECK(all.from_ns == 1000000000);
  CHECK(all.to_ns == 2000000000);
  CHECK(all.scope == FaultScope::Process);
  CHECK(parse("msgsnd[id=1]@2\tskip=1=log").trigger.skip == 1);
}

TEST_CASE("chances", "[fault_parse]") {
  CHECK(trigger_of("").chance == 1ull << 32);
  CHECK(trigger_of("p=1").chance == 1ull << 32);
  CHECK(trigger_of("p=1.000").chance == 1ull << 32);
  CHECK(trigger_of("p=100%").chance == 1ull << 32);
  CHECK(trigger_of("p=0").chance == 0);
  CHECK(trigger_of("p=0.0%").chance == 0);
  CHECK(trigger_of("p=0.5").chance == 1ull << 31);
  CHECK(trigger_of("p=25%").chance == 1ull << 30);
  CHECK(trigger_of("p=12.5%").chance == 1ull << 29);
  CHECK(trigger_of("p=0.000000001").chance == 4);
  CHECK(trigger_of("p=0.999999999").chance == 4294967291);
  CHECK(trigger_of("p=99.999999999%").chance == 4294967295);
}

TEST_CASE("spans of time", "[fault_parse]") {
  constexpr i64 kEnd = 0x7fffffffffffffff;
  const auto check = [](const std::string& text, i64 from, i64 to) {
    INFO(text);
    const FaultTrigger trigger = trigger_of(text);
    CHECK(trigger.from_ns == from);
    CHECK(trigger.to_ns == to);
  };
  check("", 0, kEnd);
  check("t=5s..9s", 5000000000, 9000000000);
  check("t=5s..", 5000000000, kEnd);
  check("t=..9s", 0, 9000000000);
  check("t=0s..1ns", 0, 1);
  check("t=1.5s..1min", 1500000000, 60000000000);
  check("t=2us..3ms", 2000, 3000000);
  check("t=1.25us..0.5h", 1250, 1800000000000);
  check("t=1.000000001s..9223372036854775807ns", 1000000001, kEnd);
}

TEST_CASE("actions with their arguments", "[fault_parse]") {
  using A = FaultAct;
  using P = FaultPoint;
  check_action(action_of("msgsnd=err(ENOMEM)"), A::Error, P::Enter, ENOMEM, 0);
  check_action(action_of("msgsnd=err( 12 )"), A::Error, P::Enter, ENOMEM, 0);
  check_action(action_of("msgsnd=err(EWOULDBLOCK)"), A::Error, P::Enter, EAGAIN, 0);
  check_action(action_of("msgsnd=eintr"), A::Interrupt, P::Blocked, 0, 0);
  check_action(action_of("msgsnd=rmid(before)"), A::Remove, P::Enter, 0, 0);
  check_action(action_of("msgsnd=rmid(blocked)"), A::Remove, P::Blocked, 0, 0);
  check_action(action_of("semtimedop=timeout"), A::Timeout, P::Blocked, 0, 0);
  check_action(action_of("msgsnd=full"), A::Full, P::Enter, 0, 0);
  check_action(action_of("mq_receive=full"), A::Full, P::Enter, 0, 0);
  check_action(action_of("mq_receive=empty"), A::Full, P::Enter, 0, 0);
  check_action(action_of("semop=busy"), A::Full, P::Enter, 0, 0);
  check_action(action_of("msgsnd=delay(enter,10ms)"), A::Delay, P::Enter, 0, 10000000);
  check_action(action_of("msgsnd=delay( blocked , 3us )"), A::Delay, P::Blocked, 0, 3000);
  check_action(action_of("msgsnd=delay(woken,2ns)"), A::Delay, P::Woken, 0, 2);
  check_action(action_of("msgsnd=delay(exit,1.5s)"), A::Delay, P::Exit, 0, 1500000000);
  check_action(action_of("msgsnd=yield"), A::Yield, P::Enter, 0, 0);
  check_action(action_of("msgsnd=stop(1min)"), A::Stop, P::Enter, 0, 60000000000);
  check_action(action_of("msgsnd=sig(SIGTERM)"), A::Signal, P::Enter, SIGTERM, 0);
  check_action(action_of("msgsnd=sig(SIGKILL)"), A::Signal, P::Enter, SIGKILL, 0);
  check_action(action_of("msgsnd=sig(64)"), A::Signal, P::Enter, 64, 0);
  check_action(action_of("msgsnd=kill(before)"), A::Kill, P::Enter, 0, 0);
  check_action(action_of("msgsnd=kill(blocked)"), A::Kill, P::Blocked, 0, 0);
  check_action(action_of("msgsnd=kill(after)"), A::Kill, P::Exit, 0, 0);
  check_action(action_of("msgsnd=exit(255)"), A::Exit, P::Enter, 255, 0);
  check_action(action_of("msgsnd=log"), A::Log, P::Enter, 0, 0);
  check_action(action_of("msgsnd=off"), A::Off, P::Enter, 0, 0);
  check_action(action_of("msgsnd=unsafe.corrupt", true), A::Corrupt, P::Enter, 0, 0);
  check_action(action_of("msgsnd=unsafe.drop", true), A::Drop, P::Enter, 0, 0);
  check_action(action_of("msgsnd=unsafe.dup", true), A::Duplicate, P::Enter, 0, 0);
}

TEST_CASE("limits", "[fault_parse]") {
  const auto check = [](const std::string& text, FaultLimit limit, i64 value) {
    INFO(text);
    const FaultAction action = action_of(text);
    CHECK(action.act == FaultAct::Limit);
    CHECK(action.number == static_cast<u32>(limit));
    CHECK(action.value == value);
  };
  check("msgsnd=limit(msgmax=4K)", FaultLimit::Msgmax, 4096);
  check("msgget=limit(msgmnb=0)", FaultLimit::Msgmnb, 0);
  check("msgget=limit( msgmni = 32768 )", FaultLimit::Msgmni, 32768);
  check("semget=limit(semmsl=1)", FaultLimit::Semmsl, 1);
  check("semget=limit(semmns=1)", FaultLimit::Semmns, 1);
  check("semop=limit(semopm=1)", FaultLimit::Semopm, 1);
  check("semget=limit(semmni=1)", FaultLimit::Semmni, 1);
  check("shmget=limit(shmmax=1G)", FaultLimit::Shmmax, 1 << 30);
  check("shmget=limit(shmall=0)", FaultLimit::Shmall, 0);
  check("shmget=limit(shmmni=0)", FaultLimit::Shmmni, 0);
  check("mq_open=limit(queues_max=0)", FaultLimit::QueuesMax, 0);
  check("mq_open=limit(msg_max=1)", FaultLimit::MsgMax, 1);
  check("mq_open=limit(msgsize_max=128)", FaultLimit::MsgsizeMax, 128);
}

TEST_CASE("actions in their order", "[fault_parse]") {
  const FaultRule rule = parse("msgsnd=log->delay(enter,1ms) -> full->yield\t->eintr->off");
  REQUIRE(rule.action_count == 6);
  CHECK(rule.actions[0].act == FaultAct::Log);
  CHECK(rule.actions[1].act == FaultAct::Delay);
  CHECK(rule.actions[2].act == FaultAct::Full);
  CHECK(rule.actions[3].act == FaultAct::Yield);
  CHECK(rule.actions[4].act == FaultAct::Interrupt);
  CHECK(rule.actions[5].act == FaultAct::Off);
  const FaultRule most = parse("msgsnd=log->yield->full->delay(enter,1s)->delay(woken,1s)->"
                               "sig(SIGUSR1)->sig(SIGUSR2)->kill(after)");
  CHECK(most.action_count == kFaultActions);
}

TEST_CASE("about a call that is about to sleep, all is done then", "[fault_parse]") {
  for (const char* action : {"log", "yield", "stop(1s)", "sig(SIGUSR1)", "exit(1)", "off", "eintr",
                             "kill(blocked)", "rmid(blocked)", "delay(blocked,1s)"}) {
    INFO(action);
    CHECK(action_of(std::string("msgsnd[block]=") + action).point == FaultPoint::Blocked);
  }
  CHECK(action_of("msgsnd[block]=kill(after)").point == FaultPoint::Exit);
}

TEST_CASE("the length of a rule among others", "[fault_parse]") {
  const auto length = [](const std::string& text) {
    return fault_rule_length(text.data(), text.size());
  };
  CHECK(length("") == 0);
  CHECK(length("msgsnd=log") == 10);
  CHECK(length("msgsnd=log; msgrcv=log") == 10);
  CHECK(length("msgsnd=log\nmsgrcv=log") == 10);
  CHECK(length(";") == 0);
  CHECK(length("a[argv~\"x;y\"]=log;b") == 17);
  CHECK(length("a[argv~\"x;\nb") == 10);
  CHECK(length("a=log # not; this\nb") == 17);
  CHECK(length("# not; this") == 11);
  CHECK(length("a[name=/q#1]=log;b") == 16);
}

TEST_CASE("blanks and comments are no rule", "[fault_parse]") {
  for (const std::string text : {"", "  ", "\t\r\n", "# a; b", "  # a", "\n\n"}) {
    INFO(text);
    CHECK(is_fault_blank(text.data(), text.size()));
  }
  for (const std::string text : {"x", " x", "#\nx", "x #", ";"}) {
    INFO(text);
    CHECK(!is_fault_blank(text.data(), text.size()));
  }
  CHECK(std::string(parse("\n msgsnd=log # why; not\r\n").text) == "msgsnd=log");
  CHECK(std::string(parse("msgsnd=log ; \n").text) == "msgsnd=log");
  CHECK(std::string(parse("mq_open[name=/q#1]=log").text) == "mq_open[name=/q#1]=log");
}

TEST_CASE("a rule's text makes the same rule", "[fault_parse]") {
  for (const char* text :
       {"i: sysv.*[key=1,!flag:IPC_CREAT] @1+2 skip=1 times=9 p=0.3 t=1s.. per=object=err(ENOENT)",
        "j: msgsnd[caller=\"a b+0x10\",prog=x,argv~\"y\",proc=0.1,after:k]=full->log->eintr"}) {
    FaultRule rule = parse(text, true);
    const FaultRule again = parse(std::string(rule.text, rule.text_length), true);
    std::memset(rule.id, 0, sizeof rule.id);
    CHECK(std::memcmp(&rule, &again, sizeof rule) == 0);
  }
}

}  // namespace ipcell
