// The map of what a process has attached.
#include "core/ipc/address_map.h"

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

constexpr u64 kBase = 1000 * kPage;

u64 at_page(u64 page) { return kBase + page * kPage; }

// Pages [2, 5) and [10, 12) of the addresses.
class MapTest {
 public:
  MapTest() {
    REQUIRE(map.make_room(4));
    map.add({at_page(2), at_page(5), 64, 0, 1, 3});
    map.add({at_page(10), at_page(12), 128, 7, 2, 3});
  }
  AddressMap map;
};

}  // namespace

TEST_CASE("pieces are found by their addresses", "[address_map]") {
  MapTest test;
  AddressMap& map = test.map;
  REQUIRE(map.count() == 2);
  // The highest first.
  CHECK(map.at(0).start == at_page(10));
  CHECK(map.at(1).start == at_page(2));
  CHECK(map.find(at_page(2)) == 1);
  CHECK(map.find(at_page(5) - 1) == 1);
  CHECK(map.find(at_page(5)) == -1);
  CHECK(map.find(at_page(11)) == 0);
  CHECK(map.find(at_page(1)) == -1);
  CHECK(map.find_from(0) == 1);
  CHECK(map.find_from(at_page(4)) == 1);
  CHECK(map.find_from(at_page(5)) == 0);
  CHECK(map.find_from(at_page(11)) == 0);
  CHECK(map.find_from(at_page(12)) == -1);
}

TEST_CASE("who asks without the lock learns whether a range meets a piece", "[address_map]") {
  MapTest test;
  const AddressMap& map = test.map;
  CHECK_FALSE(map.may_meet(0, at_page(2)));
  CHECK(map.may_meet(0, at_page(2) + 1));
  CHECK(map.may_meet(at_page(3), at_page(4)));
  CHECK_FALSE(map.may_meet(at_page(5), at_page(10)));
  CHECK(map.may_meet(at_page(5), at_page(11)));
  CHECK_FALSE(map.may_meet(at_page(12), ~0ull));
  const AddressMap empty;
  CHECK(empty.is_empty());
  CHECK_FALSE(empty.may_meet(0, ~0ull));
}

TEST_CASE("a piece is cut in two, inside of it alone", "[address_map]") {
  MapTest test;
  AddressMap& map = test.map;
  const u32 version = map.version();
  u32 index = 99;
  CHECK_FALSE(map.split(at_page(2), &index));
  CHECK_FALSE(map.split(at_page(5), &index));
  CHECK_FALSE(map.split(at_page(7), &index));
  CHECK(map.version() == version);
  REQUIRE(map.split(at_page(11), &index));
  CHECK(map.version() != version);
  CHECK(map.version() % 2 == 0);
  CHECK(map.count() == 3);
  CHECK(index == 0);
  const Piece &upper = map.at(0), &lower = map.at(1);
  CHECK(upper.start == at_page(11));
  CHECK(upper.end == at_page(12));
  CHECK(upper.page == 8);
  CHECK(lower.start == at_page(10));
  CHECK(lower.end == at_page(11));
  CHECK(lower.page == 7);
  CHECK(upper.attachment == lower.attachment);
  CHECK(upper.segment == 128);
}

TEST_CASE("a piece that is taken away is found no more", "[address_map]") {
  MapTest test;
  AddressMap& map = test.map;
  map.erase(0);
  CHECK(map.count() == 1);
  CHECK(map.find(at_page(10)) == -1);
  CHECK(map.find(at_page(3)) == 0);
  map.erase(0);
  CHECK(map.is_empty());
  CHECK(map.find_from(0) == -1);
}

TEST_CASE("the map has room for as many pieces as a process may have mappings", "[address_map]") {
  AddressMap map;
  CHECK(map.make_room(AddressMap::kPieces));
  CHECK_FALSE(map.make_room(AddressMap::kPieces + 1));
  for (u64 n = 0; n < AddressMap::kPieces; ++n)
    map.add({at_page(2 * n), at_page(2 * n + 2), 64, 0, 1, 0});
  CHECK_FALSE(map.make_room(1));
  u32 index;
  CHECK_FALSE(map.split(at_page(1), &index));
  CHECK(map.count() == AddressMap::kPieces);
}

TEST_CASE("a thread takes the map's lock again and again, others wait", "[address_map]") {
  AddressMap map;
  map.lock(1);
  map.lock(1);
  std::atomic<bool> has_lock = false;
  std::thread other([&] {
    map.lock(2);
    has_lock = true;
    map.unlock();
  });
  map.unlock();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(has_lock);
  map.unlock();
  other.join();
  CHECK(has_lock);
  // A forked child has no other threads.
  map.lock(3);
  map.reset_lock();
  map.lock(4);
  map.unlock();
}

}  // namespace ipcell
