// Sets whose processes have something to undo.
#pragma once

#include "core/ipc/undo.h"
#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell::test {

class UndoTest : public SemTest {
 public:
  using SemTest::SemTest;

  UndoRec* undo_at(u64 offset) const { return offset != 0 ? cell.at<UndoRec>(offset) : nullptr; }
  // The record that was made last.
  UndoRec& newest() const {
    REQUIRE(record().holds.all != 0);
    return *undo_at(record().holds.all);
  }
  u32 count_records() const { return count(record().holds.all, &HoldRec::object_next); }
  u32 count_armed() const { return count(record().holds.armed, &HoldRec::armed_next); }
  // What the record would add to a semaphore.
  i32 adjustment(UndoRec& undo, u32 num = 0) const {
    return adjustment_of(*adjustment_at(cell, undo, num), semaphore(num));
  }
  u32 count_processes() const {
    u32 found = 0;
    for (u64 offset : cell.layout().processes.buckets) {
      for (; offset != 0; ++found) offset = cell.at<ProcessRec>(offset)->next;
    }
    return found;
  }
  // A process that has made these operations, with SEM_UNDO, and lives.
  Process& holder(const Ops& ops) {
    return processes_.emplace_back(cell,
                                   [this, ops](Task& own) { return operate(own, id, ops) == 0; });
  }
  // As check_end(); of processes that used SEM_UNDO `living` are left.
  void check_undone(u32 living = 0) {
    check_end();
    reap_dead_tasks(task);
    CHECK(count_processes() == living);
    CHECK(take_census(cell).total() == living);
  }

 private:
  u32 count(u64 offset, u64 HoldRec::*next) const {
    u32 found = 0;
    for (; offset != 0; ++found) offset = undo_at(offset)->hold.*next;
    return found;
  }

  std::deque<Process> processes_;
};

}  // namespace ipcell::test
