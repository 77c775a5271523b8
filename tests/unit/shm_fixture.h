// Segments in tests: short ways to the facade's calls.
#pragma once

#include <sys/mman.h>
#include <sys/shm.h>

#include <cerrno>
#include <cstring>

#include "core/ipc/check.h"
#include "core/ipc/segment_space.h"
#include "core/ipc/shm.h"
#include "core/syscalls.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell::test {

inline bool is_error(long result) { return result < 0 && result > -4096; }

// A segment of so many pages, and what is made of it.
class ShmTest {
 public:
  explicit ShmTest(u64 pages = 3, int key = IPC_PRIVATE) : path(cell.file()), task(cell) {
    give_map(task, addresses);
    id = make(pages, key);
  }

  ~ShmTest() { addresses.file.close_windows(); }

  void give_map(Task& own, AddressMap& map) const {
    map.file.set_file(cell, path.c_str());
    map.owner_pid = own.identity.pid;
    own.addresses = &map;
  }

  int make(u64 pages, int key = IPC_PRIVATE, int flags = IPC_CREAT | 0666) {
    return static_cast<int>(sys_shmget(task, key, pages * kPage, flags));
  }
  u64 offset_of(int other) const { return shm_registry(cell).entries[other % 32768].record; }
  SegmentRec& record_of(int other) const { return *cell.at<SegmentRec>(offset_of(other)); }
  SegmentRec& record() const { return record_of(id); }

  // The address, 0 for an error.
  u8* attach(int other, int flags = 0) { return attach(task, other, flags); }
  static u8* attach(Task& own, int other, int flags = 0) {
    const long result = sys_shmat(own, other, nullptr, flags);
    return is_error(result) ? nullptr : reinterpret_cast<u8*>(result);
  }
  long detach(const void* address) { return sys_shmdt(task, address); }
  long control(int command, void* buffer = nullptr) {
    return sys_shmctl(task, id, command, buffer);
  }
  struct shmid_ds stat() {
    struct shmid_ds info;
    std::memset(&info, 0xee, sizeof info);
    CHECK(control(IPC_STAT, &info) == 0);
    return info;
  }
  bool is_there() {
    struct shmid_ds info;
    return control(IPC_STAT, &info) == 0;
  }
  // A process that has made these calls, with a map of its own, and lives.
  Process& process(std::function<bool(Task&)> calls) {
    return processes_.emplace_back(cell, [this, calls](Task& own) {
      auto* map = new AddressMap;
      give_map(own, *map);
      return calls(own);
    });
  }
  Process& attacher(int times = 1) {
    const int other = id;
    return process([=](Task& own) {
      bool are_well = true;
      for (int n = 0; n < times; ++n) are_well = are_well && attach(own, other) != nullptr;
      return are_well;
    });
  }
  u32 count_processes() const {
    u32 found = 0;
    for (u64 offset : cell.layout().processes.buckets) {
      for (; offset != 0; ++found) offset = cell.at<ProcessRec>(offset)->next;
    }
    return found;
  }
  std::string violation() const {
    char text[200];
    const char* found = check_cell(cell, CheckMode::Quiescent, text, sizeof text);
    return found != nullptr ? found : "";
  }

  TestCell cell;
  std::string path;
  AddressMap addresses;
  TestTask task;
  int id;

 private:
  std::deque<Process> processes_;
};

}  // namespace ipcell::test
