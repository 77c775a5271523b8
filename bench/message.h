// What the message rows send.
#pragma once

namespace ipcell::bench {

// As in msgop(2); one size for every row, of which a row sends the first bytes.
struct Message {
  long type = 1;
  char text[8192] = {};
};

inline constexpr unsigned kSmall = 64;

}  // namespace ipcell::bench
