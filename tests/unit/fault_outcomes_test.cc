// The table of what Linux can answer to which call.
#include "core/ipc/fault_outcomes.h"

#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "core/ipc/fault_parse.h"
#include "tests/unit/catch.h"

namespace ipcell {

namespace {

// The errors of the manual pages' sections, "kernel" ones beside them.
struct Page {
  FaultOp op;
  std::set<int> errors;
};

const Page kPages[] = {
    {FaultOp::Msgget, {EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC}},
    {FaultOp::Msgsnd, {EACCES, EAGAIN, EFAULT, EIDRM, EINTR, EINVAL, ENOMEM}},
    {FaultOp::Msgrcv, {E2BIG, EACCES, EFAULT, EIDRM, EINTR, EINVAL, ENOMSG}},
    {FaultOp::Msgctl, {EACCES, EFAULT, EIDRM, EINVAL, EPERM}},
    {FaultOp::Semget, {EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC}},
    {FaultOp::Semop, {E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, ENOMEM, ERANGE}},
    {FaultOp::Semtimedop,
     {E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, ENOMEM, ERANGE}},
    {FaultOp::Semctl, {EACCES, EFAULT, EIDRM, EINVAL, EPERM, ERANGE}},
    {FaultOp::Shmget, {EACCES, EEXIST, EINVAL, ENFILE, ENOENT, ENOMEM, ENOSPC, EPERM}},
    {FaultOp::Shmat, {EACCES, EIDRM, EINVAL, ENOMEM}},
    {FaultOp::Shmdt, {EINVAL}},
    {FaultOp::Shmctl, {EACCES, EFAULT, EIDRM, EINVAL, ENOMEM, EOVERFLOW, EPERM}},
    {FaultOp::MqOpen,
     {EACCES, EEXIST, EINVAL, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOSPC}},
    {FaultOp::MqClose, {EBADF}},
    {FaultOp::MqUnlink, {EACCES, ENAMETOOLONG, ENOENT}},
    {FaultOp::MqSend, {EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT}},
    {FaultOp::MqTimedsend, {EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT}},
    {FaultOp::MqReceive, {EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT}},
    {FaultOp::MqTimedreceive, {EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT}},
    {FaultOp::MqNotify, {EBADF, EBUSY, EINVAL, ENOMEM}},
    {FaultOp::MqGetattr, {EBADF}},
    {FaultOp::MqSetattr, {EBADF, EINVAL}},
};

std::string describe(const FaultOutcome& outcome) {
  return std::string(name_of(outcome.op)) + " " + name_of_errno(outcome.error);
}

bool parses(const std::string& text) {
  FaultRule rule;
  FaultError error;
  return parse_fault_rule(text.data(), text.size(), {}, &rule, &error);
}

}  // namespace

TEST_CASE("all errors of the manual pages are in the table", "[fault_outcomes]") {
  for (const Page& page : kPages) {
    for (int error : page.errors) {
      INFO(name_of(page.op) << " " << name_of_errno(error));
      CHECK(find_fault_outcome(page.op, error) != nullptr);
    }
  }
  CHECK(std::size(kPages) == kFaultOps);
  CHECK(find_fault_outcome(FaultOp::Msgget, EPIPE) == nullptr);
}

TEST_CASE("the table is in order, and whole", "[fault_outcomes]") {
  const FaultOutcomes all = fault_outcomes();
  std::set<std::pair<FaultOp, int>> seen;
  for (u32 n = 0; n < all.count; ++n) {
    const FaultOutcome& outcome = all.first[n];
    INFO(n);
    REQUIRE(name_of(outcome.op) != nullptr);
    REQUIRE(name_of_errno(outcome.error) != nullptr);
    INFO(describe(outcome));
    CHECK(outcome.reason != nullptr);
    CHECK(std::strlen(outcome.reason) > 8);
    CHECK((n == 0 || all.first[n - 1].op <= outcome.op));
    // Those of one error stand together, and are found by their first.
    const FaultOutcome* found = find_fault_outcome(outcome.op, outcome.error);
    while (found != nullptr && found != &outcome) found = next_fault_outcome(found);
    CHECK(found == &outcome);
    if (!seen.insert({outcome.op, outcome.error}).second)
      CHECK(next_fault_outcome(&outcome - 1) == &outcome);
  }
}

TEST_CASE("how an error comes about fits its call", "[fault_outcomes]") {
  const FaultOutcomes all = fault_outcomes();
  for (u32 n = 0; n < all.count; ++n) {
    const FaultOutcome& outcome = all.first[n];
    INFO(describe(outcome));
    switch (outcome.way) {
      case FaultWay::Asleep:
        CHECK(outcome.error == EINTR);
        CHECK(can_block(outcome.op));
        break;
      case FaultWay::Expired: CHECK(can_block(outcome.op)); break;
      case FaultWay::Vanished: CHECK(outcome.error == EIDRM); break;
      case FaultWay::Removed: CHECK((outcome.error == EINVAL || outcome.error == ENOENT)); break;
      case FaultWay::Limited: CHECK(static_cast<u32>(outcome.limit) < kFaultLimits); break;
      case FaultWay::Plain:
      case FaultWay::Never: CHECK(outcome.error != EINTR); break;
    }
    if (can_block(outcome.op)) CHECK(find_fault_outcome(outcome.op, EINTR) != nullptr);
  }
}

TEST_CASE("two ways lead to semtimedop's EAGAIN", "[fault_outcomes]") {
  const FaultOutcome* first = find_fault_outcome(FaultOp::Semtimedop, EAGAIN);
  REQUIRE(first != nullptr);
  CHECK(first->way == FaultWay::Plain);
  const FaultOutcome* second = next_fault_outcome(first);
  REQUIRE(second != nullptr);
  CHECK(second->way == FaultWay::Expired);
  CHECK(next_fault_outcome(second) == nullptr);
}

TEST_CASE("a kernel without a family answers ENOSYS, and does not stand in the table",
          "[fault_outcomes]") {
  const FaultOutcome* missing = find_fault_outcome(FaultOp::MqSend, ENOSYS);
  REQUIRE(missing != nullptr);
  CHECK(missing->way == FaultWay::Plain);
  CHECK(missing->needs == 0);
  CHECK(next_fault_outcome(missing) == nullptr);
  const FaultOutcomes all = fault_outcomes();
  for (u32 n = 0; n < all.count; ++n) CHECK(all.first[n].error != ENOSYS);
}

TEST_CASE("a rule may inject what the table says, and nothing else", "[fault_outcomes]") {
  for (u32 op = 0; op < kFaultOps; ++op) {
    for (int error = 1; error <= 133; ++error) {
      if (error == ENOSYS) continue;
      const FaultOutcome* outcome = find_fault_outcome(static_cast<FaultOp>(op), error);
      const bool is_possible = outcome != nullptr && outcome->way != FaultWay::Never;
      const std::string text =
          std::string(name_of(static_cast<FaultOp>(op))) + "=err(" + std::to_string(error) + ")";
      INFO(text);
      CHECK(parses(text) == is_possible);
    }
  }
}

}  // namespace ipcell
