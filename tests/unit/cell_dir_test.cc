// Where cells live: choosing, verifying, making and removing folders. Members:
// cell_members_test.cc.
#include "core/cell/cell_dir.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

using test::TempDir;

DirRequest request_for(const std::string& base) {
  DirRequest request;
  request.ipcell_dir = base.c_str();
  request.uid = geteuid();
  return request;
}

mode_t mode_of(const std::string& path) {
  struct stat info = {};
  REQUIRE(lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

void make_folder(const std::string& path, mode_t mode = 0700) {
  REQUIRE(mkdir(path.c_str(), mode) == 0);
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

void make_file(const std::string& path) { REQUIRE(std::ofstream(path).put('x').good()); }

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// As root no folder is closed: the check runs as a user who has nothing.
int as_nobody(const std::string& folder, const std::function<int()>& body) {
  constexpr uid_t kNobody = 65534;
  if (geteuid() == 0 && chown(folder.c_str(), kNobody, kNobody) != 0) return 1;
  return test::in_child([&] {
    if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    return body();
  });
}

CellPlace place_in(const TempDir& base, const char* name) {
  CellPlace place;
  REQUIRE(place_cell(base.path().c_str(), name, &place).ok());
  return place;
}

}  // namespace

TEST_CASE("cell names", "[cell_dir]") {
  for (const char* name : {"a", "default", "A.b_c-9", "0", "-", "_", "a.", "x..y"})
    CHECK(is_cell_name(name));
  for (const char* name : {"", ".", "..", ".gone-x", "a/b", "/", "a b", "a\n", "\xc3\xa4", "a*"}) {
    CHECK_FALSE(is_cell_name(name));
  }
  CHECK(is_cell_name(std::string(kCellNameMax, 'x').c_str()));
  CHECK_FALSE(is_cell_name(std::string(kCellNameMax + 1, 'x').c_str()));
}

TEST_CASE("cell modes", "[cell_dir]") {
  const std::set<u32> allowed = {0600, 0660, 0606, 0666};
  for (u32 mode = 0; mode <= 07777; ++mode) {
    if (is_cell_mode(mode) != (allowed.count(mode) != 0)) FAIL_CHECK("mode " << mode);
  }
}

TEST_CASE("the base folders are tried in order", "[cell_dir]") {
  DirRequest request;
  request.uid = 1234;
  CellPath base;
  SECTION("nothing is set") {
    CHECK(base_candidate(request, 0, &base).ok());
    CHECK(base.text == std::string("/dev/shm/ipcell-1234"));
    CHECK(base_candidate(request, 1, &base).fault == DirFault::NotFound);
    CHECK(base_candidate(request, 2, &base).ok());
    CHECK(base.text == std::string("/tmp/ipcell-1234"));
    CHECK(base_candidate(request, kBaseCandidates, &base).fault == DirFault::NotFound);
  }
  SECTION("the largest user id") {
    request.uid = ~0u;
    CHECK(base_candidate(request, 0, &base).ok());
    CHECK(base.text == std::string("/dev/shm/ipcell-4294967295"));
  }
  SECTION("XDG_RUNTIME_DIR") {
    request.xdg_runtime_dir = "/run/user/1234//";
    CHECK(base_candidate(request, 1, &base).ok());
    CHECK(base.text == std::string("/run/user/1234/ipcell"));
    request.xdg_runtime_dir = "run";
    CHECK(base_candidate(request, 1, &base).fault == DirFault::NotAbsolute);
    request.xdg_runtime_dir = "";
    CHECK(base_candidate(request, 1, &base).fault == DirFault::NotFound);
  }
  SECTION("IPCELL_DIR is the only one") {
    request.xdg_runtime_dir = "/run/user/1234";
    request.ipcell_dir = "/some/where///";
    CHECK(base_candidate(request, 0, &base).ok());
    CHECK(base.text == std::string("/some/where"));
    CHECK(base_candidate(request, 1, &base).fault == DirFault::NotFound);
    request.ipcell_dir = "some/where";
    CHECK(base_candidate(request, 0, &base).fault == DirFault::NotAbsolute);
    request.ipcell_dir = "/";
    CHECK(base_candidate(request, 0, &base).ok());
    CHECK(base.text == std::string("/"));
  }
  SECTION("too long") {
    const std::string path = "/" + std::string(kCellPathSize, 'x');
    request.ipcell_dir = path.c_str();
    CHECK(base_candidate(request, 0, &base).fault == DirFault::PathTooLong);
  }
}

TEST_CASE("a base folder is verified", "[cell_dir]") {
  const TempDir folder;
  const std::string base = folder / "base";
  const DirRequest request = request_for(base);
  const auto check = [&](Create create = Create::No) {
    return check_base(base.c_str(), request, create).fault;
  };

  SECTION("missing") { CHECK(check() == DirFault::NotFound); }
  SECTION("missing, and made") {
    CHECK(check(Create::Yes) == DirFault::None);
    CHECK(mode_of(base) == 0700);
    CHECK(check() == DirFault::None);
  }
  SECTION("its parent is missing") {
    const std::string deep = folder / "no/base";
    CHECK(check_base(deep.c_str(), request_for(deep), Create::Yes).fault == DirFault::NotFound);
  }
  SECTION("a file") {
    make_file(base);
    CHECK(check(Create::Yes) == DirFault::NotAFolder);
  }
  SECTION("a link to a folder") {
    make_folder(folder / "real");
    REQUIRE(symlink("real", base.c_str()) == 0);
    CHECK(check(Create::Yes) == DirFault::Symlink);
  }
  SECTION("a dangling link") {
    REQUIRE(symlink("nowhere", base.c_str()) == 0);
    CHECK(check(Create::Yes) == DirFault::Symlink);
  }
  SECTION("others may read it") {
    make_folder(base, 0755);
    CHECK(check() == DirFault::None);
  }
  SECTION("others may write to it") {
    make_folder(base);
    for (mode_t mode : {0720, 0702, 01777}) {
      REQUIRE(chmod(base.c_str(), mode) == 0);
      CHECK(check(Create::Yes) == DirFault::WritableByOthers);
      CHECK(mode_of(base) == mode);
    }
  }
  SECTION("another user's") {
    DirRequest other = request;
    other.uid = geteuid() + 1;
    make_folder(base);
    CHECK(check_base(base.c_str(), other, Create::Yes).fault == DirFault::ForeignOwner);
  }
  SECTION("closed to its owner") {
    make_folder(base, 0500);
    CHECK(as_nobody(base, [&] {
            const DirStatus status = check_base(base.c_str(), request_for(base), Create::Yes);
            return static_cast<int>(status.fault);
          }) == static_cast<int>(DirFault::Unwritable));
  }
}

TEST_CASE("a shared base folder must be sticky where all may write", "[cell_dir]") {
  const TempDir folder;
  const std::string base = folder / "base";
  DirRequest request = request_for(base);
  request.mode = GENERATE(0660, 0666);
  const auto check = [&](Create create = Create::No) {
    return check_base(base.c_str(), request, create).fault;
  };

  SECTION("made for its users, whatever the umask") {
    const mode_t old = umask(0777);
    CHECK(check(Create::Yes) == DirFault::None);
    umask(old);
    CHECK(mode_of(base) == (request.mode == 0660 ? 01770 : 01777));
  }
  SECTION("open to all") {
    make_folder(base, 0777);
    CHECK(check() == DirFault::WritableByOthers);
    REQUIRE(chmod(base.c_str(), 01777) == 0);
    CHECK(check() == DirFault::None);
  }
  SECTION("owners are not looked at") {
    make_folder(base, 0755);
    ++request.uid;
    CHECK(check() == DirFault::None);
  }
}

TEST_CASE("choosing the base folder", "[cell_dir]") {
  const TempDir folder;
  CellPath base;
  SECTION("IPCELL_DIR that is not usable is not replaced by another") {
    const std::string path = folder / "file";
    make_file(path);
    DirRequest request = request_for(path);
    request.xdg_runtime_dir = folder.path().c_str();
    CHECK(choose_base(request, Create::Yes, &base).fault == DirFault::NotAFolder);
    CHECK(base.text == path);
  }
  SECTION("a shared cell needs a folder that was named") {
    DirRequest request;
    request.uid = geteuid();
    request.mode = 0666;
    CHECK(choose_base(request, Create::Yes, &base).fault == DirFault::NoSharedFolder);
    CHECK(base.text == std::string());
  }
}

TEST_CASE("locating a cell", "[cell_dir]") {
  const TempDir folder;
  const std::string base = folder / "base";
  DirRequest request = request_for(base);
  CellPlace place;
  SECTION("its folders are made, its file is not") {
    request.name = "mine";
    REQUIRE(locate_cell(request, Create::Yes, &place).ok());
    CHECK(place.base.text == base);
    CHECK(place.folder.text == base + "/mine");
    CHECK(place.file.text == base + "/mine/cell");
    CHECK(mode_of(base) == 0700);
    CHECK(mode_of(base + "/mine") == 0700);
    CHECK_FALSE(exists(base + "/mine/cell"));
  }
  SECTION("the default name") {
    REQUIRE(locate_cell(request, Create::Yes, &place).ok());
    CHECK(place.folder.text == base + "/" + kDefaultCell);
  }
  SECTION("nothing is made unless that is wanted") {
    CHECK(locate_cell(request, Create::No, &place).fault == DirFault::NotFound);
    CHECK(place.base.text == base);
    CHECK_FALSE(exists(base));
    make_folder(base);
    CHECK(locate_cell(request, Create::No, &place).fault == DirFault::NotFound);
    CHECK(place.base.text == base + "/default");
    CHECK_FALSE(exists(base + "/default"));
  }
  SECTION("a name or mode that cannot be") {
    request.name = "../other";
    CHECK(locate_cell(request, Create::Yes, &place).fault == DirFault::NameInvalid);
    CHECK(place.base.text == std::string("../other"));
    request.name = nullptr;
    request.mode = 0644;
    CHECK(locate_cell(request, Create::Yes, &place).fault == DirFault::ModeInvalid);
    CHECK_FALSE(exists(base));
  }
  SECTION("the cell's folder is verified like the base") {
    make_folder(base);
    make_folder(base + "/default", 0777);
    CHECK(locate_cell(request, Create::Yes, &place).fault == DirFault::WritableByOthers);
    CHECK(place.base.text == base + "/default");
  }
  SECTION("a path that has no room for the file's name") {
    const std::string path =
        folder.path() + "/" + std::string(kCellPathSize - folder.path().size() - 6, 'x');
    CHECK(place_cell(path.c_str(), "name", &place).fault == DirFault::PathTooLong);
  }
}

TEST_CASE("removing a cell", "[cell_dir]") {
  const TempDir base;
  const CellPlace place = place_in(base, "mine");
  SECTION("with all that is a cell's") {
    make_folder(place.folder.text);
    for (const char* name : {"/cell", "/runner", "/cell.0123456789abcdef", "/mq.queue"}) {
      make_file(place.folder.text + std::string(name));
    }
    CHECK(remove_cell(place).ok());
    CHECK(std::filesystem::is_empty(base.path()));
  }
  SECTION("with many files") {
    make_folder(place.folder.text);
    for (int n = 0; n < 500; ++n)
      make_file(place.folder.text + std::string("/mq.") + std::to_string(n));
    CHECK(remove_cell(place).ok());
    CHECK(std::filesystem::is_empty(base.path()));
  }
  SECTION("with its POSIX names, whatever they are") {
    make_folder(place.folder.text);
    make_file(place.file.text);
    REQUIRE(make_posix_folder(place) == 0);
    for (const char* name : {"sem.lock", "memory", "cell", ".x", "posix"})
      make_file(place.folder.text + std::string("/posix/") + name);
    REQUIRE(symlink("/", (place.folder.text + std::string("/posix/link")).c_str()) == 0);
    CHECK(remove_cell(place).ok());
    CHECK(std::filesystem::is_empty(base.path()));
  }
  SECTION("where the POSIX names are none: nothing is touched") {
    make_folder(place.folder.text);
    make_file(place.file.text);
    const std::string names = place.folder.text + std::string("/posix");
    const std::string inner = names + "/diary";
    if (GENERATE(true, false)) {
      make_folder(names);
      make_folder(inner);
    } else {
      make_folder(base / "elsewhere");
      make_file(base / "elsewhere/diary");
      REQUIRE(symlink("../elsewhere", names.c_str()) == 0);
    }
    CHECK(remove_cell(place).fault == DirFault::NotACell);
    CHECK(exists(place.file.text));
    CHECK(exists(inner));
  }
  SECTION("that holds something else: nothing is touched") {
    make_folder(place.folder.text);
    make_file(place.file.text);
    make_file(place.folder.text + std::string("/diary"));
    CHECK(remove_cell(place).fault == DirFault::NotACell);
    CHECK(exists(place.file.text));
    CHECK(exists(place.folder.text + std::string("/diary")));
  }
  SECTION("that is not there") { CHECK(remove_cell(place).fault == DirFault::NotFound); }
  SECTION("that is a link") {
    make_folder(base / "real");
    make_file(base / "real/cell");
    REQUIRE(symlink("real", place.folder.text) == 0);
    const DirFault fault = remove_cell(place).fault;
    CHECK((fault == DirFault::Symlink || fault == DirFault::NotAFolder));
    CHECK(exists(base / "real/cell"));
  }
  SECTION("over the rest of an interrupted removal") {
    make_folder(base / ".gone-mine");
    make_file(base / ".gone-mine/cell");
    make_folder(place.folder.text);
    make_file(place.file.text);
    CHECK(remove_cell(place).ok());
    CHECK(std::filesystem::is_empty(base.path()));
  }
}

TEST_CASE("the folder of POSIX names", "[cell_dir]") {
  const TempDir base;
  const CellPlace place = place_in(base, "mine");
  const std::string names = place.folder.text + std::string("/posix");
  make_folder(place.folder.text);
  make_file(place.file.text);
  SECTION("is for those who may use the cell") {
    const auto [mode, expected] =
        GENERATE(std::pair{0600, 0700}, std::pair{0660, 01770}, std::pair{0666, 01777});
    REQUIRE(chmod(place.file.text, static_cast<mode_t>(mode)) == 0);
    const mode_t old = umask(077);
    CHECK(make_posix_folder(place) == 0);
    umask(old);
    CHECK(mode_of(names) == static_cast<mode_t>(expected));
    CHECK(make_posix_folder(place) == 0);
  }
  SECTION("is not made where there is no cell") {
    REQUIRE(unlink(place.file.text) == 0);
    CHECK(make_posix_folder(place) == -ENOENT);
    CHECK_FALSE(exists(names));
  }
  SECTION("is no link") {
    REQUIRE(symlink("/tmp", names.c_str()) == 0);
    CHECK(make_posix_folder(place) < 0);
  }
  SECTION("goes with all names, and nothing else does") {
    remove_inner_folders(place.file.text);
    REQUIRE(make_posix_folder(place) == 0);
    make_file(names + "/sem.lock");
    remove_inner_folders(place.file.text);
    CHECK_FALSE(exists(names));
    CHECK(exists(place.file.text));
  }
}

TEST_CASE("removing what an interrupted removal left", "[cell_dir]") {
  const TempDir base;
  make_folder(base / ".gone-mine");
  make_file(base / ".gone-mine/cell");
  CHECK(remove_leftover(base.path().c_str(), ".gone-mine").ok());
  CHECK(std::filesystem::is_empty(base.path()));
  make_folder(base / "mine");
  CHECK(remove_leftover(base.path().c_str(), "mine").fault == DirFault::NameInvalid);
  CHECK(exists(base / "mine"));
}

TEST_CASE("each folder fault has a sentence of its own", "[cell_dir]") {
  std::set<std::string> sentences;
  for (int fault = 0; fault <= static_cast<int>(DirFault::System); ++fault) {
    sentences.insert(DirStatus{static_cast<DirFault>(fault), 0}.describe());
  }
  CHECK(sentences.size() == static_cast<std::size_t>(DirFault::System) + 1);
  CHECK(sentences.count("unknown") == 0);
}

}  // namespace ipcell
