// Rules of fault injection that stop and end processes: what the others find.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ipc/fault.h"
#include "tests/unit/catch.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

using namespace test;

TEST_CASE("kill, exit, sig and stop reach the process", "[fault_death]") {
  const auto status_of = [](const std::string& text) {
    TestCell cell;
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      signal(SIGTERM, SIG_DFL);
      TestTask task(cell);
      FaultRule rule = {};
      FaultError error;
      if (!parse_fault_rule(text.c_str(), text.size(), {}, &rule, &error)) _exit(100);
      const int id = make_queue(task);
      if (add_fault_rule(task, rule) != 0) _exit(101);
      const long result = send(task, id, 1, "x", IPC_NOWAIT);
      _exit(result == 0 ? 0 : 102);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    TestTask task(cell);
    CHECK_FALSE(cell.is_poisoned());
    // Whether the message was sent.
    const bool was_sent = next_text(task, 0) == "x";
    return std::make_pair(status, was_sent);
  };
  const auto [before, sent_before] = status_of("msgsnd=kill(before)");
  CHECK(WIFSIGNALED(before));
  CHECK(WTERMSIG(before) == SIGKILL);
  CHECK_FALSE(sent_before);
  const auto [after, sent_after] = status_of("msgsnd=kill(after)");
  CHECK(WTERMSIG(after) == SIGKILL);
  CHECK(sent_after);
  const auto [left, sent_left] = status_of("msgsnd=exit(7)");
  CHECK(WEXITSTATUS(left) == 7);
  CHECK_FALSE(sent_left);
  const auto [hit, sent_hit] = status_of("msgsnd=sig(SIGTERM)");
  CHECK(WTERMSIG(hit) == SIGTERM);
  CHECK_FALSE(sent_hit);
  const auto [stopped, sent_stopped] = status_of("msgsnd=stop(20ms)");
  CHECK(WIFEXITED(stopped));
  CHECK(WEXITSTATUS(stopped) == 0);
  CHECK(sent_stopped);
}

TEST_CASE("kill(blocked) leaves a queue that others go on with", "[fault_death]") {
  TestCell cell;
  TestTask task(cell);
  const int id = make_queue(task);
  FaultRule rule = {};
  FaultError error;
  const std::string text = "msgrcv=kill(blocked)";
  REQUIRE(parse_fault_rule(text.c_str(), text.size(), {}, &rule, &error));
  REQUIRE(add_fault_rule(task, rule) == 0);
  const pid_t child = fork();
  if (child == 0) {
    TestTask own(cell);
    (void)receive(own, id, 10, 0);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  remove_fault_rules(task, nullptr, nullptr);
  CHECK(send(task, id, 1, "x") == 0);
  CHECK(next_text(task, id) == "x");
}

}  // namespace ipcell
