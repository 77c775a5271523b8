// A full filesystem is an error return at the call that asks for room, and never a SIGBUS later.
// The filesystem is a small tmpfs in a mount namespace of the test's own.
#include <cerrno>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <unistd.h>

#include "core/cell/cell_dir.h"
#include "core/ipc/msg.h"
#include "core/syscalls.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

constexpr int kNotPermitted = 77;

class SmallFilesystem {
 public:
  // In a Child's body only: it is the child's mount namespace that gets it.
  bool mount_with(const std::string& options) {
    return unshare(CLONE_NEWNS) == 0 &&
           mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  std::string file() const { return folder_ / "cell"; }
  const std::string& path() const { return folder_.path(); }

  // Takes all the room that is left, or gives it back.
  void fill() const {
    const int filler = open((folder_ / "filler").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    const std::vector<char> page(kPage, 'x');
    while (write(filler, page.data(), page.size()) > 0) {
    }
    close(filler);
  }
  void empty() const { unlink((folder_ / "filler").c_str()); }

 private:
  test::TempDir folder_;
};

// Runs the body where the small filesystem is mounted; a warning where it can't be.
void with_filesystem(const std::string& options, const std::function<int(SmallFilesystem&)>& body) {
  SmallFilesystem filesystem;
  const int status = test::in_child([&] {
    if (!filesystem.mount_with(options)) return kNotPermitted;
    return body(filesystem);
  });
  if (status == kNotPermitted) {
    WARN("skipped: this user cannot mount a tmpfs");
    return;
  }
  CHECK(status == 0);
}

CellStatus open_cell(const SmallFilesystem& filesystem, Cell* cell) {
  return Cell::open_or_create(filesystem.file().c_str(), test::cell_options(), cell);
}

long send(Task& task, int id, std::size_t size) {
  struct {
    long type;
    char text[8192];
  } message = {1, {}};
  return sys_msgsnd(task, id, &message, size, IPC_NOWAIT);
}

}  // namespace

TEST_CASE("a cell is not made on a full filesystem", "[room]") {
  for (const char* size : {"size=4k", "size=32k", "size=64k"}) {
    with_filesystem(size, [](SmallFilesystem& filesystem) {
      Cell cell;
      const CellStatus status = open_cell(filesystem, &cell);
      CHILD_CHECK(status.fault == CellFault::NoRoom);
      CHILD_CHECK(!cell.is_open());
      CHILD_CHECK(std::filesystem::is_empty(filesystem.path()));
      return 0;
    });
  }
}

TEST_CASE("folders are not made on a full filesystem", "[room]") {
  with_filesystem("nr_inodes=2", [](SmallFilesystem& filesystem) {
    const std::string base = filesystem.path() + "/base";
    DirRequest request;
    request.ipcell_dir = base.c_str();
    request.uid = geteuid();
    CellPlace place;
    CHILD_CHECK(locate_cell(request, Create::Yes, &place).fault == DirFault::NoRoom);
    CHILD_CHECK(place.folder.text == base + "/default");
    return 0;
  });
}

TEST_CASE("a task finds no slot on a full filesystem", "[room]") {
  with_filesystem("size=1m", [](SmallFilesystem& filesystem) {
    Cell cell;
    CHILD_CHECK(open_cell(filesystem, &cell).ok());
    filesystem.fill();
    Task task;
    task.cell = &cell;
    task.identity = test::identity_of_this_thread();
    CHILD_CHECK(attach_task(task) == -ENOMEM);
    CHILD_CHECK(task.slot == kNoSlot);
    filesystem.empty();
    CHILD_CHECK(attach_task(task) == 0);
    release_task(task);
    return 0;
  });
}

TEST_CASE("queues and messages are refused on a full filesystem", "[room]") {
  with_filesystem("size=1m", [](SmallFilesystem& filesystem) {
    Cell cell;
    CHILD_CHECK(open_cell(filesystem, &cell).ok());
    test::TestTask task(cell);
    const long first = sys_msgget(task, IPC_PRIVATE, 0600);
    CHILD_CHECK(first == 0);
    filesystem.fill();

    // Blocks that have memory already are still given out.
    long queues = 1;
    long result;
    while ((result = sys_msgget(task, IPC_PRIVATE, 0600)) >= 0) ++queues;
    CHILD_CHECK(result == -ENOMEM || result == -ENOSPC);
    CHILD_CHECK(send(task, 0, 8192) == -ENOMEM);
    CHILD_CHECK(!cell.is_poisoned());

    filesystem.empty();
    CHILD_CHECK(send(task, 0, 8192) == 0);
    CHILD_CHECK(sys_msgget(task, IPC_PRIVATE, 0600) == queues);
    return 0;
  });
}

TEST_CASE("indexes that were skipped can be asked for on a full filesystem", "[room]") {
  with_filesystem("size=1m", [](SmallFilesystem& filesystem) {
    Cell cell;
    CHILD_CHECK(open_cell(filesystem, &cell).ok());
    test::TestTask task(cell);
    msg_registry(cell).next_id = 20000;
    CHILD_CHECK(sys_msgget(task, IPC_PRIVATE, 0600) == 20000);
    filesystem.fill();
    // The entries between have never been written.
    struct msqid_ds info;
    CHILD_CHECK(sys_msgctl(task, 5000, MSG_STAT, &info) == -EINVAL);
    struct msginfo totals;
    CHILD_CHECK(sys_msgctl(task, 0, MSG_INFO, &totals) == 20000);
    return 0;
  });
}

}  // namespace ipcell
