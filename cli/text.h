// Numbers for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ipcell::cli {

// "212 KiB", "1.5 GiB".
std::string format_bytes(std::uint64_t bytes);
// "7 s", "3 min", "5 h", "12 d".
std::string format_age(std::int64_t seconds);

// What a scribbled cell says must not reach a terminal as it is: up to a NUL, without control
// characters.
std::string printable(const char* text, std::size_t size);

}  // namespace ipcell::cli
