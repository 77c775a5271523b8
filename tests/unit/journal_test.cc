#include "core/cell/journal.h"

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

struct Record {
  u32 small;
  i32 negative;
  u64 large;
  i64 far;
  u32 words[kJournalEntries];
};

class JournalOfTask {
 public:
  JournalOfTask() : task(cell), journal(task) {
    REQUIRE(cell.populate(kHeapOffset, sizeof(Record)) == 0);
    record() = {1, -1, 1ull << 40, -(1ll << 40), {}};
  }
  Record& record() { return *reinterpret_cast<Record*>(cell.scratch()); }
  int roll_back() { return roll_back_journal(cell, *task.rec); }
  // Writes an entry as a scribbler would.
  void forge(u64 place) {
    task.rec->journal[0] = {place, 0};
    task.rec->journal_count = 1;
  }
  bool is_refused() {
    return test::poisons(cell, [&](Task&) { roll_back(); });
  }

  test::TestCell cell;
  test::TestTask task;
  Journal journal;
};

}  // namespace

TEST_CASE("what was not committed is rolled back", "[journal]") {
  JournalOfTask test;
  Record& record = test.record();
  test.journal.set(record.small, 2u);
  test.journal.set(record.negative, -2);
  test.journal.set(record.large, ~0ull);
  test.journal.set(record.far, 5);
  CHECK(record.small == 2);
  CHECK(record.negative == -2);
  CHECK(record.large == ~0ull);
  CHECK(record.far == 5);
  CHECK(test.task.rec->journal_count == 4);

  CHECK(test.roll_back() == 0);
  CHECK(record.small == 1);
  CHECK(record.negative == -1);
  CHECK(record.large == 1ull << 40);
  CHECK(record.far == -(1ll << 40));
  CHECK(test.task.rec->journal_count == 0);
}

TEST_CASE("what was committed stays", "[journal]") {
  JournalOfTask test;
  test.journal.set(test.record().small, 2u);
  test.journal.commit();
  CHECK(test.roll_back() == 0);
  CHECK(test.record().small == 2);

  // A second transaction goes back to what the first one left.
  test.journal.set(test.record().small, 3u);
  CHECK(test.roll_back() == 0);
  CHECK(test.record().small == 2);
}

TEST_CASE("a place that was set several times goes back to its oldest value", "[journal]") {
  JournalOfTask test;
  for (u32 value = 2; value < 10; ++value) {
    test.journal.set(test.record().small, value);
    test.journal.set(test.record().large, value);
  }
  CHECK(test.roll_back() == 0);
  CHECK(test.record().small == 1);
  CHECK(test.record().large == 1ull << 40);
}

TEST_CASE("an unchanged value costs no entry", "[journal]") {
  JournalOfTask test;
  test.journal.set_if_changed(test.record().small, 1u);
  CHECK(test.task.rec->journal_count == 0);
  test.journal.set_if_changed(test.record().small, 2u);
  CHECK(test.task.rec->journal_count == 1);
  CHECK(test.roll_back() == 0);
  CHECK(test.record().small == 1);
}

TEST_CASE("a store touches its own bytes only", "[journal]") {
  JournalOfTask test;
  test.journal.set(test.record().small, 2u);
  test.record().negative = -7;
  CHECK(test.roll_back() == 0);
  CHECK(test.record().small == 1);
  CHECK(test.record().negative == -7);
}

TEST_CASE("a journal holds as many entries as it says", "[journal]") {
  JournalOfTask test;
  for (u32 n = 0; n < kJournalEntries; ++n) test.journal.set(test.record().words[n], n + 1);
  CHECK(test.roll_back() == 0);
  for (u32 n = 0; n < kJournalEntries; ++n) REQUIRE(test.record().words[n] == 0);
}

TEST_CASE("an entry that is not in force is not looked at", "[journal]") {
  // As a task leaves it that dies between an entry and the count.
  JournalOfTask test;
  test.forge(~0ull);
  test.task.rec->journal_count = 0;
  CHECK(test.roll_back() == 0);
  CHECK_FALSE(test.cell.is_poisoned());
}

TEST_CASE("rolling back may be repeated", "[journal]") {
  // As by the next reaper, when one dies between the restoring and the count.
  JournalOfTask test;
  test.journal.set(test.record().small, 2u);
  test.journal.set(test.record().small, 3u);
  CHECK(test.roll_back() == 0);
  test.task.rec->journal_count = 2;
  CHECK(test.roll_back() == 0);
  CHECK(test.record().small == 1);
}

TEST_CASE("the cell's first and last words are places", "[journal]") {
  JournalOfTask test;
  REQUIRE(test.cell.populate(kCellSize - 8, 8) == 0);
  auto& last = *reinterpret_cast<u64*>(test.cell.base() + kCellSize - 8);
  const u64 magic = *reinterpret_cast<u64*>(test.cell.base());
  test.journal.set(last, 1);
  test.journal.set(*reinterpret_cast<u64*>(test.cell.base()), 1);
  CHECK(test.roll_back() == 0);
  CHECK(last == 0);
  CHECK(*reinterpret_cast<u64*>(test.cell.base()) == magic);
}

TEST_CASE("a scribbled journal is refused", "[journal]") {
  JournalOfTask test;
  const u64 inside = kHeapOffset;
  SECTION("it is too long") {
    test.task.rec->journal_count = kJournalEntries + 1;
    CHECK(test.is_refused());
  }
  SECTION("a size that no store has") {
    const u64 size = GENERATE(0, 1, 2, 3, 5, 6, 7, 9, 12, 15);
    test.forge(inside << 4 | size);
    CHECK(test.is_refused());
  }
  SECTION("a place beyond the cell") {
    const u64 place = GENERATE(kCellSize - 4, kCellSize, (1ull << 60) - 8);
    test.forge(place << 4 | 8);
    CHECK(test.is_refused());
  }
  SECTION("a place that is not aligned") {
    const u64 astray = GENERATE(1, 2, 4, 7);
    test.forge((inside + astray) << 4 | 8);
    CHECK(test.is_refused());
  }
  SECTION("a small one that is not aligned") {
    const u64 astray = GENERATE(1, 2, 3);
    test.forge((inside + astray) << 4 | 4);
    CHECK(test.is_refused());
  }
}

}  // namespace ipcell
