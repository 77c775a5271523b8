#include "core/cell/heap.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <vector>

#include "core/cell/task_table.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

namespace ipcell {

namespace {

using test::count_kept;
using test::give_block;
using test::take_block;

constexpr BlockClass kClasses[] = {
    BlockClass::Bytes64,   BlockClass::Bytes128,  BlockClass::Bytes256,
    BlockClass::Bytes512,  BlockClass::Bytes1024, BlockClass::Bytes2048,
    BlockClass::Bytes4096, BlockClass::Bytes8256, BlockClass::MsgQueue};

u32 index_of(BlockClass block_class) { return static_cast<u32>(block_class); }
u32 size_of(BlockClass block_class) { return kBlockSize[index_of(block_class)]; }
u64 blocks_per_chunk(BlockClass block_class) { return kChunkSize / size_of(block_class); }

// Runs `body`, and says whether the cell is poisoned then.
bool is_refused(Cell& cell, const std::function<void(Task&)>& body) {
  return test::poisons(cell, body);
}

}  // namespace

TEST_CASE("each class gives blocks of its size that do not overlap", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  std::vector<std::pair<unsigned long long, unsigned long long>> blocks;
  for (BlockClass block_class : kClasses) {
    for (u64 n = 0; n < 2 * blocks_per_chunk(block_class) + 3; ++n) {
      const u64 offset = take_block(task, block_class);
      REQUIRE(cell.at<u64>(offset) != nullptr);
      REQUIRE(offset + size_of(block_class) <= kCellSize);
      REQUIRE(class_of_block(cell, offset) == block_class);
      // Each byte has memory behind it.
      std::memset(cell.base() + offset, 0xff, size_of(block_class));
      blocks.emplace_back(offset, offset + size_of(block_class));
    }
  }
  std::sort(blocks.begin(), blocks.end());
  for (std::size_t n = 1; n < blocks.size(); ++n) REQUIRE(blocks[n - 1].second <= blocks[n].first);
  const test::HeapCensus census = test::take_census(cell);
  CHECK(census.is_sound);
  CHECK(census.total() == blocks.size());
}

TEST_CASE("the block that was freed last is used first", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  const u64 first = take_block(task, BlockClass::Bytes128);
  const u64 second = take_block(task, BlockClass::Bytes128);
  give_block(task, first);
  give_block(task, second);
  CHECK(take_block(task, BlockClass::Bytes128) == second);
  CHECK(take_block(task, BlockClass::Bytes128) == first);
}

TEST_CASE("freeing hands the owner what comes next", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  u64& owner = task.rec->garbage;
  REQUIRE(take_block(task, BlockClass::Bytes64, owner) == 0);
  const u64 next = take_block(task, BlockClass::Bytes64);
  free_block(task, owner, next);
  CHECK(owner == next);
  free_block(task, owner);
  CHECK(owner == 0);
  CHECK(test::take_census(cell).total() == 0);
}

TEST_CASE("a record's lock word survives in the free block", "[heap]") {
  // A stale identifier may lead to it at any time.
  test::TestCell cell;
  test::TestTask task(cell);
  const u64 offset = take_block(task, BlockClass::MsgQueue);
  u64* words = cell.at<u64>(offset);
  words[0] = ~0ull;
  words[1] = 0x123456789abcdef0ull;
  give_block(task, offset);
  CHECK(words[1] == 0x123456789abcdef0ull);
}

TEST_CASE("a task keeps a few free blocks and gives the rest to all", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  test::Worker worker(cell);
  for (BlockClass block_class : kClasses) {
    const u64 limit = kCacheLimit[index_of(block_class)];
    const FreeList& common = cell.layout().heap.classes[index_of(block_class)].free;
    std::vector<unsigned long long> blocks;
    for (u64 n = 0; n < 4 * limit; ++n) blocks.push_back(take_block(task, block_class));
    for (u64 offset : blocks) {
      give_block(task, offset);
      REQUIRE(count_kept(cell, *task.rec, block_class) <= limit);
    }
    CHECK(common.count >= 2 * limit);

    // The other task is served from these before any fresh block.
    const u64 chunks = cell.layout().heap.chunks_used;
    const u64 given = common.count;
    worker.run([&](Task& other) {
      for (u64 n = 0; n < given; ++n) {
        const u64 offset = take_block(other, block_class);
        if (std::find(blocks.begin(), blocks.end(), offset) == blocks.end()) return 1;
      }
      return 0;
    });
    CHECK(cell.layout().heap.chunks_used == chunks);
    CHECK(test::take_census(cell).in_use[index_of(block_class)] == given);
  }
  CHECK(test::take_census(cell).is_sound);
}

TEST_CASE("a task's blocks can be taken from it", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  give_block(task, take_block(task, BlockClass::Bytes64));
  give_block(task, take_block(task, BlockClass::MsgQueue));
  const u64 kept = count_kept(cell, *task.rec, BlockClass::Bytes64);
  CHECK(kept > 0);
  drain_caches(task, *task.rec);
  for (u64 cache : task.rec->cache) CHECK(cache == 0);
  CHECK(cell.layout().heap.classes[index_of(BlockClass::Bytes64)].free.count == kept);
  const test::HeapCensus census = test::take_census(cell);
  CHECK(census.is_sound);
  CHECK(census.total() == 0);
}

TEST_CASE("a heap without chunks gives ENOMEM, and what is freed then", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  // As if all but three chunks were used; what the marks below say is not looked at. The last chunk
  // of all is never used: see Cell::at().
  cell.layout().heap.chunks_used = kChunks - 3;
  std::vector<unsigned long long> blocks;
  while (const u64 offset = take_block(task, BlockClass::Bytes8256)) blocks.push_back(offset);
  CHECK(blocks.size() == 2 * blocks_per_chunk(BlockClass::Bytes8256));
  CHECK(blocks.back() <= kCellSize - size_of(BlockClass::Bytes8256));
  CHECK(cell.layout().heap.chunks_used == kChunks - 1);
  u64& owner = task.rec->in_flight;
  CHECK(take_block(task, BlockClass::Bytes8256, owner) == -ENOMEM);
  CHECK(take_block(task, BlockClass::Bytes64, owner) == -ENOMEM);
  CHECK(owner == 0);
  CHECK_FALSE(cell.is_poisoned());

  give_block(task, blocks[3]);
  CHECK(take_block(task, BlockClass::Bytes8256) == blocks[3]);
}

TEST_CASE("tasks that allocate and free at once never share a block", "[heap]") {
  constexpr int kThreads = 4, kRounds = 4000, kKept = 40;
  test::TestCell cell;
  std::deque<test::Worker> workers;
  std::vector<std::future<long>> ends;
  for (int n = 0; n < kThreads; ++n) workers.emplace_back(cell);
  for (test::Worker& worker : workers) {
    ends.push_back(worker.start([&](Task& task) -> long {
      std::vector<unsigned long long> kept;
      long strangers = 0;
      for (int round = 0; round < kRounds; ++round) {
        const u64 offset = take_block(task, kClasses[round % 3]);
        *(cell.at<u64>(offset) + 1) = task.slot;
        kept.push_back(offset);
        if (kept.size() < kKept) continue;
        const std::size_t victim = static_cast<std::size_t>(round) * 7 % kKept;
        if (*(cell.at<u64>(kept[victim]) + 1) != task.slot) ++strangers;
        give_block(task, kept[victim]);
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(victim));
      }
      for (u64 offset : kept) give_block(task, offset);
      return strangers;
    }));
  }
  for (auto& end : ends) CHECK(end.get() == 0);
  const test::HeapCensus census = test::take_census(cell);
  CHECK(census.is_sound);
  CHECK(census.total() == 0);
}

TEST_CASE("places where no block can be have no class", "[heap]") {
  test::TestCell cell;
  test::TestTask task(cell);
  const u64 offset = take_block(task, BlockClass::Bytes64);
  CHECK(class_of_block(cell, offset) == BlockClass::Bytes64);
  for (u64 place :
       {0ull, kHeapOffset - 1ull, kCellSize + 0ull, ~0ull, offset + kChunkSize + 0ull}) {
    CHECK(class_of_block(cell, place) == BlockClass::Count);
  }
  cell.layout().heap.chunk_class[5] = 255;
  CHECK(class_of_block(cell, kHeapOffset + 5 * kChunkSize) == BlockClass::Count);
}

TEST_CASE("a scribbled heap is refused", "[heap]") {
  test::TestCell cell;
  constexpr u32 kIndex = 0;
  ClassHeap& heap_class = cell.layout().heap.classes[kIndex];
  const auto allocate = [](Task& task) { take_block(task, BlockClass::Bytes64); };
  SECTION("the task's list leads out of the heap") {
    CHECK(is_refused(cell, [&](Task& task) {
      task.rec->cache[kIndex] = 64;
      allocate(task);
    }));
  }
  SECTION("the heap's list leads out of the heap") {
    heap_class.free = {kCellSize, 1};
    CHECK(is_refused(cell, allocate));
  }
  SECTION("the heap's list is shorter than it says") {
    heap_class.free.count = 5;
    CHECK(is_refused(cell, allocate));
  }
  SECTION("the watermark is outside of the cell") {
    heap_class.bump = kCellSize;
    heap_class.bump_end = kCellSize + kChunkSize;
    CHECK(is_refused(cell, allocate));
  }
  SECTION("the watermark is above its end") {
    heap_class.bump = kHeapOffset + kChunkSize;
    heap_class.bump_end = kHeapOffset;
    CHECK(is_refused(cell, allocate));
  }
  SECTION("the watermark is below the heap") {
    heap_class.bump = 0;
    heap_class.bump_end = kPage;
    CHECK(is_refused(cell, allocate));
  }
  SECTION("the freed block is none") {
    const u64 offset = GENERATE(64ull, kHeapOffset + 100 * kChunkSize, ~0ull);
    CHECK(is_refused(cell, [&](Task& task) { give_block(task, offset); }));
  }
  SECTION("a dead task's list is endless") {
    CHECK(is_refused(cell, [&](Task& task) {
      const u64 offset = take_block(task, BlockClass::Bytes64);
      cell.at<FreeBlock>(offset)->next = offset;
      task.rec->cache[kIndex] = offset;
      drain_caches(task, *task.rec);
    }));
  }
}

}  // namespace ipcell
