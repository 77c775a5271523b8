// Which processes belong to a cell.
#include <set>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cell/cell_members.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

class MembersOfCell {
 public:
  MembersOfCell() {
    REQUIRE(place_cell(base_.path().c_str(), "mine", &place_).ok());
    REQUIRE(mkdir(place_.folder.text, 0700) == 0);
    REQUIRE(Cell::open_or_create(place_.file.text, test::cell_options(), &cell_).ok());
  }
  ~MembersOfCell() {
    if (cell_.is_open()) cell_.close();
  }

  const CellPlace& place() const { return place_; }
  Cell& cell() { return cell_; }

  std::set<i32> find() const {
    std::set<i32> found;
    for_each_member(
        place_,
        [](void* context, i32 pid) {
          static_cast<std::set<i32>*>(context)->insert(pid);
          return true;
        },
        &found);
    return found;
  }

 private:
  test::TempDir base_;
  CellPlace place_;
  Cell cell_;
};

// A process of another program, with this environment, that lives until it is killed.
int run_cat_with(const char* base, const char* name) {
  // It reads from a pipe whose other end it holds itself: there is no end to it.
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 1;
  dup2(pipe_ends[0], STDIN_FILENO);
  setenv("IPCELL_DIR", base, 1);
  setenv("IPCELL_CELL", name, 1);
  execlp("cat", "cat", nullptr);
  return 1;
}

}  // namespace

TEST_CASE("who has the cell mapped is a member", "[cell_members]") {
  MembersOfCell members;
  CHECK(members.find() == std::set<i32>{getpid()});
  CHECK(has_members(members.place(), 0));
  CHECK_FALSE(has_members(members.place(), getpid()));

  const test::Child child([] { return pause(); });
  CHECK(members.find() == std::set<i32>{getpid(), child.pid()});
  CHECK(has_members(members.place(), getpid()));
}

TEST_CASE("a removed file's mapping still counts", "[cell_members]") {
  MembersOfCell members;
  REQUIRE(unlink(members.place().file.text) == 0);
  CHECK(members.find() == std::set<i32>{getpid()});
}

TEST_CASE("nobody is a member of a cell that nobody uses", "[cell_members]") {
  MembersOfCell members;
  members.cell().close();
  CHECK(members.find().empty());
  CHECK_FALSE(has_members(members.place(), 0));
}

TEST_CASE("who has the cell in its environment is a member", "[cell_members]") {
  MembersOfCell members;
  members.cell().close();
  const char* base = members.place().base.text;
  test::Child named([&] { return run_cat_with(base, "mine"); });
  test::Child other_name([&] { return run_cat_with(base, "mine2"); });
  test::Child other_base([&] { return run_cat_with((std::string(base) + "2").c_str(), "mine"); });
  // They have the test's own environment until they exec.
  test::wait_until([&] { return members.find() == std::set<i32>{named.pid()}; });
}

TEST_CASE("the visitor may stop early", "[cell_members]") {
  MembersOfCell members;
  const test::Child child([] { return pause(); });
  int calls = 0;
  CHECK(for_each_member(
            members.place(),
            [](void* context, i32) {
              ++*static_cast<int*>(context);
              return false;
            },
            &calls) == 0);
  CHECK(calls == 1);
}

}  // namespace ipcell
