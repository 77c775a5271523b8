#include "core/cell/array.h"

#include <cerrno>

#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

namespace ipcell {

namespace {

using namespace test;

class ArrayTest {
 public:
  ArrayTest() : task(cell) {}

  u64 root() const { return task.rec->array; }
  u64 blocks() const {
    const HeapCensus census = take_census(cell);
    CHECK(census.is_sound);
    return census.total();
  }
  u64& word(u64 index) const {
    u64* place = array_at<u64>(cell, root(), index);
    REQUIRE(place != nullptr);
    return *place;
  }

  TestCell cell;
  TestTask task;
};

}  // namespace

TEST_CASE("a small array is one block", "[array]") {
  ArrayTest test;
  const u64 count = GENERATE(1, 2, 6, 7, 1000, kLeafBytes / sizeof(u64));
  REQUIRE(build_array(test.task, count * sizeof(u64)) == 0);
  CHECK(test.blocks() == 1);
  CHECK(test.cell.at<ArrayBlock>(test.root())->leaves == 0);
  // The smallest block that has room for it.
  CHECK(class_of_block(test.cell, test.root()) ==
        class_for(sizeof(ArrayBlock) + count * sizeof(u64)));
  for (u64 n = 0; n < count; ++n) REQUIRE(std::exchange(test.word(n), n + 1) == 0);
  for (u64 n = 0; n < count; ++n) REQUIRE(test.word(n) == n + 1);
  free_array(test.task, test.task.rec->array);
  CHECK(test.root() == 0);
  CHECK(test.blocks() == 0);
}

TEST_CASE("a large array is a directory and its leaves", "[array]") {
  ArrayTest test;
  constexpr u64 kPerLeaf = kLeafBytes / sizeof(u64);
  const u64 count = GENERATE(kPerLeaf + 1, 2 * kPerLeaf, 3 * kPerLeaf + 5, 128000);
  const u64 leaves = (count + kPerLeaf - 1) / kPerLeaf;
  REQUIRE(build_array(test.task, count * sizeof(u64)) == 0);
  CHECK(test.blocks() == leaves + 1);
  CHECK(test.cell.at<ArrayBlock>(test.root())->leaves == leaves);
  for (u64 n = 0; n < count; ++n) REQUIRE(std::exchange(test.word(n), n + 1) == 0);
  for (u64 n = 0; n < count; ++n) REQUIRE(test.word(n) == n + 1);
  free_array(test.task, test.task.rec->array);
  CHECK(test.blocks() == 0);
}

TEST_CASE("memory that was used before is zeroed", "[array]") {
  ArrayTest test;
  const u64 bytes = GENERATE(64, kLeafBytes, 3 * kLeafBytes);
  REQUIRE(build_array(test.task, bytes) == 0);
  for (u64 n = 0; n < bytes / sizeof(u64); ++n) test.word(n) = ~0ull;
  free_array(test.task, test.task.rec->array);
  REQUIRE(build_array(test.task, bytes) == 0);
  for (u64 n = 0; n < bytes / sizeof(u64); ++n) REQUIRE(test.word(n) == 0);
}

TEST_CASE("an array that is larger than any is refused", "[array]") {
  ArrayTest test;
  CHECK(build_array(test.task, kArrayLeavesMax * kLeafBytes + 1) == -ENOMEM);
  CHECK(test.root() == 0);
  CHECK(test.blocks() == 0);
}

TEST_CASE("without memory in the middle nothing is left of an array", "[array]") {
  ArrayTest test;
  constexpr u64 kWanted = 4;
  const u64 in_chunk = kChunkSize / kBlockSize[static_cast<u32>(BlockClass::Bytes8256)];
  const u64 free = GENERATE(range(0, 4));
  REQUIRE(free < kWanted);
  // A directory, and one chunk of leaves of which so many are free.
  REQUIRE(take_block(test.task, BlockClass::Bytes64) != 0);
  std::vector<u64> taken;
  for (u64 n = 0; n < in_chunk - free; ++n)
    taken.push_back(take_block(test.task, BlockClass::Bytes8256));
  const u64 before = test.blocks();
  {
    const FullHeap full(test.cell);
    CHECK(build_array(test.task, kWanted * kLeafBytes) == -ENOMEM);
  }
  CHECK(test.root() == 0);
  CHECK(test.blocks() == before);
  CHECK_FALSE(test.cell.is_poisoned());
  // With memory it works again.
  CHECK(build_array(test.task, kWanted * kLeafBytes) == 0);
  CHECK(test.blocks() == before + 1 + kWanted);
}

TEST_CASE("an array that was not built to its end is freed", "[array]") {
  ArrayTest test;
  REQUIRE(build_array(test.task, 5 * kLeafBytes) == 0);
  // As a task leaves it that died between two leaves, or while it freed them.
  u64* leaves = test.cell.at<ArrayBlock>(test.root())->leaf_offsets();
  for (u64 n : {0, 3}) free_block(test.task, leaves[n]);
  CHECK(test.blocks() == 4);
  free_array(test.task, test.task.rec->array);
  CHECK(test.blocks() == 0);
  free_array(test.task, test.task.rec->array);
  CHECK(test.blocks() == 0);
}

TEST_CASE("there is no element outside of an array", "[array]") {
  ArrayTest test;
  REQUIRE(build_array(test.task, 2 * kLeafBytes) == 0);
  constexpr u64 kPerLeaf = kLeafBytes / sizeof(u64);
  CHECK(array_at<u64>(test.cell, test.root(), 2 * kPerLeaf - 1) != nullptr);
  const u64 index = GENERATE(2 * kPerLeaf, 1ull << 40);
  CHECK(array_at<u64>(test.cell, test.root(), index) == nullptr);
  CHECK(array_at<u64>(test.cell, 0, 0) == nullptr);
  CHECK(array_at<u64>(test.cell, test.root() + 4, 0) == nullptr);
  u64* leaves = test.cell.at<ArrayBlock>(test.root())->leaf_offsets();
  const u64 leaf = std::exchange(leaves[1], 0);
  CHECK(array_at<u64>(test.cell, test.root(), kPerLeaf) == nullptr);
  leaves[1] = leaf;
}

TEST_CASE("a scribbled array is not freed", "[array]") {
  ArrayTest test;
  REQUIRE(build_array(test.task, 2 * kLeafBytes) == 0);
  const u64 root = test.root();
  CHECK(poisons(test.cell, [&](Task& task) {
    task.rec->array = kCellSize;
    free_array(task, task.rec->array);
  }));
  test.cell.header().poisoned = 0;
  CHECK(poisons(test.cell, [&](Task& task) {
    test.cell.at<ArrayBlock>(root)->leaves = kArrayLeavesMax + 1;
    task.rec->array = root;
    free_array(task, task.rec->array);
  }));
}

}  // namespace ipcell
