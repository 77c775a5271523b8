// Messages of all sizes, in one block or several; buffers that are not there.
#include "core/ipc/msg.h"

#include <sys/mman.h>

#include "tests/unit/catch.h"
#include "tests/unit/faults.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// The largest text of one block.
constexpr std::size_t kPiece =
    kBlockSize[static_cast<u32>(BlockClass::Bytes8256)] - sizeof(MsgBlock);

std::string text_of_size(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t n = 0; n < size; ++n) text[n] = static_cast<char>(n * 31 + n / 251);
  return text;
}

// A queue that takes the longest texts.
class LongTexts {
 public:
  LongTexts() : task(cell, superuser()), id(make_queue(task)) {
    cell.header().limits.msgmax = 1 << 24;
    REQUIRE(set_qbytes(task, id, 1 << 30) == 0);
  }
  // Blocks in use but for the queue's own.
  u64 blocks() const {
    const HeapCensus census = take_census(cell);
    CHECK(census.is_sound);
    return census.total() - 1;
  }

  TestCell cell;
  TestTask task;
  int id;
};

}  // namespace

TEST_CASE("texts of all sizes come back as they were", "[msg_text]") {
  LongTexts test;
  std::vector<std::size_t> sizes = {1u << 20, 3 * kPiece - 1, 3 * kPiece, 3 * kPiece + 1,
                                    2 * kPiece};
  for (u32 block_size : kBlockSize) {
    const std::size_t whole = block_size - sizeof(MsgBlock);
    sizes.insert(sizes.end(), {whole - 1, whole, whole + 1});
  }
  for (std::size_t size = 0; size < 300; ++size) sizes.push_back(size);
  for (std::size_t size : sizes) {
    INFO("size " << size);
    const std::string text = text_of_size(size);
    REQUIRE(send(test.task, test.id, 1, text) == 0);
    REQUIRE(test.blocks() == (size == 0 ? 1 : (size + kPiece - 1) / kPiece));
    const Received received = receive(test.task, test.id, size, 0);
    REQUIRE(received.result == static_cast<long>(size));
    REQUIRE(received.text == text);
    REQUIRE(test.blocks() == 0);
  }
}

TEST_CASE("a message takes the smallest block that holds it", "[msg_text]") {
  LongTexts test;
  for (u32 index = 0; index <= static_cast<u32>(BlockClass::Bytes8256); ++index) {
    REQUIRE(send(test.task, test.id, 1, text_of_size(kBlockSize[index] - sizeof(MsgBlock))) == 0);
    CHECK(take_census(test.cell).in_use[index] == 1);
  }
}

TEST_CASE("a long text may be cut off anywhere", "[msg_text]") {
  LongTexts test;
  const std::string text = text_of_size(3 * kPiece);
  for (std::size_t size :
       {std::size_t{0}, kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, 3 * kPiece - 1}) {
    REQUIRE(send(test.task, test.id, 1, text) == 0);
    CHECK(receive(test.task, test.id, size, 0).result == -E2BIG);
    CHECK(receive(test.task, test.id, size, 0, MSG_NOERROR).text == text.substr(0, size));
    CHECK(test.blocks() == 0);
  }
}

TEST_CASE("a long text may be copied", "[msg_text]") {
  LongTexts test;
  const std::string text = text_of_size(2 * kPiece + 7);
  REQUIRE(send(test.task, test.id, 1, text) == 0);
  for (std::size_t room : {std::size_t{0}, std::size_t{1}, kPiece}) {
    const Received copy =
        receive(test.task, test.id, text.size() + room, 0, kMsgCopyFlag | IPC_NOWAIT);
    CHECK(copy.text == text);
    CHECK(test.blocks() == 3);
  }
  // The copy's room is at most the largest message's.
  test.cell.header().limits.msgmax = 100;
  CHECK(receive(test.task, test.id, text.size(), 0, kMsgCopyFlag | IPC_NOWAIT).result == -EINVAL);
  CHECK(receive(test.task, test.id, text.size(), 0).text == text);
}

TEST_CASE("a removed queue's long texts are freed", "[msg_text]") {
  LongTexts test;
  for (int n = 0; n < 5; ++n)
    REQUIRE(send(test.task, test.id, 1, text_of_size(2 * kPiece + 7)) == 0);
  CHECK(test.blocks() == 15);
  CHECK(remove(test.task, test.id) == 0);
  CHECK(take_census(test.cell).total() == 0);
}

TEST_CASE("a text for which the heap has no room leaves nothing behind", "[msg_text]") {
  LongTexts test;
  // The first chunk of a class is taken before the heap runs out.
  REQUIRE(send(test.task, test.id, 1, text_of_size(kPiece)) == 0);
  const u32 used = test.cell.layout().heap.chunks_used;
  test.cell.layout().heap.chunks_used = kChunks;
  CHECK(send(test.task, test.id, 1, text_of_size(100 * kPiece)) == -ENOMEM);
  CHECK(test.task.rec->in_flight == 0);
  test.cell.layout().heap.chunks_used = used;
  CHECK(test.blocks() == 1);
  CHECK(send(test.task, test.id, 1, text_of_size(100 * kPiece)) == 0);
}

TEST_CASE("a text that is not there", "[msg_text]") {
  const FaultHandler handler;
  const GuardedPages pages(16);
  LongTexts test;
  const auto send_last = [&](std::size_t there, std::size_t size) {
    u8* message = pages.end() - there;
    const long type = 1;
    if (there >= sizeof type) std::memcpy(message, &type, sizeof type);
    return sys_msgsnd(test.task, test.id, message, size, 0);
  };
  CHECK(send_last(0, 0) == -EFAULT);
  CHECK(send_last(sizeof(long) - 1, 0) == -EFAULT);
  CHECK(send_last(sizeof(long), 1) == -EFAULT);
  CHECK(send_last(sizeof(long) + kPiece, 2 * kPiece) == -EFAULT);
  CHECK(send_last(sizeof(long) + kPiece + 10, 3 * kPiece) == -EFAULT);
  CHECK(test.blocks() == 0);
  CHECK(test.task.rec->in_flight == 0);
  CHECK(send_last(sizeof(long), 0) == 0);
  CHECK(send_last(sizeof(long) + 3 * kPiece, 3 * kPiece) == 0);
}

TEST_CASE("a message that cannot be stored is lost, as in the kernel", "[msg_text]") {
  const FaultHandler handler;
  const GuardedPages pages(16);
  LongTexts test;
  const std::size_t size = 2 * kPiece + 5;
  for (std::size_t there :
       {std::size_t{0}, sizeof(long) - 1, sizeof(long), size, size + sizeof(long) - 1}) {
    REQUIRE(send(test.task, test.id, 1, text_of_size(size)) == 0);
    CHECK(sys_msgrcv(test.task, test.id, pages.end() - there, size, 0, 0) == -EFAULT);
    CHECK(test.blocks() == 0);
  }
  // Without MSG_COPY: that one reads the buffer before it looks at the queue.
  REQUIRE(send(test.task, test.id, 1, "x") == 0);
  CHECK(sys_msgrcv(test.task, test.id, pages.end() - 1, 8, 0, kMsgCopyFlag | IPC_NOWAIT) ==
        -EFAULT);
  CHECK(test.blocks() == 1);
}

TEST_CASE("the command's buffer that is not there", "[msg_text]") {
  const FaultHandler handler;
  LongTexts test;
  for (int command : {IPC_STAT, MSG_STAT, kMsgStatAnyCommand, IPC_SET, IPC_INFO, MSG_INFO}) {
    CHECK(sys_msgctl(test.task, test.id, command, nullptr) == -EFAULT);
  }
  // The buffer is read before the identifier is looked at, and written after.
  CHECK(sys_msgctl(test.task, 4711, IPC_SET, nullptr) == -EFAULT);
  CHECK(sys_msgctl(test.task, 4711, IPC_STAT, nullptr) == -EINVAL);
  CHECK(sys_msgctl(test.task, test.id, IPC_RMID, nullptr) == 0);
}

TEST_CASE("a scribbled text is refused", "[msg_text]") {
  LongTexts test;
  REQUIRE(send(test.task, test.id, 1, text_of_size(2 * kPiece)) == 0);
  MsgQueueRec& queue = *test.cell.at<MsgQueueRec>(msg_registry(test.cell).entries[test.id].record);
  MsgBlock& message = *test.cell.at<MsgBlock>(queue.first);
  SECTION("its second piece is missing") { message.more = 0; }
  SECTION("its second piece is outside of the heap") { message.more = kCellSize; }
  SECTION("it says to be longer") { message.size += kPiece; }
  CHECK(poisons(test.cell, [&](Task& task) { receive(task, test.id, 4 * kPiece, 0, IPC_NOWAIT); }));
}

}  // namespace ipcell
