// Tokens: a thread's death, a process's death, exec.
#include "core/cell/liveness.h"

#include <unistd.h>

#include "core/cell/task_table.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

struct Tokens {
  Token token;
  u32 word;
  i32 pid;
};

// Ready to be waited for.
bool is_held(const Token& token) { return (load_acquire(token.word) & kFutexWaiters) != 0; }

// Sleeps until the token's owner is dead. The timeout is a bound for a test that fails.
bool is_woken_by_death(Tokens& tokens) {
  for (;;) {
    const u32 seen = load_acquire(tokens.token.word);
    if (is_token_dead(tokens.token)) return true;
    const FutexWaitv words[] = {futex_waitv_entry(tokens.word, 0),
                                futex_waitv_entry(tokens.token.word, seen)};
    const int result = futex_wait_many(words, 2, 30'000'000'000);
    if (result == -ENOSYS) return true;
    if (result == -ETIMEDOUT) return false;
  }
}

}  // namespace

TEST_CASE("a token lives as long as it is held", "[liveness]") {
  const test::Shared<Tokens> shared;
  Token& token = shared->token;
  CHECK(is_token_dead(token));
  REQUIRE(take_token(token) == 0);
  CHECK_FALSE(is_token_dead(token));
  CHECK((token.word & kFutexTidMask) == static_cast<u32>(gettid()));
  // Without this bit the kernel wakes nobody.
  CHECK((token.word & kFutexWaiters) != 0);
  drop_token(token);
  CHECK(is_token_dead(token));
  // Again, whatever an earlier owner left.
  token.word = kFutexOwnerDied | 4711;
  token.rest[0] = 0xff;
  REQUIRE(take_token(token) == 0);
  CHECK_FALSE(is_token_dead(token));
  drop_token(token);
}

TEST_CASE("a thread's death marks its token and wakes who waits for it", "[liveness]") {
  const test::Shared<Tokens> shared;
  std::promise<void> may_end;
  std::thread thread([&] {
    if (take_token(shared->token) != 0) return;
    may_end.get_future().get();
  });
  test::wait_until([&] { return is_held(shared->token); });
  auto woken = std::async(std::launch::async, [&] { return is_woken_by_death(*shared); });
  may_end.set_value();
  CHECK(woken.get());
  thread.join();
  CHECK(is_token_dead(shared->token));
}

TEST_CASE("a killed process's token is marked and wakes who waits for it", "[liveness]") {
  const test::Shared<Tokens> shared;
  test::Child child([&]() -> int {
    CHILD_CHECK(take_token(shared->token) == 0);
    for (;;) pause();
  });
  test::wait_until([&] { return is_held(shared->token); });
  CHECK_FALSE(is_token_dead(shared->token));
  auto woken = std::async(std::launch::async, [&] { return is_woken_by_death(*shared); });
  child.kill();
  CHECK(woken.get());
  CHECK(is_token_dead(shared->token));
}

TEST_CASE("exec marks the token although the process lives", "[liveness]") {
  test::TestCell cell;
  const test::Shared<Tokens> shared;
  test::Child child([&] {
    test::TestTask task(cell);
    shared->pid = static_cast<i32>(task.slot);
    int pipe_ends[2];
    CHILD_CHECK(pipe(pipe_ends) == 0 && dup2(pipe_ends[0], STDIN_FILENO) == 0);
    execlp("cat", "cat", nullptr);
    return 1;
  });
  u32 slot = kNoSlot;
  test::wait_until([&] {
    slot = static_cast<u32>(load_acquire(shared->pid));
    return slot != kNoSlot && is_dead(cell, slot);
  });
  CHECK_FALSE(is_process_gone(*cell.task(slot)));
  child.kill();
  CHECK(is_process_gone(*cell.task(slot)));
}

TEST_CASE("a slot is dead only while it is in use", "[liveness]") {
  test::TestCell cell;
  test::TestTask task(cell);
  test::Worker worker(cell);
  CHECK_FALSE(is_dead(cell, task.slot));
  CHECK_FALSE(is_dead(cell, worker.slot()));
  worker.die();
  CHECK(is_dead(cell, worker.slot()));
  // Two slots that were never claimed.
  CHECK_FALSE(is_dead(cell, worker.slot() + 1));
  CHECK_FALSE(is_dead(cell, worker.slot() + 2));
}

}  // namespace ipcell
