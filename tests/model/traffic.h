// Messages that can be told from each other: who sent it, as which of its messages of that type,
// and a checksum of all. For the stress programs.
#pragma once

#include <map>
#include <utility>

#include "core/base/types.h"
#include "core/cell/task.h"

namespace ipcell::model {

struct Letter {
  u32 sender = 0;
  u32 number = 0;  // of the sender's messages, from 1
  long type = 0;
};

// The longest text that send_letter() makes: of several blocks.
constexpr std::size_t kLongestLetter = 12000;

// Sends with a text of about `size` bytes. As msgsnd(2).
long send_letter(Task& task, int id, const Letter& letter, std::size_t size, int flags);
// As msgrcv(2). What it says may be wrong, until it is verified.
long receive_letter(Task& task, int id, long type, int flags, Letter* letter);
// True if the letter that this thread received last is as it was sent. Apart, because it takes
// time, and a receiver that is killed ought to have written down by then what it has.
bool is_letter_sound();

// A receiver's view of a queue: each sender's letters of a type come in the order of their sending.
// Not across types, for a receiver may prefer some.
class Order {
 public:
  // False if a later one came before.
  bool accept(const Letter& letter) {
    u32& last = last_[{letter.sender, letter.type}];
    if (letter.number <= last) return false;
    last = letter.number;
    return true;
  }

 private:
  std::map<std::pair<u32, long>, u32> last_;
};

}  // namespace ipcell::model
