// A cell with everything in it: queues, messages of all sizes, semaphore sets, what processes would
// undo, segments and who has them attached, sleepers, and dead tasks that left something at each of
// the places where one can. Its living are stopped processes, so that it stays as it is, and it can
// be put back to what it was in no time.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/player.h"

namespace fuzz {

// Queues, and as many semaphore sets and segments.
constexpr int kObjects = 5;

void require(bool holds, const char* what);

// population_sem.cc. Semaphore sets 0: one small, with sleepers. 1: large, with adjustments. 2:
// with those who wait for several semaphores. 3: whose dead are being buried. 4: to be removed.
void make_sets(Player& player);
void take_for_ever(Player& player);
void await_zero_for_ever(Player& player);
void take_several_for_ever(Player& player);
void await_zeros_for_ever(Player& player);
void die_holding(Player& player);
void die_removing_set(Player& player);
void die_in_list(Player& player);
void die_with_arrays(Player& player);
void die_burying(Player& player);

// population_shm.cc. Segments 0: attached by several. 1: the same, and removed. 2: with a hole. 3:
// removed, and attached no more. 4: to be removed.
void make_segments(Player& player);
void attach_for_ever(Player& player);
void die_attached(Player& player);
void die_in_fork(Player& player);
void die_removing_segment(Player& player);
void die_detaching(Player& player);

// population_mqueue.cc. POSIX queues m0: messages of many priorities. m1: with receivers, and a
// thread that waits to be told. m2: watched, and told of. m3: full, with a sender. m4: without a
// name.
void make_mqueues(Player& player);
void receive_at_mqueue(Player& player);
void send_at_mqueue(Player& player);
void wait_for_notice(Player& player);
void die_polling(Player& player);
void die_removing_mqueue(Player& player);
// Their pipes, beside the cell: are kept, and are what they were.
void keep_pipes(const std::string& folder);
void restore_pipes(const std::string& folder);

class Population {
 public:
  explicit Population(const std::string& path);
  ~Population();
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;

  bool is_there() const { return is_there_; }
  // Undoes whatever was done to the cell since.
  void restore();

 private:
  struct Range {
    std::uint64_t offset, size;
    std::vector<unsigned char> bytes;
  };

  template <class Act>
  bool add(const Act& act, bool dies);
  bool populate();
  void keep(std::uint64_t offset, std::uint64_t size);
  void take_snapshot();
  void forget(std::uint64_t offset, std::uint64_t end);

  std::string path_;
  std::string folder_;
  ipcell::Cell cell_;
  std::vector<pid_t> alive_;
  std::vector<Range> ranges_;  // in the order of their offsets
  bool is_there_ = false;
};

}  // namespace fuzz
