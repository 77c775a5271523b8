// Linux: ipc/util.c:ipcperms(), ipcctl_obtain_check()
#include "core/ipc/perm.h"

#include <utility>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

using test::user;

constexpr u32 kRead = 0444, kWrite = 0222, kBoth = 0666;

// Owner 10:20, creator 11:21.
PermRec perm_with(u32 mode) { return {0, 0, 10, 20, 11, 21, mode, 0}; }

struct Caller {
  const char* name;
  Cred cred;
  int shift;  // where the class that decides stands in the mode
};

std::vector<Caller> callers() {
  static const u32 kGroups[] = {77, 20, 78};
  static const u32 kCreatorGroups[] = {77, 21};
  static const u32 kOtherGroups[] = {77, 78};
  const auto with_groups = [](Cred cred, const u32* groups, u32 count) {
    cred.groups = groups;
    cred.group_count = count;
    return cred;
  };
  Cred by_effective_group_alone = user(99, 99);
  by_effective_group_alone.egid = 20;
  return {{"the owner", user(10, 99), 6},
          {"the creator", user(11, 99), 6},
          {"the owner, in the group as well", user(10, 20), 6},
          {"one of the owner's group", user(99, 20), 3},
          {"one of the creator's group", user(99, 21), 3},
          {"one with the group among others", with_groups(user(99, 99), kGroups, 3), 3},
          {"one with the creator's group last", with_groups(user(99, 99), kCreatorGroups, 2), 3},
          {"one with other groups", with_groups(user(99, 99), kOtherGroups, 2), 0},
          // The filesystem group is asked for, unless it is among the supplementary ones.
          {"one with the effective group alone", by_effective_group_alone, 0},
          {"a stranger", user(99, 99), 0}};
}

}  // namespace

TEST_CASE("one class decides: owner and creator, group, others", "[perm]") {
  for (const Caller& caller : callers()) {
    for (u32 mode = 0; mode <= 0777; ++mode) {
      const u32 granted = mode >> caller.shift & 7;
      for (const auto& [flag, wanted] :
           {std::pair{kRead, 4u}, {kWrite, 2u}, {kBoth, 6u}, {0u, 0u}}) {
        const bool expected = (wanted & ~granted) == 0;
        if (is_permitted(caller.cred, perm_with(mode), flag) == expected) continue;
        FAIL_CHECK(caller.name << ", mode " << std::oct << mode << ", flag " << flag);
      }
    }
  }
}

TEST_CASE("the wanted bits may stand in any class", "[perm]") {
  // As in the flags of msgget(2).
  for (u32 flag : {0400, 0040, 0004, 0440}) {
    CHECK(is_permitted(user(99, 99), perm_with(0004), flag));
    CHECK_FALSE(is_permitted(user(99, 99), perm_with(0770), flag));
  }
  CHECK_FALSE(is_permitted(user(10, 99), perm_with(0400), 0006));
  CHECK(is_permitted(user(10, 99), perm_with(0600), 0006));
  // IPC_CREAT, IPC_EXCL and IPC_NOWAIT ask for nothing.
  CHECK(is_permitted(user(99, 99), perm_with(0), 07000));
}

TEST_CASE("only CAP_IPC_OWNER passes over the mode", "[perm]") {
  Cred cred = user(99, 99);
  for (int capability = 0; capability < 41; ++capability) {
    cred.capabilities = 1ull << capability;
    CHECK(is_permitted(cred, perm_with(0), kBoth) == (capability == kCapIpcOwner));
  }
  // Being user 0 is not enough.
  CHECK_FALSE(is_permitted(user(0, 0), perm_with(0), kRead));
}

TEST_CASE("owner, creator and CAP_SYS_ADMIN may change and remove", "[perm]") {
  for (const Caller& caller : callers()) {
    INFO(caller.name);
    CHECK(is_owner_or_admin(caller.cred, perm_with(0)) == (caller.shift == 6));
    CHECK(is_owner_or_admin(caller.cred, perm_with(0777)) == (caller.shift == 6));
  }
  Cred cred = user(99, 99);
  for (int capability = 0; capability < 41; ++capability) {
    cred.capabilities = 1ull << capability;
    CHECK(is_owner_or_admin(cred, perm_with(0777)) == (capability == kCapSysAdmin));
  }
}

}  // namespace ipcell
