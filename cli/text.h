// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace ipcell::cli {

// "212 KiB", "1.5 GiB".
std::string format_bytes(std::uint64_t bytes);
// "7 s", "3 min", "5 h", "12 d".
std::string format_age(std::int64_t seconds);

}  // namespace ipcell::cli
