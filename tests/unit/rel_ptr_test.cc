#include "core/cell/rel_ptr.h"

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

TEST_CASE("a relative pointer is null or a place", "[rel_ptr]") {
  const Rel<u32> null = {0};
  const Rel<u32> place = {64};
  CHECK_FALSE(null);
  CHECK(place);
  CHECK(place == Rel<u32>{64});
  CHECK_FALSE(place == null);
}

TEST_CASE("an offset becomes a pointer only inside of the heap", "[rel_ptr]") {
  test::TestCell cell;
  struct Record {
    u64 words[4];
  };
  // Whatever the record: a scribbled offset may be taken for the largest block.
  const u64 last = kCellSize - kLargestBlock;

  CHECK(cell.at<Record>(kHeapOffset) == static_cast<void*>(cell.base() + kHeapOffset));
  CHECK(cell.at(Rel<Record>{last}) == static_cast<void*>(cell.base() + last));
  CHECK(cell.offset_of(cell.at<Record>(last)) == last);

  CHECK(cell.at<Record>(0) == nullptr);
  CHECK(cell.at<Record>(kHeapOffset - 8) == nullptr);
  CHECK(cell.at<Record>(last + 8) == nullptr);
  CHECK(cell.at<Record>(kCellSize) == nullptr);
  CHECK(cell.at<Record>(~0ull) == nullptr);
  CHECK(cell.at<Record>(~0ull - 7) == nullptr);
  for (u64 astray = 1; astray < 8; ++astray)
    CHECK(cell.at<Record>(kHeapOffset + astray) == nullptr);
}

TEST_CASE("a slot becomes a task only inside of the table", "[rel_ptr]") {
  test::TestCell cell;
  CHECK(cell.task(kNoSlot) == nullptr);
  CHECK(cell.task(1) == &cell.layout().tasks[0].rec);
  CHECK(cell.task(kTaskSlots) == &cell.layout().tasks[kTaskSlots - 1].rec);
  CHECK(cell.task(kTaskSlots + 1) == nullptr);
  CHECK(cell.task(~0u) == nullptr);
  CHECK(cell.task(kLockWaiters | 1) == nullptr);
}

TEST_CASE("a cell knows its own addresses", "[rel_ptr]") {
  test::TestCell cell;
  CHECK(cell.contains(cell.base()));
  CHECK(cell.contains(cell.base() + kCellSize - 1));
  CHECK_FALSE(cell.contains(cell.base() + kCellSize));
  CHECK_FALSE(cell.contains(cell.base() - 1));
  CHECK_FALSE(cell.contains(&cell));
}

TEST_CASE("the layout's hash tells what differs", "[rel_ptr]") {
  static_assert(hash_layout({1, 2}) == hash_layout({1, 2}));
  CHECK(hash_layout({1, 2}) != hash_layout({2, 1}));
  CHECK(hash_layout({1, 2}) != hash_layout({1, 2, 0}));
  CHECK(hash_layout({1}) != hash_layout({1ull << 56}));
}

}  // namespace ipcell
