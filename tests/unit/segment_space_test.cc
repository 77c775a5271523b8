// Where the pages of segments stand, and what memory is promised.
#include "core/ipc/segment_space.h"

#include <fstream>

#include "tests/unit/shm_fixture.h"

namespace ipcell {

namespace {

using namespace test;

class SpaceTest : public ShmTest {
 public:
  SpaceTest() : ShmTest(3) {}
  SegmentSpace& space() const { return cell.layout().segment_space; }
  u64 first_page(int other) const { return record_of(other).first_page; }
  void remove(int other) { CHECK(sys_shmctl(task, other, IPC_RMID, nullptr) == 0); }
  void check_end() { CHECK(violation() == ""); }
};

// Where this process has the cell's segments mapped: all of them, unreadable.
std::vector<u64> windows(const std::string& path) {
  std::vector<u64> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("---s") != std::string::npos && line.find(path) != std::string::npos)
      found.push_back(std::stoull(line, nullptr, 16));
  }
  return found;
}

}  // namespace

TEST_CASE("segments stand one behind the other", "[segment_space]") {
  SpaceTest test;
  const int second = test.make(2), third = test.make(4);
  CHECK(test.first_page(test.id) == 0);
  CHECK(test.first_page(second) == 3);
  CHECK(test.first_page(third) == 5);
  CHECK(test.space().first == test.offset_of(test.id));
  CHECK(test.space().cursor == test.offset_of(third));
  CHECK(test.record_of(third).space_prev == test.offset_of(second));
  test.check_end();
}

TEST_CASE("the search goes on behind the last, and comes round to the front", "[segment_space]") {
  SpaceTest test;
  const int second = test.make(2), third = test.make(4);
  test.remove(second);
  // Behind the cursor first.
  const int fourth = test.make(2);
  CHECK(test.first_page(fourth) == 9);
  u64 first = 99, before = 99;
  test.space().cursor = test.offset_of(test.id);
  REQUIRE(find_room(test.cell, 2, &first, &before));
  CHECK(first == 3);
  CHECK(before == test.offset_of(test.id));
  // The gap is too small for three.
  REQUIRE(find_room(test.cell, 3, &first, &before));
  CHECK(first == 11);
  CHECK(before == test.offset_of(fourth));
  // Nothing is behind the last one's pages: the front is looked at.
  test.space().cursor = test.offset_of(fourth);
  const u64 limit = test.cell.header().segment_pages;
  test.cell.header().segment_pages = 12;
  REQUIRE(find_room(test.cell, 2, &first, &before));
  CHECK(first == 3);
  CHECK_FALSE(find_room(test.cell, 3, &first, &before));
  CHECK_FALSE(find_room(test.cell, 13, &first, &before));
  test.cell.header().segment_pages = limit;
  CHECK(test.first_page(third) == 5);
  test.check_end();
}

TEST_CASE("the cursor steps back when its segment goes", "[segment_space]") {
  SpaceTest test;
  const int second = test.make(2);
  test.remove(second);
  CHECK(test.space().cursor == test.offset_of(test.id));
  test.remove(test.id);
  CHECK(test.space().cursor == 0);
  CHECK(test.space().first == 0);
  CHECK(test.first_page(test.make(1)) == 0);
  test.check_end();
}

TEST_CASE("what is promised is counted, and taken back", "[segment_space]") {
  SpaceTest test;
  u64 free = 0;
  if (!test.addresses.file.pays_when_touched(&free)) return;
  CHECK(test.space().promised == 3);
  const int second = test.make(5);
  CHECK(test.record_of(second).is_promised == 1);
  CHECK(test.space().promised == 8);
  const int third = test.make(5, IPC_PRIVATE, IPC_CREAT | 0600 | SHM_NORESERVE);
  CHECK(test.record_of(third).is_promised == 0);
  CHECK(test.space().promised == 8);
  test.remove(second);
  CHECK(test.space().promised == 3);
  test.check_end();
}

TEST_CASE("more than the filesystem has is refused", "[segment_space]") {
  SpaceTest test;
  u64 free = 0;
  if (!test.addresses.file.pays_when_touched(&free)) return;
  CHECK(test.make(2 * free) == -ENOMEM);
  CHECK(test.make(free + test.space().promised + kHeapSize / kPage) == -ENOMEM);
  CHECK(test.space().promised == 3);
  CHECK(test.make(2 * free, IPC_PRIVATE, IPC_CREAT | 0600 | SHM_NORESERVE) >= 0);
  test.check_end();
}

TEST_CASE("a segment has no memory before it is touched, and none when it is gone",
          "[segment_space]") {
  SpaceTest test;
  const PageRange pages = range_of(test.record());
  CHECK(test.addresses.file.count_resident(pages) == 0);
  u8* place = test.attach(test.id);
  REQUIRE(place != nullptr);
  place[kPage] = 1;
  CHECK(test.addresses.file.count_resident(pages) == 1);
  CHECK(count_resident(test.task, test.record()) == 1);
  CHECK(test.detach(place) == 0);
  test.remove(test.id);
  CHECK(test.addresses.file.count_resident(pages) == 0);
  test.check_end();
}

TEST_CASE("pages that can't be given back are another's to give", "[segment_space]") {
  SpaceTest test;
  u8* place = test.attach(test.id);
  REQUIRE(place != nullptr);
  std::memset(place, 1, 3 * kPage);
  CHECK(test.detach(place) == 0);
  const PageRange pages = range_of(test.record());
  test.task.addresses = nullptr;
  test.remove(test.id);
  test.task.addresses = &test.addresses;
  CHECK(test.space().abandoned == 1);
  CHECK(test.space().first != 0);
  CHECK(test.violation() == "");
  const int second = test.make(2);
  CHECK(test.space().abandoned == 0);
  CHECK(test.addresses.file.count_resident(pages) == 0);
  CHECK(test.first_page(second) == 0);
  test.check_end();
}

TEST_CASE("a spoiled record leads to no other memory", "[segment_space]") {
  SpaceTest test;
  const Shared<u64> other;
  *other = 4711;
  const auto address = reinterpret_cast<u64>(&*other);
  const std::vector<u64> all = windows(test.path);
  CHECK(all.size() == 2);
  for (u64 window : all) {
    // From the window on, round by the end of all addresses if need be.
    const PageRange pages = {(address - window) / kPage, 1};
    CHECK(test.addresses.file.release(pages) != 0);
    CHECK(test.addresses.file.count_resident(pages) == 0);
    CHECK(test.addresses.file.map(pages, 0, false, PROT_READ, false) == -ENOMEM);
    CHECK(test.addresses.file.reserve(pages) == -ENOMEM);
    CHECK(*other == 4711);
  }
}

}  // namespace ipcell
