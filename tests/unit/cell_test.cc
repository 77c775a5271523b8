// Making, opening and verifying a cell's file. Full filesystems: room_test.cc.
#include "core/cell/cell.h"

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

using test::cell_options;
using test::TempDir;

CellFault fault_of_opening(const std::string& path, const Cell::Options& options = cell_options()) {
  Cell cell;
  const CellStatus status = Cell::open(path.c_str(), options, &cell);
  CHECK(cell.is_open() == status.ok());
  if (status.ok()) cell.close();
  return status.fault;
}

CellStatus make(const std::string& path, const Cell::Options& options = cell_options()) {
  Cell cell;
  const CellStatus status = Cell::open_or_create(path.c_str(), options, &cell);
  if (status.ok()) cell.close();
  return status;
}

// Changes the header of the cell at `path` behind its back.
template <class Change>
void change_header(const std::string& path, Change change) {
  Header header;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  change(header);
  file.seekp(0);
  file.write(reinterpret_cast<const char*>(&header), sizeof header);
  REQUIRE(file.good());
}

struct stat stat_of(const std::string& path) {
  struct stat info = {};
  REQUIRE(lstat(path.c_str(), &info) == 0);
  return info;
}

std::ptrdiff_t count_entries(const std::string& folder) {
  const std::filesystem::directory_iterator begin(folder);
  return std::distance(begin, std::filesystem::directory_iterator());
}

class Umask {
 public:
  explicit Umask(mode_t mask) : old_(umask(mask)) {}
  ~Umask() { umask(old_); }

 private:
  mode_t old_;
};

}  // namespace

TEST_CASE("a fresh cell is whole, private and sparse", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  const mode_t mask = GENERATE(0, 022, 0777);
  {
    const Umask umask_for_now(mask);
    REQUIRE(make(path).ok());
  }
  const struct stat info = stat_of(path);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(static_cast<u64>(info.st_size) == kCellSize + kSegmentPages * kPage);
  CHECK(info.st_blocks * 512 < 1 << 20);
  // The temporary name is gone.
  CHECK(count_entries(folder.path()) == 1);

  Cell cell;
  REQUIRE(Cell::open(path.c_str(), cell_options(), &cell).ok());
  CHECK(cell.device() == info.st_dev);
  CHECK(cell.inode() == info.st_ino);
  const Header& header = cell.header();
  CHECK(std::memcmp(header.magic, kMagic, sizeof kMagic) == 0);
  CHECK(header.signature == cell_options().signature);
  CHECK(header.mode == 0600);
  CHECK(header.transient == 0);
  CHECK(header.limits.msgmax == 8192);
  CHECK(header.limits.msgmnb == 16384);
  CHECK(header.limits.msgmni == 32000);
  for (const Registry& registry : cell.layout().registries) {
    CHECK(registry.in_use == 0);
    CHECK(registry.max_idx == -1);
    CHECK(registry.last_idx == -1);
    CHECK(registry.next_id == -1);
  }
  CHECK_FALSE(cell.is_poisoned());
  cell.close();
  CHECK_FALSE(cell.is_open());
}

TEST_CASE("a cell is created with the mode and the purpose that were asked for", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  Cell::Options options = cell_options();
  options.mode = 0666;
  options.shared = true;
  options.transient = true;
  {
    const Umask umask_for_now(077);
    REQUIRE(make(path, options).ok());
  }
  CHECK((stat_of(path).st_mode & 07777) == 0666);
  CHECK(fault_of_opening(path) == CellFault::UnsafeMode);
  Cell cell;
  REQUIRE(Cell::open(path.c_str(), options, &cell).ok());
  CHECK(cell.header().transient == 1);
  cell.close();
}

TEST_CASE("two mappings of a cell are one memory, and keep no descriptor", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  const auto descriptors = count_entries("/proc/self/fd");
  Cell first, second;
  REQUIRE(Cell::open_or_create(path.c_str(), cell_options(), &first).ok());
  REQUIRE(Cell::open_or_create(path.c_str(), cell_options(), &second).ok());
  CHECK(count_entries("/proc/self/fd") == descriptors);
  CHECK(first.base() != second.base());
  CHECK(first.inode() == second.inode());
  first.header().limits.msgmax = 4711;
  CHECK(second.header().limits.msgmax == 4711);
  first.close();
  second.close();
}

TEST_CASE("a cell that is not there is not found", "[cell]") {
  const TempDir folder;
  CHECK(fault_of_opening(folder / "cell") == CellFault::NotFound);
  CHECK(make(folder / "missing/cell").fault == CellFault::NotFound);
}

TEST_CASE("what is no regular file is refused", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  SECTION("a symbolic link, even to a cell") {
    REQUIRE(make(folder / "other").ok());
    REQUIRE(symlink((folder / "other").c_str(), path.c_str()) == 0);
  }
  SECTION("a FIFO") { REQUIRE(mkfifo(path.c_str(), 0600) == 0); }
  SECTION("a folder") { REQUIRE(mkdir(path.c_str(), 0700) == 0); }
  SECTION("a socket") {
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(listener, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) ==
            0);
    close(listener);
  }
  CHECK(fault_of_opening(path) == CellFault::NotRegular);
  CHECK(make(path).fault == CellFault::NotRegular);
}

TEST_CASE("a file that others could have written is refused", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  REQUIRE(make(path).ok());
  for (mode_t mode : {0601, 0602, 0604, 0610, 0620, 0640, 0700, 01600, 02600, 04600, 0666}) {
    REQUIRE(chmod(path.c_str(), mode) == 0);
    CHECK(fault_of_opening(path) == CellFault::UnsafeMode);
  }
  Cell::Options shared = cell_options();
  shared.shared = true;
  CHECK(fault_of_opening(path, shared) == CellFault::None);
}

TEST_CASE("another user's file is refused unless it is meant to be shared", "[cell]") {
  if (geteuid() != 0) {
    WARN("skipped: only root can give files away");
    return;
  }
  const TempDir folder;
  const std::string path = folder / "cell";
  REQUIRE(make(path).ok());
  REQUIRE(chown(path.c_str(), 12345, 12345) == 0);
  CHECK(fault_of_opening(path) == CellFault::ForeignOwner);
  Cell::Options shared = cell_options();
  shared.shared = true;
  CHECK(fault_of_opening(path, shared) == CellFault::None);
}

TEST_CASE("a file that is no cell, or no longer one, is refused", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  REQUIRE(make(path).ok());
  SECTION("it is empty") {
    REQUIRE(truncate(path.c_str(), 0) == 0);
    CHECK(fault_of_opening(path) == CellFault::NotACell);
  }
  SECTION("it ends inside of the header") {
    REQUIRE(truncate(path.c_str(), sizeof(Header) - 1) == 0);
    CHECK(fault_of_opening(path) == CellFault::NotACell);
  }
  SECTION("it is something else") {
    change_header(path, [](Header& header) { header.magic[0] = 'I'; });
    CHECK(fault_of_opening(path) == CellFault::NotACell);
  }
  SECTION("it was cut off") {
    REQUIRE(truncate(path.c_str(), static_cast<off_t>(kCellSize - 1)) == 0);
    CHECK(fault_of_opening(path) == CellFault::WrongSize);
  }
  SECTION("it was grown") {
    REQUIRE(truncate(path.c_str(), static_cast<off_t>(kCellSize + 1)) == 0);
    CHECK(fault_of_opening(path) == CellFault::WrongSize);
  }
  SECTION("it says another size") {
    change_header(path, [](Header& header) { header.file_size = 1; });
    CHECK(fault_of_opening(path) == CellFault::WrongSize);
  }
  SECTION("it is of another version") {
    change_header(path, [](Header& header) { ++header.version; });
    CHECK(fault_of_opening(path) == CellFault::OtherVersion);
  }
  SECTION("it is of a build with other records") {
    Cell::Options other = cell_options();
    other.signature ^= 1;
    CHECK(fault_of_opening(path, other) == CellFault::OtherVersion);
  }
  // None of these is repaired.
  const CellFault before = fault_of_opening(path);
  CHECK((before == CellFault::None || make(path).fault == before));
}

TEST_CASE("a cell from before a reboot is recognised and replaced", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  REQUIRE(make(path).ok());
  SECTION("another boot") {
    const ino_t inode = stat_of(path).st_ino;
    change_header(path, [](Header& header) {
      header.boot_id[3] = static_cast<u8>(header.boot_id[3] ^ 0x80);
      header.limits.msgmax = 4711;
    });
    CHECK(fault_of_opening(path) == CellFault::OtherBoot);
    Cell cell;
    REQUIRE(Cell::open_or_create(path.c_str(), cell_options(), &cell).ok());
    CHECK(cell.inode() != inode);
    CHECK(cell.header().limits.msgmax == 8192);
    CHECK(count_entries(folder.path()) == 1);
    cell.close();
  }
  SECTION("an unknown boot is taken for this one") {
    change_header(path,
                  [](Header& header) { std::memset(header.boot_id, 0, sizeof header.boot_id); });
    CHECK(fault_of_opening(path) == CellFault::None);
  }
}

TEST_CASE("a file size limit is told, and does not kill", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  const auto make_with_limit = [&] {
    return test::in_child([&] {
      const struct rlimit limit = {kCellSize - 1, kCellSize - 1};
      CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
      return static_cast<int>(make(path).fault);
    });
  };
  CHECK(make_with_limit() == static_cast<int>(CellFault::FileSizeLimit));
  CHECK(count_entries(folder.path()) == 0);
  // The limit is none for a cell that is there.
  REQUIRE(make(path).ok());
  CHECK(make_with_limit() == static_cast<int>(CellFault::None));
}

TEST_CASE("a file size limit leaves as much room for segments as it allows", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  const u64 pages = kSegmentPages / 16;
  CHECK(test::in_child([&] {
          const u64 bytes = kCellSize + (pages + 1) * kPage;
          const struct rlimit limit = {bytes, bytes};
          CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
          return static_cast<int>(make(path).fault);
        }) == static_cast<int>(CellFault::None));
  Cell cell;
  REQUIRE(Cell::open(path.c_str(), cell_options(), &cell).ok());
  CHECK(cell.header().segment_pages == pages);
  cell.close();
}

TEST_CASE("a lack of address space is told", "[cell]") {
  const TempDir folder;
  const std::string path = folder / "cell";
  REQUIRE(make(path).ok());
  CHECK(test::in_child([&] {
          const struct rlimit limit = {kCellSize / 2, kCellSize / 2};
          CHILD_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
          return static_cast<int>(fault_of_opening(path));
        }) == static_cast<int>(CellFault::AddressSpace));
}

TEST_CASE("other failures keep their error number", "[cell]") {
  const TempDir folder;
  REQUIRE(make(folder / "file").ok());
  Cell cell;
  const CellStatus inside_of_file =
      Cell::open((folder / "file/cell").c_str(), cell_options(), &cell);
  CHECK(inside_of_file.fault == CellFault::System);
  CHECK(inside_of_file.error == -ENOTDIR);
  const std::string long_name = folder / std::string(300, 'x');
  CHECK(make(long_name).error == -ENAMETOOLONG);
}

TEST_CASE("each fault has a sentence of its own", "[cell]") {
  std::set<std::string> sentences;
  for (int fault = 0; fault <= static_cast<int>(CellFault::System); ++fault) {
    sentences.insert(CellStatus{static_cast<CellFault>(fault), 0}.describe());
  }
  CHECK(sentences.size() == static_cast<std::size_t>(CellFault::System) + 1);
  CHECK(sentences.count("unknown") == 0);
}

TEST_CASE("memory is put behind the tables as they are asked for", "[cell]") {
  test::TestCell cell;
  const auto has_memory = [&](const void* address) {
    const u64 page = cell.offset_of(address) / kPage;
    return (cell.layout().table_pages.has_memory[page / 64] >> (page % 64) & 1) != 0;
  };
  u8* page = cell.base() + align_up(cell.offset_of(&cell.layout().tasks[100]), kPage);
  CHECK_FALSE(has_memory(page));
  // A range that touches three pages.
  CHECK(cell.ensure(page + kPage - 1, kPage + 2) == 0);
  CHECK(has_memory(page));
  CHECK(has_memory(page + kPage));
  CHECK(has_memory(page + 2 * kPage));
  CHECK_FALSE(has_memory(page + 3 * kPage));
  CHECK_FALSE(has_memory(page - kPage));
  CHECK(cell.ensure(page, 1) == 0);
  CHECK(cell.populate(kHeapOffset + 5, kPage) == 0);
  CHECK_FALSE(has_memory(cell.base() + kHeapOffset));
}

TEST_CASE("a poisoned cell keeps the first reason", "[cell]") {
  test::TestCell cell;
  const auto poison_with = [&](const std::string& reason) {
    return test::poisons(cell, [&](Task&) { cell.poison(reason.c_str()); });
  };
  SECTION("the second reason is not kept") {
    CHECK(poison_with("first"));
    CHECK(cell.header().poison_reason == std::string("first"));
#ifndef IPCELL_DEBUG
    CHECK(cell.poison("second") == -EIO);
    CHECK(cell.header().poison_reason == std::string("first"));
#endif
  }
  SECTION("a long reason is cut off") {
    CHECK(poison_with(std::string(500, 'x')));
    CHECK(cell.header().poison_reason == std::string(sizeof(Header::poison_reason) - 1, 'x'));
  }
}

}  // namespace ipcell
