// What actors do with segments.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/ipc/segment_space.h"
#include "tests/crash/actor.h"

namespace crash {

using ipcell::kPage;

namespace {

unsigned char byte_of(std::size_t page) { return static_cast<unsigned char>(0x51 + page * 7); }

}  // namespace

void Actor::make_segment(int segment, std::size_t pages, int key, int flags) {
  const long id = ipcell::sys_shmget(task, key, pages * kPage, IPC_CREAT | 0600 | flags);
  expect(id >= 0, "shmget failed: %ld", id);
  board.segments[segment] = static_cast<int>(id);
  board.segment_records[segment] = ipcell::shm_registry(cell).entries[id % ipcell::kMaxIds].record;
  const long error = attach_segment(segment);
  expect(error == 0, "shmat failed: %ld", error);
  for (std::size_t n = 0; n < pages; ++n) place[n * kPage] = byte_of(n);
  expect(detach_segment(place) == 0, "shmdt failed");
}

long Actor::attach_segment(int segment, const void* address, int flags) {
  const long result = ipcell::sys_shmat(task, board.segments[segment], address, flags);
  if (result < 0 && result > -4096) return result;
  place = reinterpret_cast<unsigned char*>(result);
  return 0;
}

struct shmid_ds Actor::stat_segment(int segment) {
  struct shmid_ds out;
  const long error = control_segment(segment, IPC_STAT, &out);
  expect(error == 0, "IPC_STAT of a segment failed: %ld", error);
  return out;
}

void Actor::check_text_of(int segment, std::size_t pages) {
  expect(attach_segment(segment, nullptr, SHM_RDONLY) == 0, "the survivor cannot attach");
  for (std::size_t n = 0; n < pages; ++n)
    expect(place[n * kPage] == byte_of(n), "page %zu of the segment has lost its text", n);
  expect(detach_segment(place) == 0, "the survivor cannot detach");
}

long Actor::read_proc_shm() {
  static char text[4096];
  ipcell::u32 position = 0;
  return static_cast<long>(ipcell::sys_proc_shm(task, &position, text, sizeof text));
}

void Actor::exercise_segment() {
  constexpr std::size_t kPages = 5;
  const int segment = kMaxSegments - 1;
  for (int n = 0; n < 2; ++n) {
    const long id = ipcell::sys_shmget(task, IPC_PRIVATE, kPages * kPage, IPC_CREAT | 0600);
    expect(id >= 0, "afterwards shmget fails: %ld", id);
    board.segments[segment] = static_cast<int>(id);
    expect(attach_segment(segment) == 0, "afterwards shmat fails");
    for (std::size_t at = 0; at < kPages * kPage; ++at)
      expect(place[at] == 0, "afterwards a new segment has %d at %zu", place[at], at);
    std::memset(place, 0xaa, kPages * kPage);
    expect(attached(segment) == 1, "afterwards nattch is wrong");
    expect(control_segment(segment, IPC_RMID) == 0, "afterwards a segment's IPC_RMID fails");
    expect(has_segment(segment), "afterwards IPC_RMID removes what is attached");
    expect(detach_segment(place) == 0, "afterwards shmdt fails");
    expect(!has_segment(segment), "afterwards shmdt does not remove what nobody has");
  }
}

void Actor::expect_no_stray_memory() {
  const int file = open(cell_path_, O_RDONLY | O_CLOEXEC);
  expect(file >= 0, "the cell's file does not open");
  const off_t start = static_cast<off_t>(ipcell::kCellSize);
  for (off_t at = start; (at = lseek(file, at, SEEK_DATA)) >= 0; at += kPage) {
    const auto page = static_cast<ipcell::u64>(at - start) / kPage;
    bool is_owned = false;
    for (ipcell::u64 offset = cell.layout().segment_space.first; offset != 0 && !is_owned;) {
      const auto& segment = *cell.at<ipcell::SegmentRec>(offset);
      is_owned = page >= segment.first_page && page < segment.first_page + segment.pages;
      offset = segment.space_next;
    }
    expect(is_owned, "page %lu has memory, and is no segment's", static_cast<unsigned long>(page));
  }
  expect(errno == ENXIO, "the cell's file can't be looked through");
  close(file);
}

void Actor::expect_none_doomed() {
  for (ipcell::u64 offset = cell.layout().segment_space.first; offset != 0;) {
    const auto& segment = *cell.at<ipcell::SegmentRec>(offset);
    bool is_known = segment.live == 0 || !ipcell::is_doomed(segment);
    for (ipcell::u32 slot = 1; slot <= cell.header().slots_high && !is_known; ++slot) {
      is_known = cell.layout().task_states[slot - 1] == ipcell::kTaskLive &&
                 cell.task(slot)->doomed == offset;
    }
    expect(is_known, "segment %d is left to nobody", segment.perm.id);
    offset = segment.space_next;
  }
}

}  // namespace crash
