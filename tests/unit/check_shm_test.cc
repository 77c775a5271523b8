// check_cell() finds what is wrong with segments, with who has them attached, and where they stand.
#include "core/ipc/check_shm.h"

#include "tests/unit/shm_fixture.h"

namespace ipcell {

namespace {

using namespace test;

class CheckTest : public ShmTest {
 public:
  // Two processes have the first of two segments attached.
  CheckTest() : ShmTest(3), second(make(2)) {
    REQUIRE(attach(id) != nullptr);
    attacher(2);
  }

  HoldRec& newest() const { return *cell.at<HoldRec>(record().holds.all); }
  HoldRec& oldest() const { return *cell.at<HoldRec>(newest().object_next); }
  SegmentSpace& space() const { return cell.layout().segment_space; }

  // The check finds it when `place` has another value, in words that have `what`.
  template <class T>
  void finds(const char* what, T& place, std::type_identity_t<T> value) {
    REQUIRE(violation() == "");
    const T kept = std::exchange(place, value);
    const std::string told = violation();
    INFO("\"" << told << "\" should tell: " << what);
    CHECK(told.find(what) != std::string::npos);
    place = kept;
    CHECK(violation() == "");
  }

  int second;
};

}  // namespace

TEST_CASE("a segment's numbers are checked", "[check_shm]") {
  CheckTest test;
  SegmentRec& segment = test.record();
  test.finds("segment 0: has 3 pages for 0 bytes", segment.size, 0);
  test.finds("segment 0: has 3 pages for 4096 bytes", segment.size, kPage);
  test.finds("segment 0: has the mode", segment.perm.mode, 0x10000);
  test.finds("segment 0: nattch is 4, they are 3", segment.nattch, 4);
  test.finds("segment 1: is left to nobody", test.record_of(test.second).perm.mode, SHM_DEST);
}

TEST_CASE("a removed segment has no key", "[check_shm]") {
  ShmTest test(1, 77);
  REQUIRE(test.attach(test.id) != nullptr);
  CHECK(test.violation() == "");
  test.record().perm.mode |= SHM_DEST;
  CHECK(test.violation().find("is removed and has a key") != std::string::npos);
}

TEST_CASE("attachments are checked", "[check_shm]") {
  CheckTest test;
  SegmentRec& segment = test.record();
  HoldRec &newest = test.newest(), &oldest = test.oldest();
  test.finds("are another segment's", newest.live, 0);
  test.finds("are another segment's", newest.object, test.offset_of(test.second));
  test.finds("are another segment's", newest.object_id, 7);
  test.finds("have no task as witness", newest.witness, 99);
  test.finds("are not linked", oldest.object_prev, 0);
  test.finds("nattch is 3, they are 4", newest.amount, 3);
  test.finds("is attached with nothing", newest.amount, 0);
  test.finds("the list of those attached is broken", oldest.armed_prev, 0);
  test.finds("attached are 0, and should be 2", segment.holds.armed, 0);
  test.finds("what is attached is no record", segment.holds.armed, test.offset_of(test.second));
  test.finds("the list of those attached is too long", oldest.armed_next,
             test.cell.offset_of(&newest));
}

TEST_CASE("where pages stand is checked", "[check_shm]") {
  CheckTest test;
  SegmentRec& segment = test.record();
  SegmentRec& second = test.record_of(test.second);
  const u64 limit = test.cell.header().segment_pages;
  test.finds("says that it has none", segment.in_space, 0);
  test.finds("the list is broken", second.space_prev, 0);
  test.finds("are another's as well", second.first_page, 2);
  test.finds("are outside", second.first_page, limit - 1);
  test.finds("the cursor is none of them", test.space().cursor, 64);
  test.finds("no segment at", segment.space_next, test.cell.offset_of(&test.newest()));
  test.finds("promised are", test.space().promised, 1000);
  test.finds("abandoned are 1, they are 0", test.space().abandoned, 1);
  // The second is in no list, and says that it is.
  test.space().cursor = 0;
  test.space().promised -= second.is_promised != 0 ? second.pages : 0;
  segment.space_next = 0;
  CHECK(test.violation() == "the segments' pages: 2 segments say that they have some");
}

TEST_CASE("the processes' lists are checked", "[check_shm]") {
  CheckTest test;
  HoldRec& newest = test.newest();
  ProcessRec& process = *test.cell.at<ProcessRec>(newest.process);
  test.finds("is in bucket", process.pid, process.pid + 1);
  test.finds("is broken", newest.process, test.oldest().process);
  test.finds("the processes' lists have 1 records, the objects' 2", process.holds, 0);
  test.finds("holds what is no record", process.holds, test.offset_of(test.second));
}

}  // namespace ipcell
