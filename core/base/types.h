// Fixed-width types that have one layout in 32- and 64-bit processes alike.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipcell {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using i32 = std::int32_t;
// i386 aligns 64-bit struct members to 4 bytes; a cell needs 8 everywhere.
using u64 = std::uint64_t __attribute__((aligned(8)));
using i64 = std::int64_t __attribute__((aligned(8)));

// What must not be mixed up: a caller's key, an identifier, and the identifier's table index.
enum class Key : i32 { Private = 0 };
enum class Id : i32 {};
enum class Idx : i32 { None = -1 };

constexpr u64 align_up(u64 value, u64 alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace ipcell
