// A process's mapping of a cell, between two pieces of memory that nobody may touch, and its task.
#pragma once

#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/ipc/check.h"
#include "core/ipc/msg.h"
#include "core/syscalls.h"

namespace fuzz {

class Player {
 public:
  // Maps the cell. False with `status` set if it is refused.
  bool open(const char* path);
  // Moves the mapping between guards: what reads or writes over its ends must die of it, and not
  // meet the neighbour.
  bool put_between_guards();
  int attach();

  ipcell::CellStatus status;
  ipcell::Cell cell;
  ipcell::Task task;

 private:
  ipcell::Cred cred_;
};

// A message buffer as programs have it.
struct Buffer {
  long type;
  char text[24 * 1024];
};
extern Buffer buffer;

// All system calls once, or some of them often, on whatever is there. No call blocks.
class Rng;
void call_one(Player& player, Rng& rng, int queues);

}  // namespace fuzz
