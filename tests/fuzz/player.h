// A process's mapping of a cell, between two pieces of memory that nobody may touch, and its task.
#pragma once

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include <string>

#include "core/ipc/check.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/shm.h"
#include "core/syscalls.h"

namespace fuzz {

class Player {
 public:
  // Maps the cell, whose path stays the caller's. False with `status` set if it is refused.
  bool open(const char* path);
  // Moves the mapping between guards: what reads or writes over its ends must die of it, and not
  // meet the neighbour.
  bool put_between_guards();
  int attach();

  ipcell::CellStatus status;
  ipcell::Cell cell;
  ipcell::Task task;
  ipcell::AddressMap addresses;
  // Where segments were attached; some may be attached no more.
  ipcell::u64 places[64];
  std::size_t attached = 0;
  // That were opened last.
  ipcell::MqueueDescriptor mqueues[8];

 private:
  std::string folder_;
  ipcell::Cred cred_;
};

// A message buffer as programs have it.
struct Buffer {
  long type;
  char text[24 * 1024];
};
extern Buffer buffer;

class Rng;

// An id of one of the first `count` objects, as a program knows it, or as the cell now says, or
// nonsense.
int any_id(Player& player, Rng& rng, const ipcell::Registry& registry, int count);

// One system call of any kind on whatever is there, of `count` queues, sets and segments. It does
// not block.
void call_one(Player& player, Rng& rng, int count);
// Those of POSIX queues; they are called "m0", "m1" and so on.
void call_mqueue(Player& player, Rng& rng, int count);
// One that sleeps.
void block_at_mqueue(Player& player, Rng& rng);
// Those of segments.
void call_shm(Player& player, Rng& rng, int count);
// Those of semaphores. A `timeout`: semop may sleep so long.
void call_sem(Player& player, Rng& rng, int count);
void operate_any(Player& player, Rng& rng, int id, const struct timespec* timeout);

}  // namespace fuzz
