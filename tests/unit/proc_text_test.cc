// The text of /proc/sysvipc/msg, and the numbers that it is made of.
#include <climits>
#include <cstdio>

#include "core/ipc/text.h"
#include "tests/unit/catch.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr char kHeading[] =
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
    "stime      rtime      ctime\n";

std::string read_all(Task& task, std::size_t piece) {
  std::string text;
  u32 position = 0;
  for (;;) {
    std::string buffer(piece, '?');
    const std::size_t size = sys_proc_msg(task, &position, buffer.data(), buffer.size());
    if (size == 0) return text;
    REQUIRE(size <= piece);
    text += buffer.substr(0, size);
  }
}

// Linux: ipc/msg.c:sysvipc_msg_proc_show()
std::string line_of(Task& task, int id) {
  const struct msqid_ds info = stat_of(task, id);
  char line[256];
  std::snprintf(line, sizeof line,
                "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10llu %10llu %10llu\n",
                info.msg_perm.__key, id, static_cast<unsigned>(info.msg_perm.mode),
                static_cast<unsigned long>(info.__msg_cbytes),
                static_cast<unsigned long>(info.msg_qnum), static_cast<unsigned>(info.msg_lspid),
                static_cast<unsigned>(info.msg_lrpid), info.msg_perm.uid, info.msg_perm.gid,
                info.msg_perm.cuid, info.msg_perm.cgid,
                static_cast<unsigned long long>(info.msg_stime),
                static_cast<unsigned long long>(info.msg_rtime),
                static_cast<unsigned long long>(info.msg_ctime));
  return line;
}

std::string put(long long value, int width) {
  char out[64];
  TextWriter writer(out, sizeof out);
  writer.put_signed(value, width);
  return std::string(out, writer.used());
}

}  // namespace

TEST_CASE("no queue, but the heading", "[proc_text]") {
  TestCell cell;
  TestTask task(cell);
  CHECK(read_all(task, 4096) == kHeading);
  remove(task, make_queue(task));
  CHECK(read_all(task, 4096) == kHeading);
}

TEST_CASE("a line for each queue, in the order of their indexes", "[proc_text]") {
  TestCell cell;
  TestTask task(cell, user(4000000000u, 7));
  test_seconds = 1700000000;
  std::string wanted = kHeading;
  for (int key : {0, 1, -1, INT_MAX, INT_MIN, 99}) {
    const int id = make_queue(task, key, IPC_CREAT | (key & 0777));
    task.credentials.capabilities = ~0ull;
    CHECK(send(task, id, 1, std::string(static_cast<std::size_t>(id) * 100, 'x')) == 0);
  }
  CHECK(receive(task, 1, 8192, 0).result == 100);
  CHECK(remove(task, 2) == 0);
  for (int id : {0, 1, 3, 4, 5}) wanted += line_of(task, id);
  CHECK(read_all(task, 4096) == wanted);
}

TEST_CASE("any buffer that holds a line gives the whole text", "[proc_text]") {
  TestCell cell;
  TestTask task(cell);
  std::string wanted = kHeading;
  for (int n = 0; n < 100; ++n) wanted += line_of(task, make_queue(task, n + 1));
  const std::size_t longest = std::strlen(kHeading) + 10;
  for (std::size_t piece = longest; piece < 3 * longest; ++piece)
    REQUIRE(read_all(task, piece) == wanted);
  // Less than a line: nothing is moved on, nothing written beyond the buffer.
  char small[11] = "??????????";
  u32 position = 0;
  CHECK(sys_proc_msg(task, &position, small, 9) == 0);
  CHECK(position == 0);
  CHECK(small[9] == '?');
  CHECK(sys_proc_msg(task, &position, nullptr, 0) == 0);
  CHECK(position == 0);
}

TEST_CASE("queues that come and go while the text is read", "[proc_text]") {
  TestCell cell;
  TestTask task(cell);
  for (int n = 0; n < 3; ++n) make_queue(task, n + 1);
  char buffer[200];
  u32 position = 0;
  const auto read_line = [&] {
    const std::size_t size = sys_proc_msg(task, &position, buffer, sizeof buffer);
    return std::string(buffer, size);
  };
  CHECK(read_line() == kHeading);
  CHECK(read_line() == line_of(task, 0));
  remove(task, 0);
  remove(task, 1);
  const int late = make_queue(task, 9);
  CHECK(read_line() == line_of(task, 2));
  CHECK(read_line() == line_of(task, late));
  CHECK(read_line().empty());
  make_queue(task, 10);
  // The end was told.
  CHECK(read_line().empty());
}

TEST_CASE("numbers are set as printf sets them", "[proc_text]") {
  for (long long value : {0ll, 1ll, -1ll, 9ll, 10ll, -10ll, 4294967295ll, LLONG_MAX, LLONG_MIN}) {
    for (int width : {0, 1, 2, 10, 30}) {
      char wanted[64];
      std::snprintf(wanted, sizeof wanted, "%*lld", width, value);
      CHECK(put(value, width) == wanted);
    }
  }
}

TEST_CASE("a text that does not fit is counted, not written", "[proc_text]") {
  char out[6] = "?????";
  TextWriter writer(out, 3);
  writer.put("ab");
  CHECK_FALSE(writer.overflowed());
  writer.put_octal(0777, 4);
  CHECK(writer.overflowed());
  CHECK(writer.used() == 6);
  CHECK(std::string(out) == "ab ??");
}

}  // namespace ipcell
