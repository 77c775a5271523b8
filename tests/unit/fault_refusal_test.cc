// Rules of fault injection that are malformed: refused with the place and what was expected.
#include <string>

#include "tests/unit/fault_refusals.h"

namespace ipcell {

using namespace test;

TEST_CASE("a malformed frame is refused", "[fault_refusal]") {
  constexpr Refused kRows[] = {
      {"^^", "there is no rule; expected one as `msgsnd@3=err(ENOMEM)`"},
      {"  \t^^", "there is no rule"},
      {" ^^# msgsnd=log", "there is no rule"},
      {"msgsnd^^", "expected `=` and an action, as in `msgsnd@3=err(ENOMEM)`"},
      {"msgsnd[block]^^", "expected `=` and an action"},
      {"msgsnd @3^^", "expected `=` and an action"},
      {"msgsnd ^)^", "expected `=` and an action"},
      {"^:^msgsnd=log", "expected the rule's id"},
      {"^-a^: msgsnd=log", "begins with a letter"},
      {"^.a^: msgsnd=log", "begins with a letter"},
      {"^abcdefghijklmnopqrstuvwxyz012345^:msgsnd=log", "at most 31 bytes"},
      {"a:^:^msgsnd=log", "expected a call"},
      {"a:^^", "expected a call"},
      {"^=^log", "expected a call, as `msgsnd`, or a group of calls, as `sysv.*`"},
      {"^[^block]=log", "expected a call"},
      {"msgsnd|^^", "expected a call"},
      {"msgsnd|^=^log", "expected a call"},
      {"msgsnd^,^msgrcv=log", "expected `|` between calls"},
      {"^msgsend^=log", "there is no call `msgsend`; did you mean `msgsnd`?"},
      {"msgsnd|^msgrecv^=log", "did you mean `msgrcv`?"},
      {"^MSGSND^=log", "did you mean `msgsnd`?"},
      {"^mq_timedrecieve^=log", "did you mean `mq_timedreceive`?"},
      {"^sysv^=log", "did you mean `sysv.*`?"},
      {"^mq^=log", "did you mean `mq.*`?"},
      {"^open^=log", "there is no call `open`; expected msgget, msgsnd, msgrcv, msgctl, semget,"},
      {"^pipe*^=log", "no call's name matches `pipe*`"},
      {"^mq_?^=log", "no call's name matches"},
      {"^this_is_a_word_of_more_than_forty_letters_and_so_it_is_cut^=log",
       "`this_is_a_word_of_more_than_forty_letter...`"},
      {"msgsnd ^msgrcv^=log", "there is no trigger `msgrcv`"},
      {"msgsnd=log; ^m^sgrcv=log", "expected one rule, and its end; here another one begins"},
      {"msgsnd=log\n^m^sgrcv=log", "another one begins"},
      {"msgsnd=^\002^log", "control character: number 2"},
      {"msgsnd=^\177^log", "control character: number 127"},
  };
  for (const Refused& row : kRows) check_malformed(row);
}

TEST_CASE("malformed predicates are refused", "[fault_refusal]") {
  constexpr Refused kRows[] = {
      {"msgsnd[^]^=log", "expected a predicate, as `key=5`, `size>4K` or `flag:IPC_NOWAIT`"},
      {"msgsnd[^^", "expected a predicate"},
      {"msgsnd[size>4,^]^=log", "expected a predicate"},
      {"msgsnd[size>4 ^block^]=log", "expected `,` and a predicate, or `]`"},
      {"msgsnd[block^^", "expected `,` and a predicate, or `]`; quotes go around"},
      {"msgsnd[^siez^>4]=log", "there is no predicate `siez`; did you mean `size`?"},
      {"msgsnd[^colour^=4]=log", "expected key, name, id, type, prio, size,"},
      {"msgsnd[^!^size>4]=log", "`!` stands in front of `flag:` alone"},
      {"msgsnd[!^^", "expected a predicate"},
      {"msgsnd[size^]^=log", "expected `size=`, `size!=`, `<`, `<=`, `>` or `>=`"},
      {"msgsnd[size^:^4]=log", "expected `size=`"},
      {"msgsnd[size^!^4]=log", "expected `size=`"},
      {"msgsnd[id^>^4]=log", "expected `id=`, `id!=`"},
      {"msgsnd[key^<=^4]=log", "expected `key=`, `key!=`"},
      {"mq_open[name^!=^/q]=log", "expected `name=`"},
      {"msgsnd[prog^>^q]=log", "expected `prog=`"},
      {"msgsnd[size>^^", "expected a size, as `4K`"},
      {"msgsnd[size>^x^]=log", "expected a size"},
      {"msgsnd[size>^4Kx^]=log", "`4Kx` is no number"},
      {"msgsnd[size>^4T^]=log", "`4T` is no number"},
      {"msgsnd[size>^08^]=log", "`08` is no number"},
      {"msgsnd[size>^0x^]=log", "`0x` is no number"},
      {"msgsnd[size>^-1^]=log", "`-1` is out of range: expected a size, as `4K` of at least 0"},
      {"msgsnd[size>^8589934592G^]=log", "out of range"},
      {"msgsnd[size>^18446744073709551616^]=log", "out of range"},
      {"msgsnd[id=^4K^]=log", "`4K` is no number; expected an id"},
      {"msgsnd[id=^2147483648^]=log", "expected an id of 0 to 2147483647"},
      {"msgget[key=^0x100000000^]=log", "expected a key, as `0x1234` or `IPC_PRIVATE` of"},
      {"msgget[key=^IPC_PUBLIC^]=log", "expected a key"},
      {"msgsnd[type=^9223372036854775808^]=log", "out of range"},
      {"msgsnd[type=^-9223372036854775809^]=log", "out of range"},
      {"mq_send[prio=^32768^]=log", "a priority of 0 to 32767"},
      {"semop[sem=^65536^]=log", "a semaphore's number of 0 to 65535"},
      {"msgsnd[uid=^root^]=log", "expected a user's number"},
      {"msgctl[cmd=^]^=log", "expected a command, as `IPC_RMID`, or its number"},
      {"msgctl[cmd=^IPC_RIMD^]=log", "did you mean `IPC_RMID`?"},
      {"msgsnd[flag^=^IPC_NOWAIT]=log", "expected `:` and a flag, as in `flag:IPC_NOWAIT`"},
      {"msgsnd[flag:^]^=log", "expected a flag, as `IPC_NOWAIT`"},
      {"msgsnd[flag:^NOWAIT^]=log", "there is no flag `NOWAIT`"},
      {"msgsnd[flag:^IPC_NOWIAT^]=log", "did you mean `IPC_NOWAIT`?"},
      {"msgget[flag:IPC_CREAT|^]^=log", "expected a flag"},
      {"sysv.*[flag:^IPC_CREAT|SHM_RND^]=log", "no call has all of these flags"},
      {"mq_open[flag:^O_CREAT|O_RDONLY^]=log", "O_RDONLY is no bit: expected it alone"},
      {"mq_open[name=^]^=log", "expected a queue's name, as `/q*`"},
      {"mq_open[name=^q^]=log", "a queue's name begins with `/`"},
      {"mq_open[name=^\"/q]=log^", "expected a `\"` at the end of a queue's name"},
      {"mq_open[name=/q^\"^a\"]=log", "expected quotes around all of"},
      {"mq_open[name=\"/q\"^a^]=log", "expected `,` and a predicate, or `]`"},
      {"msgsnd[prog=^/bin/x^]=log", "expected a program's name without its folder"},
      {"msgsnd[prog=^\"\"^]=log", "expected a program's name"},
      {"msgsnd[argv^=^x]=log", "expected `~` and a regular expression, as in `argv~^worker`"},
      {"msgsnd[argv~^]^=log", "expected a regular expression"},
      {"msgsnd[proc=^1^]=log", "expected a process's fork path, as `0` or `0.2.1`"},
      {"msgsnd[proc=^0.^]=log", "expected a process's fork path"},
      {"msgsnd[proc=^0.0^]=log", "expected a process's fork path"},
      {"msgsnd[proc=^0.01^]=log", "expected a process's fork path"},
      {"msgsnd[proc=^0.1.x^]=log", "expected a process's fork path"},
      {"msgsnd[proc=^0.1234567890.1234567890.1234567890.12345678901234^]=log",
       "a fork path has at most 47 bytes"},
      {"msgsnd[caller=^lib/x^]=log", "expected a file's name without its folder"},
      {"msgsnd[caller=^^+0x12]=log", "expected a caller, as `libfoo.so`"},
      {"msgsnd[caller=x+^0x8000000000000000^]=log", "out of range: expected an offset"},
      {"msgsnd[after^=^x]=log", "expected `:` and a rule's id, as in `after:RULE`"},
      {"msgsnd[after:^]^=log", "expected a rule's id"},
      {"msgsnd[after:^-x^]=log", "begins with a letter"},
      {"a:msgsnd[after:^a^]=log", "a rule that waits for itself would never fire"},
      {"msgsnd[id=0,id=1,id=2,id=3,id=4,id=5,id=6,id=7,id=8,id=9,id=10,id=11,^id^=12]=log",
       "a rule has at most 12 predicates"},
  };
  for (const Refused& row : kRows) check_malformed(row);
}

TEST_CASE("predicates that a call has not are refused", "[fault_refusal]") {
  constexpr Refused kRows[] = {
      {"msgget[^type=3^]=log", "msgget has no message type; msgsnd, msgrcv have"},
      {"msgsnd|msgget[^type=3^]=log", "msgget has no message type"},
      {"msgget|sysv.*[^type=3^]=log", "msgget has no message type"},
      {"shm.*[^type=3^]=log", "shmget has no message type"},
      {"mq_open[^key=3^]=log", "mq_open has no key; msgget,"},
      {"msgsnd[^name=/q^]=log", "msgsnd has no queue name; mq_open,"},
      {"msgget[^id=3^]=log", "msgget has no id; msgsnd,"},
      {"msgsnd[^prio=3^]=log", "msgsnd has no priority; mq_send, mq_timedsend have"},
      {"semop[^size=3^]=log", "semop has no size"},
      {"msgsnd[^nsems=3^]=log",
       "msgsnd has no number of semaphores; semget, semop, semtimedop have"},
      {"semget[^sem=3^]=log", "semget has no semaphore; semop, semtimedop, semctl have"},
      {"semop[^cmd=IPC_RMID^]=log", "semop has no such command"},
      {"msgctl[^cmd=SETVAL^]=log", "msgctl has no such command; semctl has"},
      {"msgsnd[^flag:IPC_CREAT^]=log", "msgsnd has no such flag; msgget, semget, shmget have"},
      {"msgsnd[^!flag:MSG_COPY^]=log", "msgsnd has no such flag; msgrcv has"},
      {"semop[^depth>3^]=log", "semop has no depth of a queue"},
      {"shmat[^block^]=log", "shmat never sleeps; msgsnd, msgrcv,"},
      {"*[type=1,^prio=3^]=log", "msgsnd has no priority"},
      {"msgsnd[flag:IPC_NOWAIT,^block^]=log", "never sleeps"},
      {"msgsnd[block,size>1,^flag:IPC_NOWAIT^,id=1]=log", "no call is so"},
      {"mq_send[!flag:O_NONBLOCK,^flag:O_NONBLOCK^]=log", "no call is so"},
  };
  for (const Refused& row : kRows) check_malformed(row);
}

TEST_CASE("malformed triggers are refused", "[fault_refusal]") {
  constexpr Refused kRows[] = {
      {"msgsnd@^=^log", "expected a call's number, as in `@3`, `@3+2` or `@3..7`"},
      {"msgsnd@^^", "expected a call's number"},
      {"msgsnd@^-1^=log", "expected a call's number"},
      {"msgsnd@^0^=log", "`0` is out of range: expected a call's number of at least 1"},
      {"msgsnd@^3x^=log", "`3x` is no number"},
      {"msgsnd@^9223372036854775808^=log", "out of range"},
      {"msgsnd@3..^=^log", "expected the last call's number"},
      {"msgsnd@3..^+^2=log", "expected the last call's number"},
      {"msgsnd@^3..2^=log", "the last call comes before the first"},
      {"msgsnd@3+^0^=log", "expected a step of at least 1"},
      {"msgsnd@3^.^=log", "expected `=` and an action"},
      {"msgsnd@3 ^@^4=log", "`@` is there twice"},
      {"msgsnd skip ^3^=log", "expected `skip=` and its value"},
      {"msgsnd skip=^=^log", "expected how many calls to skip"},
      {"msgsnd times=^0^=log", "expected how often to fire of at least 1"},
      {"msgsnd times=2 ^times^=3=log", "`times` is there twice"},
      {"msgsnd ^tiems^=2=log", "there is no trigger `tiems`; did you mean `times`?"},
      {"msgsnd ^every^=2=log", "expected skip, times, p, t or per"},
      {"msgsnd ^err^(ENOMEM)", "expected `=` in front of the action `err`"},
      {"msgsnd@3 ^unsafe.drop^", "expected `=` in front of the action"},
      {"msgsnd p=^x^=log", "expected a chance, as `0.25` or `25%`"},
      {"msgsnd p=^1.5^=log", "`1.5` is out of range: expected a chance from 0 to 1"},
      {"msgsnd p=^100.1%^=log", "expected a chance from 0 to 100%"},
      {"msgsnd p=^99999999999999999999999^=log", "is too large"},
      {"msgsnd p=0.^=^log", "expected digits behind the point"},
      {"msgsnd p=0.123456789^0^=log", "expected at most nine digits behind the point"},
      {"msgsnd p=^0.000000001%^=log", "is too small a chance"},
      {"msgsnd p=0.5^x^=log", "there is no trigger `x`"},
      {"msgsnd t=^=^log", "expected a span of time, as `t=5s..9s`, `t=5s..` or `t=..9s`"},
      {"msgsnd t=5s^=^log", "expected a span of time"},
      {"msgsnd t=5^..9s^=log", "expected the duration's unit: ns, us, ms, s, min or h"},
      {"msgsnd t=5^=^log", "expected the duration's unit"},
      {"msgsnd t=5^sec^..=log", "expected the duration's unit"},
      {"msgsnd t=^..^=log", "expected a time before or behind the `..`"},
      {"msgsnd t=^9s..5s^=log", "the span of time ends before it begins"},
      {"msgsnd t=^5s..5s^=log", "the span of time ends before it begins"},
      {"msgsnd t=^9223372037s^..=log", "is too long"},
      {"msgsnd t=^99999999999h^..=log", "is too long"},
      {"msgsnd per=^=^log", "expected global, proc, thread or object"},
      {"msgsnd per=^process^=log", "there is no scope `process`; expected global, proc,"},
      {"msgsnd per=^threads^=log", "did you mean `thread`?"},
      {"msgsnd ^@3 skip=3^=log", "it never fires"},
  };
  for (const Refused& row : kRows) check_malformed(row);
}

TEST_CASE("malformed actions are refused", "[fault_refusal]") {
  constexpr Refused kRows[] = {
      {"msgsnd=^^", "expected an action: err, eintr, rmid, limit, full,"},
      {"msgsnd=^(^", "expected an action"},
      {"msgsnd=^error^(ENOMEM)", "there is no action `error`"},
      {"msgsnd=^kil^(before)", "there is no action `kil`; did you mean `kill`?"},
      {"msgsnd=^unsafe^", "there is no action `unsafe`; expected err,"},
      {"msgsnd=^unsafe.dorp^", "did you mean `unsafe.drop`?"},
      {"msgsnd=log ^log^", "expected `->` and another action, or the rule's end"},
      {"msgsnd=log^,^yield", "expected `->`"},
      {"msgsnd=log^-yield^", "expected `->`"},
      {"msgsnd=log->^^", "expected an action"},
      {"msgsnd=log^(^)", "expected `->`"},
      {"msgsnd=err^^", "expected `(`, as in `err(ENOMEM)`"},
      {"msgsnd=err(^)^", "expected an error, as `ENOMEM`, or its number"},
      {"msgsnd=err(^ENOMEN^)", "there is no error `ENOMEN`; did you mean `ENOMEM`?"},
      {"msgsnd=err(^enomem^)", "did you mean `ENOMEM`?"},
      {"msgsnd=err(^EQUITE^)", "there is no error `EQUITE`; expected an error"},
      {"msgsnd=err(^0^)", "expected an error, as `ENOMEM`, or its number of 1 to 4095"},
      {"msgsnd=err(^-12^)", "expected an error"},
      {"msgsnd=err(ENOMEM^^", "expected `)`"},
      {"msgsnd=err(ENOMEM^,^)", "expected `)`"},
      {"msgsnd=rmid^^", "expected `(`, as in `rmid(before)`"},
      {"msgsnd=rmid(^)^", "expected before or blocked"},
      {"msgsnd=rmid(^after^)", "`after` is no point of time; expected before or blocked"},
      {"msgsnd=kill(^woken^)", "expected before, blocked or after"},
      {"msgsnd=kill(before^^", "expected `)`"},
      {"msgsnd=delay(^10ms^)",
       "`10ms` is no point of time; expected enter, blocked, woken or exit"},
      {"msgsnd=delay(enter^)^", "expected `,` and a duration, as `10ms`"},
      {"msgsnd=delay(enter,^)^", "expected a duration, as `10ms` or `1.5s`"},
      {"msgsnd=delay(enter,10^)^", "expected the duration's unit"},
      {"msgsnd=stop(^-1s^)", "expected a duration"},
      {"msgsnd=stop(^9223372036854775808ns^)", "is too long"},
      {"msgsnd=sig(^)^", "expected a signal, as `SIGTERM`, or its number"},
      {"msgsnd=sig(^SIGTREM^)", "did you mean `SIGTERM`?"},
      {"msgsnd=sig(^0^)", "a signal, as `SIGTERM`, or its number of 1 to 64"},
      {"msgsnd=sig(^65^)", "of 1 to 64"},
      {"msgsnd=exit(^256^)", "expected an exit status of 0 to 255"},
      {"msgsnd=exit(^)^", "expected an exit status"},
      {"msgget=limit(^)^", "expected a limit: msgmax, msgmnb, msgmni, semmsl,"},
      {"msgget=limit(^msgmin^=0)", "there is no limit `msgmin`; did you mean `msgmni`?"},
      {"msgget=limit(msgmni^)^", "expected `=` and the limit's value"},
      {"msgget=limit(msgmni=^-1^)", "expected a limit of 0 to 32768"},
      {"msgget=limit(msgmni=^32769^)", "expected a limit of 0 to 32768"},
      {"msgget=limit(msgmnb=^2G^)", "expected a limit of 0 to 2147483647"},
      {"mq_open=limit(msg_max=^0^)", "expected a limit of 1 to 65536"},
      {"mq_open=limit(msgsize_max=^127^)", "expected a limit of 128 to 16777216"},
      {"msgsnd=log->yield->full->delay(enter,1s)->delay(woken,1s)->sig(1)->sig(2)->off->^eintr^",
       "a rule has at most 8 actions"},
      {"msgsnd=log->^log^", "`log` is there already"},
      {"msgsnd=delay(enter,1s)->^delay(enter,2s)^", "`delay(enter,1s)` is there already"},
      {"msgrcv=full->^empty^", "`full` is there already"},
      {"msgget=limit(msgmni=0)->^limit(msgmni=1)^", "is there already"},
      {"msgsnd=sig(SIGUSR1)->^sig(SIGUSR1)^", "is there already"},
      {"msgsnd=err(ENOMEM)->^eintr^", "`err(ENOMEM)` is the call's result already"},
      {"semtimedop=eintr->^timeout^", "`eintr` is the call's result already"},
      {"msgsnd=kill(before)->^log^", "nothing comes behind `kill(before)`: the process is gone"},
      {"msgsnd=exit(3)->^err(ENOMEM)^", "nothing comes behind `exit(3)`"},
      {"msgsnd=kill(blocked)->^delay(woken,1s)^", "nothing comes behind"},
  };
  for (const Refused& row : kRows) check_malformed(row);
}

TEST_CASE("a regular expression is judged by whoever can", "[fault_refusal]") {
  FaultParseOptions options;
  options.is_regex = [](const char* text, std::size_t length) {
    return std::string(text, length) != "a(";
  };
  FaultRule rule;
  FaultError error;
  const std::string good = "msgsnd[argv~a]=log", bad = "msgsnd[argv~a(]=log";
  CHECK(parse_fault_rule(good.data(), good.size(), options, &rule, &error));
  CHECK(!parse_fault_rule(bad.data(), bad.size(), options, &rule, &error));
  CHECK(error.column == 13);
  CHECK(error.length == 2);
  CHECK(std::string(error.message) == "`a(` is no extended regular expression");
}

TEST_CASE("a rule's text has its length", "[fault_refusal]") {
  const std::string start = "msgsnd[prog=", end = "]=log";
  const std::string fitting(kFaultTextMax - 1 - start.size() - end.size(), 'x');
  const Parsed most = parse("id:" + start + fitting + end, false);
  CHECK(most.is_parsed);
  CHECK(most.rule.text_length == kFaultTextMax - 1);
  const Parsed more = parse("id:" + start + fitting + "xyz" + end, false);
  CHECK(!more.is_parsed);
  CHECK(more.error.column == 3 + kFaultTextMax);
  CHECK(more.error.length == 3);
  CHECK(std::string(more.error.message) == "a rule has at most 511 bytes");
}

TEST_CASE("what is left of a rule is a rule, or refused inside of it", "[fault_refusal]") {
  for (const std::string text :
       {"id: msgsnd|sem.* [size>4K, !flag:IPC_NOWAIT, argv~\"a;]\"] @3..7+2 skip=1 times=2 p=25% "
        "t=5s..9s per=thread = delay(enter, 10ms) -> err(ENOMEM) # why",
        "mq_*[name=/q*,prog=x,proc=0.1,caller=l+0x1,after:x,uid=0]t=..1h=limit(queues_max=3)->off",
        "semtimedop[block,sem=1,nsems>2]=rmid(blocked)->timeout->stop(1s)->kill(after)"}) {
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const Parsed outcome = parse(text.substr(0, length), true);
      if (outcome.is_parsed) continue;
      INFO(text.substr(0, length));
      CHECK(outcome.error.column >= 1);
      CHECK(outcome.error.column <= length + 1);
      CHECK(outcome.error.length >= 1);
      CHECK(outcome.error.message[0] != '\0');
    }
  }
}

}  // namespace ipcell
