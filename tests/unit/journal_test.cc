#include "core/cell/journal.h"

#include <cerrno>
#include <vector>

#include "core/syscalls.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

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

namespace {

// A journal that goes on in blocks of the heap, and as many places as it can hold.
class LongJournal {
 public:
  LongJournal() : task(cell), journal(task), places_(cell.scratch(kChunkSize * 1000)) {
    REQUIRE(cell.populate(cell.offset_of(places_), kJournalEntriesMax * sizeof(u64)) == 0);
  }
  u64& place(u32 n) const { return reinterpret_cast<u64*>(places_)[n]; }
  void set_all(u32 count, u64 value) {
    for (u32 n = 0; n < count; ++n) journal.set(place(n), value);
  }
  bool is_all(u32 count, u64 value) const {
    for (u32 n = 0; n < count; ++n) {
      if (place(n) != value) return false;
    }
    return true;
  }
  u32 blocks() const {
    u32 count = 0;
    for (u64 block : task.rec->journal_blocks) count += block != 0 ? 1 : 0;
    CHECK(test::take_census(cell).total() == count);
    return count;
  }

  test::TestCell cell;
  test::TestTask task;
  Journal journal;

 private:
  u8* places_;
};

constexpr u32 blocks_for(u32 entries) {
  if (entries <= kJournalEntries) return 0;
  return (entries - kJournalEntries + kJournalBlockEntries - 1) / kJournalBlockEntries;
}

}  // namespace

TEST_CASE("a long journal takes the blocks that it needs, once", "[journal]") {
  LongJournal test;
  u32 most = 0;
  for (u32 entries :
       {1u, kJournalEntries, kJournalEntries + 1, kJournalEntries + kJournalBlockEntries, 1000u,
        100u, kJournalEntriesMax - kJournalBlockEntries + 1, kJournalEntriesMax}) {
    REQUIRE(reserve_journal(test.task, entries) == 0);
    most = std::max(most, blocks_for(entries));
    CHECK(test.blocks() == most);
  }
  CHECK(reserve_journal(test.task, kJournalEntriesMax + 1) == -ENOMEM);
  CHECK(test.blocks() == kJournalBlocks);
}

TEST_CASE("a long transaction is rolled back over its blocks, or stays", "[journal]") {
  LongJournal test;
  const u32 count = GENERATE(as<u32>(), kJournalEntries, kJournalEntries + 1, 500,
                             kJournalEntries + kJournalBlockEntries,
                             kJournalEntries + kJournalBlockEntries + 1, kJournalEntriesMax);
  REQUIRE(reserve_journal(test.task, count) == 0);
  test.set_all(count, 7);
  CHECK(test.task.rec->journal_count == count);
  CHECK(test.is_all(count, 7));
  CHECK(roll_back_journal(test.cell, *test.task.rec) == 0);
  CHECK(test.is_all(count, 0));
  CHECK(test.task.rec->journal_count == 0);

  test.set_all(count, 8);
  test.journal.commit();
  CHECK(roll_back_journal(test.cell, *test.task.rec) == 0);
  CHECK(test.is_all(count, 8));
}

TEST_CASE("a place that a long transaction sets often goes back to its oldest value", "[journal]") {
  LongJournal test;
  REQUIRE(reserve_journal(test.task, kJournalEntriesMax) == 0);
  for (u32 n = 0; n < kJournalEntriesMax; ++n) test.journal.set(test.place(n % 3), n + 1);
  CHECK(roll_back_journal(test.cell, *test.task.rec) == 0);
  CHECK(test.is_all(3, 0));
}

TEST_CASE("a journal without memory is refused, and the blocks that it has are kept", "[journal]") {
  LongJournal test;
  // One block is left of the class.
  const u64 in_chunk = kChunkSize / kBlockSize[static_cast<u32>(BlockClass::Bytes8256)];
  std::vector<u64> taken;
  for (u64 n = 0; n + 1 < in_chunk; ++n)
    taken.push_back(test::take_block(test.task, BlockClass::Bytes8256));
  {
    const test::FullHeap full(test.cell);
    CHECK(reserve_journal(test.task, kJournalEntriesMax) == -ENOMEM);
    CHECK(test.task.rec->journal_count == 0);
    CHECK(test.task.rec->journal_blocks[0] != 0);
    CHECK(test.task.rec->journal_blocks[1] == 0);
    CHECK(reserve_journal(test.task, kJournalEntries + 1) == 0);
  }
  for (u64 block : taken) test::give_block(test.task, block);
  CHECK(reserve_journal(test.task, kJournalEntriesMax) == 0);
  CHECK(test.blocks() == kJournalBlocks);
}

TEST_CASE("a dead task's long journal is rolled back, and its blocks are freed", "[journal]") {
  LongJournal test;
  test::Worker worker(test.cell);
  worker.run([&](Task& own) {
    if (const int error = reserve_journal(own, kJournalEntriesMax)) return error;
    lock(own, test.cell.layout().registries[0].lock);
    Journal journal(own);
    for (u32 n = 0; n < 1000; ++n) journal.set(test.place(n), 9);
    return 0;
  });
  worker.die();
  reap_dead_tasks(test.task);
  CHECK(test.is_all(1000, 0));
  CHECK(test.cell.layout().registries[0].lock.word == 0);
  CHECK(test.blocks() == 0);
}

TEST_CASE("a journal that is longer than its blocks is refused", "[journal]") {
  LongJournal test;
  REQUIRE(reserve_journal(test.task, 1000) == 0);
  REQUIRE(test.blocks() == 2);
  const u32 count = GENERATE(kJournalEntries + 2 * kJournalBlockEntries + 1, kJournalEntriesMax + 1,
                             0x80000000u, 0xffffffffu);
  test.task.rec->journal_count = count;
  CHECK(test::poisons(test.cell, [&](Task&) { roll_back_journal(test.cell, *test.task.rec); }));
  // Nor is it written to.
  test.cell.header().poisoned = 0;
  CHECK(test::poisons(test.cell, [&](Task& task) {
    task.rec->journal_count = count;
    Journal(task).set(test.place(0), 1);
  }));
  test.task.rec->journal_count = 0;
}

}  // namespace ipcell
