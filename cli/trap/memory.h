// The memory of another process. It may be gone at any time, or end anywhere: what can't be read is
// a fault to the core, which meets it where the kernel would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>

namespace ipcell::cli {

// Bytes that could be read; less than `size` where something is not mapped.
std::size_t read_memory(pid_t pid, std::uint64_t address, void* to, std::size_t size);
// False if not all of it could be written.
bool write_memory(pid_t pid, std::uint64_t address, const void* from, std::size_t size);
// True if the thread has no memory any more.
bool is_memory_gone(pid_t tid);

// A copy of `size` bytes at `address` of another process: its end, as far as it can be read, stands
// in front of a page that nobody may touch. As a place to write to, it is all there.
class Mirror {
 public:
  Mirror() = default;
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  // nullptr if there is no memory.
  void* read(pid_t pid, std::uint64_t address, std::size_t size);
  void* make(std::size_t size);
  // What stands where make() has put it.
  bool write_back(pid_t pid, std::uint64_t address, std::size_t size) const;

 private:
  bool reserve(std::size_t size);

  char* base_ = nullptr;
  std::size_t room_ = 0;  // without the guard
  char* start_ = nullptr;
};

// Lets the core's copies fail where they fault, as the preloaded library does.
void handle_faults();

}  // namespace ipcell::cli
