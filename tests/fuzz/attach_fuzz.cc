// Files that are not the cell that this build would have made: Cell::open() answers each with the
// status that names what is wrong, and never with a crash. Where it accepts a file whose inside is
// nonsense, calls on it fail or work, and nothing worse.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/ipc/signature.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/player.h"

namespace fuzz {

namespace {

using ipcell::Cell;
using ipcell::CellFault;
using ipcell::CellLayout;
using ipcell::CellStatus;
using ipcell::Header;

constexpr Cell::Options kOptions = {ipcell::kLayoutSignature};
constexpr unsigned kSeconds = 20;

struct Case {
  std::string name;
  std::function<void(const std::string& path)> spoil;  // of a good cell's file
  std::vector<CellFault> expected;
};

CellStatus open_path(const std::string& path) {
  Cell cell;
  const CellStatus status = Cell::open(path.c_str(), kOptions, &cell);
  if (status.ok()) cell.close();
  return status;
}

void make_cell(const std::string& path) {
  unlink(path.c_str());
  Cell cell;
  const CellStatus status = Cell::open_or_create(path.c_str(), kOptions, &cell);
  if (!status.ok()) {
    std::fprintf(stderr, "no cell: %s\n", status.describe());
    std::exit(1);
  }
  cell.close();
}

void write_at(const std::string& path, std::uint64_t offset, const void* data, std::size_t size) {
  const int fd = open(path.c_str(), O_WRONLY);
  if (pwrite(fd, data, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
    std::perror("pwrite");
  close(fd);
}

template <class T>
void write_value(const std::string& path, std::uint64_t offset, T value) {
  write_at(path, offset, &value, sizeof value);
}

// ---------------------------------------------------------------- the cases

void add_sizes(std::vector<Case>& cases) {
  const std::uint64_t small[] = {0, 1, 7, 8, 12, 100, sizeof(Header) - 1};
  for (std::uint64_t size : small) {
    cases.push_back({"size " + std::to_string(size),
                     [size](const std::string& path) {
                       (void)!truncate(path.c_str(), static_cast<off_t>(size));
                     },
                     {CellFault::NotACell}});
  }
  const std::uint64_t large[] = {sizeof(Header),
                                 4095,
                                 4096,
                                 4097,
                                 offsetof(CellLayout, heap),
                                 offsetof(CellLayout, registries),
                                 offsetof(CellLayout, tasks),
                                 ipcell::kHeapOffset,
                                 ipcell::kHeapOffset + 1,
                                 ipcell::kCellSize - 1,
                                 ipcell::kCellSize + 1,
                                 ipcell::kCellSize * 2};
  for (std::uint64_t size : large) {
    cases.push_back({"size " + std::to_string(size),
                     [size](const std::string& path) {
                       (void)!truncate(path.c_str(), static_cast<off_t>(size));
                     },
                     {CellFault::WrongSize}});
  }
}

template <class T>
Case field(const char* name, std::size_t offset, T value, CellFault expected) {
  return {std::string(name) + " " + std::to_string(value),
          [offset, value](const std::string& path) { write_value(path, offset, value); },
          {expected}};
}

void add_header_fields(std::vector<Case>& cases) {
  for (unsigned byte = 0; byte < sizeof ipcell::kMagic; ++byte) {
    cases.push_back(field<std::uint8_t>("magic byte", byte, 0xff, CellFault::NotACell));
  }
  for (std::uint32_t version : {0u, ipcell::kLayoutVersion + 1, 0xffffffffu}) {
    cases.push_back(field("version", offsetof(Header, version), version, CellFault::OtherVersion));
  }
  for (std::uint64_t signature : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    cases.push_back(
        field("signature", offsetof(Header, signature), signature, CellFault::OtherVersion));
  }
  for (std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{ipcell::kCellSize - 1}, ~std::uint64_t{0}}) {
    cases.push_back(field("file size", offsetof(Header, file_size), size, CellFault::WrongSize));
  }
  cases.push_back(
      field<std::uint64_t>("boot id", offsetof(Header, boot_id), 1, CellFault::OtherBoot));
}

void add_modes(std::vector<Case>& cases) {
  for (unsigned mode : {0644u, 0640u, 0606u, 0620u, 0666u, 0700u, 0601u, 04600u, 02600u, 01600u}) {
    char name[32];
    std::snprintf(name, sizeof name, "mode %04o", mode);
    cases.push_back({name,
                     [mode](const std::string& path) { chmod(path.c_str(), mode); },
                     {CellFault::UnsafeMode}});
  }
  if (geteuid() == 0) {
    cases.push_back({"another owner",
                     [](const std::string& path) { (void)!chown(path.c_str(), 12345, 12345); },
                     {CellFault::ForeignOwner}});
  } else {
    cases.push_back({"unreadable",
                     [](const std::string& path) { chmod(path.c_str(), 0); },
                     {CellFault::System}});
  }
}

void make_socket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  if (bind(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof address) != 0)
    std::perror("bind");
  close(fd);
}

void add_other_files(std::vector<Case>& cases) {
  const auto add = [&](const char* name, std::function<void(const std::string&)> make,
                       std::vector<CellFault> expected) {
    cases.push_back({name,
                     [make = std::move(make)](const std::string& path) {
                       unlink(path.c_str());
                       make(path);
                     },
                     std::move(expected)});
  };
  const std::vector<CellFault> refused = {CellFault::NotRegular, CellFault::System};
  add("nothing", [](const std::string&) {}, {CellFault::NotFound});
  add(
      "folder", [](const std::string& path) { mkdir(path.c_str(), 0700); }, refused);
  add("FIFO", [](const std::string& path) { mkfifo(path.c_str(), 0600); }, {CellFault::NotRegular});
  add("socket", make_socket, refused);
  add("dangling link", [](const std::string& path) { (void)!symlink("nowhere", path.c_str()); },
      {CellFault::NotRegular});
  add("link to a device",
      [](const std::string& path) { (void)!symlink("/dev/zero", path.c_str()); },
      {CellFault::NotRegular});
  add("link to itself", [](const std::string& path) { (void)!symlink(path.c_str(), path.c_str()); },
      {CellFault::NotRegular});
  cases.push_back({"link to a good cell",
                   [](const std::string& path) {
                     const std::string other = path + ".other";
                     unlink(other.c_str());
                     (void)!rename(path.c_str(), other.c_str());
                     (void)!symlink(other.c_str(), path.c_str());
                   },
                   {CellFault::NotRegular}});
}

void remove_any(const std::string& path) {
  if (unlink(path.c_str()) != 0) rmdir(path.c_str());
}

bool run_case(const Case& test, const std::string& path) {
  remove_any(path);
  make_cell(path);
  test.spoil(path);
  const ChildResult result = run_in_child(kSeconds, [&] {
    const CellStatus status = open_path(path);
    for (CellFault fault : test.expected) {
      if (status.fault == fault) return 0;
    }
    std::fprintf(stderr, "status %d (%s), error %d\n", static_cast<int>(status.fault),
                 status.describe(), status.error);
    return 1;
  });
  if (!result.is_ok) std::printf("FAILED: %s: %s\n", test.name.c_str(), result.story.c_str());
  remove_any(path);
  return result.is_ok;
}

// ---------------------------------------------------------------- limits of the process

bool run_limited(const char* name, int resource, std::uint64_t limit, CellFault expected,
                 const std::string& path) {
  unlink(path.c_str());
  if (expected == CellFault::AddressSpace) make_cell(path);
  const ChildResult result = run_in_child(kSeconds, [&] {
    const struct rlimit low = {limit, limit};
    setrlimit(static_cast<__rlimit_resource>(resource), &low);
    Cell cell;
    const CellStatus status = Cell::open_or_create(path.c_str(), kOptions, &cell);
    if (status.fault == expected) return 0;
    std::fprintf(stderr, "status %d (%s), error %d\n", static_cast<int>(status.fault),
                 status.describe(), status.error);
    return 1;
  });
  if (!result.is_ok) std::printf("FAILED: %s: %s\n", name, result.story.c_str());
  unlink(path.c_str());
  return result.is_ok;
}

// A cell of an earlier boot is replaced, and nothing else is.
bool run_replacement(const std::string& path) {
  make_cell(path);
  write_value<std::uint64_t>(path, offsetof(Header, boot_id), 1);
  Cell cell;
  const bool is_replaced = Cell::open_or_create(path.c_str(), kOptions, &cell).ok();
  if (is_replaced) cell.close();
  write_value<std::uint32_t>(path, offsetof(Header, version), 99);
  const bool is_refused =
      Cell::open_or_create(path.c_str(), kOptions, &cell).fault == CellFault::OtherVersion;
  if (!is_replaced || !is_refused)
    std::printf("FAILED: replaced %d, refused %d\n", is_replaced, is_refused);
  unlink(path.c_str());
  return is_replaced && is_refused;
}

// ---------------------------------------------------------------- random bytes

// Random bytes all over the header's page, the checked fields as they were; then the calls.
int open_random(const std::string& path, Rng& rng) {
  const std::size_t kept = offsetof(Header, created);
  for (std::uint64_t count = rng.below(200) + 1; count > 0; --count) {
    const std::uint64_t offset =
        rng.chance(5) ? rng.below(kept) : kept + rng.below(sizeof(Header) - kept);
    write_value(path, offset, static_cast<std::uint8_t>(rng.next()));
  }
  Player player;
  if (!player.open(path.c_str()) || player.attach() != 0) return 0;
  for (int n = 0; n < 30; ++n) call_one(player, rng, 2);
  return 0;
}

long run_random(const Options& options, const std::string& path) {
  long failures = 0;
  for (std::uint64_t seed = options.seed;
       seed < options.seed + static_cast<std::uint64_t>(options.count); ++seed) {
    make_cell(path);
    const ChildResult result = run_in_child(kSeconds, [&] {
      Rng rng(seed);
      return open_random(path, rng);
    });
    unlink(path.c_str());
    if (result.is_ok) continue;
    ++failures;
    std::printf("FAILED: random header, --seed %lu --only: %s\n", static_cast<unsigned long>(seed),
                result.story.c_str());
  }
  return failures;
}

int run(const Options& options) {
  const Folder folder;
  const std::string path = folder.file("cell");
  long failures = run_random(options, path);
  if (options.is_single) return failures != 0;
  std::vector<Case> cases;
  add_sizes(cases);
  add_header_fields(cases);
  add_modes(cases);
  add_other_files(cases);
  for (const Case& test : cases) failures += run_case(test, path) ? 0 : 1;
  failures +=
      run_limited("RLIMIT_FSIZE", RLIMIT_FSIZE, 1 << 20, CellFault::FileSizeLimit, path) ? 0 : 1;
  failures += run_limited("RLIMIT_AS", RLIMIT_AS, 64 << 20, CellFault::AddressSpace, path) ? 0 : 1;
  failures += run_replacement(path) ? 0 : 1;
  std::printf("%zu files, %ld random headers, %ld failures\n", cases.size() + 3, options.count,
              failures);
  return failures != 0;
}

}  // namespace

}  // namespace fuzz

int main(int argc, char** argv) { return fuzz::run(fuzz::parse_options(argc, argv, 300)); }
