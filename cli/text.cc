#include "cli/text.h"

#include <cctype>

#include <fmt/format.h>

namespace ipcell::cli {

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit > 0 && value < 10 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                                : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string format_age(std::int64_t seconds) {
  if (seconds < 0) seconds = 0;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 60 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 24 * 60 * 60) return fmt::format("{} h", seconds / (60 * 60));
  return fmt::format("{} d", seconds / (24 * 60 * 60));
}

std::string printable(const char* text, std::size_t size) {
  std::string result;
  for (std::size_t n = 0; n < size && text[n] != '\0'; ++n) {
    result += std::isprint(static_cast<unsigned char>(text[n])) != 0 ? text[n] : '?';
  }
  return result;
}

}  // namespace ipcell::cli
