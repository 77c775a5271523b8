// Many open or make one cell at once: all must end up in the same one.
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

constexpr int kProcesses = 6;

struct Meeting {
  u32 ready;
  u32 is_open;
  u64 inodes[kProcesses];
};

// How many different cells the processes ended up in; they start as close together as can be.
std::size_t count_cells(const std::string& path) {
  const test::Shared<Meeting> meeting;
  std::deque<test::Child> children;
  for (int n = 0; n < kProcesses; ++n) {
    children.emplace_back([&, n] {
      __atomic_fetch_add(&meeting->ready, 1, __ATOMIC_ACQ_REL);
      while (load_acquire(meeting->is_open) == 0) usleep(0);
      Cell cell;
      CHILD_CHECK(Cell::open_or_create(path.c_str(), test::cell_options(), &cell).ok());
      meeting->inodes[n] = cell.inode();
      return 0;
    });
  }
  test::wait_until([&] { return load_acquire(meeting->ready) == kProcesses; });
  store_release(meeting->is_open, 1);
  for (test::Child& child : children) CHECK(child.wait() == 0);
  std::size_t cells = 1;
  for (int n = 1; n < kProcesses; ++n) {
    if (meeting->inodes[n] != meeting->inodes[0]) ++cells;
  }
  return cells;
}

void age(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offsetof(Header, boot_id));
  file.write("a boot long ago.", 16);
  REQUIRE(file.good());
}

}  // namespace

TEST_CASE("processes that make a cell at once share it", "[cell]") {
  for (int round = 0; round < 20; ++round) {
    const test::TempDir folder;
    REQUIRE(count_cells(folder / "cell") == 1);
    using Entries = std::filesystem::directory_iterator;
    CHECK(std::distance(Entries(folder.path()), Entries()) == 1);
  }
}

TEST_CASE("processes that replace an earlier boot's cell at once share the new one", "[cell]") {
  for (int round = 0; round < 20; ++round) {
    const test::TempDir folder;
    const std::string path = folder / "cell";
    Cell old;
    REQUIRE(Cell::open_or_create(path.c_str(), test::cell_options(), &old).ok());
    old.close();
    age(path);
    REQUIRE(count_cells(path) == 1);
  }
}

}  // namespace ipcell
