// Identifiers as the kernel gives them. Linux: ipc/util.c:ipc_addid(), ipc_idr_alloc(), ipc_rmid()
#include "core/ipc/registry.h"

#include <cerrno>
#include <map>
#include <random>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

constexpr i32 kNoLimit = 1 << 30;

// A registry whose objects are nothing but their permissions, in the heap's memory.
class RegistryTest {
 public:
  RegistryTest() : task_(cell), registry(cell.layout().registries[kFamilySem]) {
    REQUIRE(cell.populate(kHeapOffset, (kMaxIds + 1) * sizeof(PermRec)) == 0);
    for (u32 n = 0; n <= kMaxIds; ++n)
      free_.push_back(reinterpret_cast<PermRec*>(cell.scratch()) + n);
  }

  int add(i32 key = 0, i32 limit = kNoLimit) {
    PermRec& perm = *free_.back();
    perm = {-1, key, 0, 0, 0, 0, 0, 0};
    Journal journal(task_);
    const int id = add_id_locked(journal, cell, registry, cell.offset_of(&perm), perm, limit);
    journal.commit();
    if (id >= 0) {
      CHECK(perm.id == id);
      perms_[id] = &perm;
      free_.pop_back();
    }
    return id;
  }
  void remove(int id) {
    Journal journal(task_);
    remove_id_locked(journal, cell, registry, *perms_.at(id));
    journal.commit();
    free_.push_back(perms_.at(id));
    perms_.erase(id);
  }
  // Adds and takes it back before the commit.
  int add_in_vain(i32 key) {
    PermRec& perm = *free_.back();
    perm = {-1, key, 0, 0, 0, 0, 0, 0};
    Journal journal(task_);
    const int id = add_id_locked(journal, cell, registry, cell.offset_of(&perm), perm, kNoLimit);
    roll_back_journal(cell, *task_.rec);
    return id;
  }
  int find(i32 key) {
    const Idx idx = find_key_locked(cell, registry, static_cast<Key>(key));
    return static_cast<int>(idx);
  }
  // The id of the record that stands where `id` leads, -1 for none.
  int id_at(i32 id) const {
    const u64 offset = peek_record(registry, id);
    return offset == 0 ? -1 : cell.at<PermRec>(offset)->id;
  }

  test::TestCell cell;

 private:
  test::TestTask task_;
  std::vector<PermRec*> free_;
  std::map<int, PermRec*> perms_;

 public:
  Registry& registry;
};

constexpr int id_of(int sequence, int index) { return sequence * 32768 + index; }

}  // namespace

TEST_CASE("identifiers of a fresh registry count up from 0", "[registry]") {
  RegistryTest test;
  for (int n = 0; n < 200; ++n) REQUIRE(test.add() == n);
  CHECK(test.registry.in_use == 200);
  CHECK(test.registry.max_idx == 199);
}

TEST_CASE("a freed index is not used before the search comes round", "[registry]") {
  RegistryTest test;
  CHECK(test.add() == 0);
  CHECK(test.add() == 1);
  test.remove(0);
  CHECK(test.add() == 2);
  // While few are in use the search goes over 64 indexes.
  for (int n = 3; n < 64; ++n) REQUIRE(test.add() == n);
}

TEST_CASE("the sequence number grows when the search comes round", "[registry]") {
  RegistryTest test;
  for (int round = 0; round < 5; ++round) {
    for (int index = 0; index < 64; ++index) {
      const int id = test.add();
      REQUIRE(id == id_of(round, index));
      test.remove(id);
    }
  }
}

TEST_CASE("the search goes over half as many indexes again as are in use", "[registry]") {
  RegistryTest test;
  for (int n = 0; n < 100; ++n) test.add();
  // 99 in use at each turn: indexes below 148.
  for (int n = 100; n < 148; ++n) {
    test.remove(n - 1);
    REQUIRE(test.add() == n);
  }
  test.remove(7);
  test.remove(5);
  CHECK(test.add() == id_of(1, 5));
  CHECK(test.add() == id_of(1, 7));
}

TEST_CASE("an index that is no higher than the last one is of the next round", "[registry]") {
  RegistryTest test;
  for (int n = 0; n < 64; ++n) test.add();
  test.remove(63);
  // 63 in use: the end is 94, so the search goes on.
  CHECK(test.add() == 64);
  test.remove(64);
  test.remove(62);
  CHECK(test.add() == 65);
}

TEST_CASE("the sequence number starts again before it is too large for an identifier",
          "[registry]") {
  RegistryTest test;
  // Linux: ipc/util.h:ipcid_seq_max() is never reached.
  test.registry.seq = kMaxSeq - 2;
  for (int index = 0; index < 64; ++index) test.remove(test.add());
  for (int index = 0; index < 64; ++index) {
    const int id = test.add();
    REQUIRE(id == id_of(kMaxSeq - 1, index));
    test.remove(id);
  }
  CHECK(test.add() == 0);
}

TEST_CASE("a wanted identifier is given once", "[registry]") {
  RegistryTest test;
  CHECK(test.add() == 0);
  test.registry.next_id = id_of(5, 100);
  CHECK(test.add() == id_of(5, 100));
  CHECK(test.registry.next_id == -1);
  CHECK(test.registry.max_idx == 100);
  // The cyclic search goes on where it was.
  CHECK(test.add() == 1);

  SECTION("a taken index gives the next free one") {
    test.registry.next_id = id_of(9, 100);
    CHECK(test.add() == id_of(9, 101));
    test.registry.next_id = id_of(9, 0);
    CHECK(test.add() == id_of(9, 2));
    CHECK(test.add() == 3);
  }
  SECTION("the sequence number of the others does not change") {
    test.registry.next_id = id_of(9, 200);
    CHECK(test.add() == id_of(9, 200));
    CHECK(test.add() == 2);
  }
  SECTION("the highest") {
    test.registry.next_id = 0x7fffffff;
    CHECK(test.add() == 0x7fffffff);
    CHECK(test.registry.max_idx == 32767);
    CHECK(test.id_at(0x7fffffff) == 0x7fffffff);
  }
}

TEST_CASE("a wish that could not be met is forgotten", "[registry]") {
  RegistryTest test;
  test.registry.next_id = id_of(1, 5);
  CHECK(test.add(0, 0) == -ENOSPC);
  // Linux: ipc_addid() refuses before ipc_idr_alloc() takes the wish away.
  CHECK(test.registry.next_id == id_of(1, 5));
}

TEST_CASE("the limit counts objects", "[registry]") {
  RegistryTest test;
  CHECK(test.add(0, 2) == 0);
  CHECK(test.add(0, 2) == 1);
  CHECK(test.add(0, 2) == -ENOSPC);
  CHECK(test.add(0, 0) == -ENOSPC);
  CHECK(test.add(0, -1) == -ENOSPC);
  test.remove(0);
  CHECK(test.add(0, 2) == 2);
  CHECK(test.registry.in_use == 2);
}

TEST_CASE("all 32768 indexes can be used, and no more", "[registry]") {
  RegistryTest test;
  for (int n = 0; n < static_cast<int>(kMaxIds); ++n) {
    if (test.add() != n) FAIL("object " << n);
  }
  CHECK(test.add() == -ENOSPC);
  CHECK(test.registry.max_idx == 32767);
  for (int freed : {32767, 0, 4095, 64 * 64}) {
    test.remove(freed);
    CHECK(test.add() % 32768 == freed);
  }
}

TEST_CASE("the highest index in use is known", "[registry]") {
  RegistryTest test;
  for (int n = 0; n < 130; ++n) test.add();
  test.remove(50);
  CHECK(test.registry.max_idx == 129);
  for (int n = 129; n > 100; --n) test.remove(n);
  CHECK(test.registry.max_idx == 100);
  for (int n = 64; n < 100; ++n) test.remove(n);
  test.remove(100);
  CHECK(test.registry.max_idx == 63);
  for (int n = 0; n < 64; ++n) {
    if (n != 50) test.remove(n);
  }
  CHECK(test.registry.max_idx == -1);
  CHECK(test.registry.in_use == 0);
}

TEST_CASE("records are found by identifier", "[registry]") {
  RegistryTest test;
  for (int n = 0; n < 10; ++n) test.add();
  CHECK(test.id_at(3) == 3);
  // By index: the caller compares the identifiers.
  CHECK(test.id_at(id_of(7, 3)) == 3);
  CHECK(test.id_at(10) == -1);
  CHECK(test.id_at(32767) == -1);
  test.remove(3);
  CHECK(test.id_at(3) == -1);
}

TEST_CASE("objects are found by key", "[registry]") {
  RegistryTest test;
  const int first = test.add(0x1234);
  const int second = test.add(-1);
  const int third = test.add(0x7fffffff);
  CHECK(test.find(0x1234) == first);
  CHECK(test.find(-1) == second);
  CHECK(test.find(0x7fffffff) == third);
  CHECK(test.find(0x4321) == -1);
  test.remove(second);
  CHECK(test.find(-1) == -1);
  CHECK(test.find(0x1234) == first);
}

TEST_CASE("private objects have no key", "[registry]") {
  RegistryTest test;
  test.add(0);
  test.add(0);
  CHECK(test.find(0) == -1);
}

TEST_CASE("keys come and go in any order", "[registry]") {
  RegistryTest test;
  std::mt19937 random(1);
  std::map<i32, int> ids;
  for (int round = 0; round < 20000; ++round) {
    // More keys than buckets, so that chains are some entries long.
    const i32 key = static_cast<i32>(random() % 12000) - 6000;
    if (key == 0) continue;
    const auto found = ids.find(key);
    REQUIRE(test.find(key) == (found == ids.end() ? -1 : found->second % 32768));
    if (found == ids.end()) {
      ids[key] = test.add(key);
    } else {
      test.remove(found->second);
      ids.erase(found);
    }
  }
  for (const auto& [key, id] : ids) REQUIRE(test.find(key) == id % 32768);
  CHECK(test.registry.in_use == static_cast<i32>(ids.size()));
}

TEST_CASE("what was not committed leaves no trace", "[registry]") {
  RegistryTest test;
  test.add(1);
  test.add(2);
  CHECK(test.add_in_vain(3) == 2);
  CHECK(test.find(3) == -1);
  CHECK(test.id_at(2) == -1);
  CHECK(test.registry.in_use == 2);
  CHECK(test.registry.max_idx == 1);
  test.registry.next_id = id_of(4, 50);
  CHECK(test.add_in_vain(3) == id_of(4, 50));
  CHECK(test.registry.next_id == id_of(4, 50));
  test.registry.next_id = -1;
  CHECK(test.add(3) == 2);
}

TEST_CASE("a scribbled key chain is refused", "[registry]") {
  RegistryTest test;
  const int id = test.add(1);
  RegistryEntry& entry = test.registry.entries[id];
  SECTION("it goes round") { entry.key_next = static_cast<u32>(id) + 1; }
  SECTION("it leads out of the table") { entry.key_next = kMaxIds + 1; }
  entry.key = 2;
  CHECK(test::poisons(test.cell, [&](Task&) { test.find(1); }));
}

}  // namespace ipcell
