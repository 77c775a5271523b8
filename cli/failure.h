// What a command cannot go on from: the message names what was wrong and what to do.
#pragma once

#include <stdexcept>

namespace ipcell::cli {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace ipcell::cli
