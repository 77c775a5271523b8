// The calls that change mappings: what is cut, moved and unmapped is counted.
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/crash/shm_tools.h"

namespace crash {

namespace {

using ipcell::kPage;

ipcell::u64 address_of(const Actor& actor) { return reinterpret_cast<ipcell::u64>(actor.place); }

std::function<long(Actor&)> unmapping(std::size_t first, std::size_t pages) {
  return [=](Actor& actor) {
    return ipcell::sys_munmap(actor.task, address_of(actor) + first * kPage, pages * kPage);
  };
}

// Makes the pages readable alone.
std::function<long(Actor&)> protecting(std::size_t first, std::size_t pages) {
  return [=](Actor& actor) {
    const long start = static_cast<long>(address_of(actor) + first * kPage);
    const ipcell::SystemCall call = {
        SYS_mprotect, start, static_cast<long>(pages * kPage), PROT_READ, 0, 0, 0};
    return ipcell::sys_change_mapping(actor.task, call, {ipcell::kPieceProtection, PROT_READ});
  };
}

// Moves or grows the pages, or attaches them once more (`old_pages` 0).
std::function<long(Actor&)> remapping(std::size_t old_pages, std::size_t new_pages) {
  return [=](Actor& actor) {
    const ipcell::RemapCall call = {address_of(actor), old_pages * kPage, new_pages * kPage,
                                    MREMAP_MAYMOVE, 0};
    const long result = ipcell::sys_mremap(actor.task, call);
    return result < 0 && result > -4096 ? result : 0;
  };
}

long map_over(Actor& actor) {
  const ipcell::SystemCall call = {
      SYS_mmap,  static_cast<long>(address_of(actor) + kPage), static_cast<long>(kPage),
      PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,      -1,
      0};
  const long result = ipcell::sys_mmap_fixed(actor.task, call);
  return result < 0 && result > -4096 ? result : 0;
}

}  // namespace

void add_shm_remap_scenarios(std::vector<Scenario>& scenarios) {
  const auto attach = attach_before(1);
  scenarios.push_back(attaching("shm-munmap", attach, unmapping(0, 3), {0, 1, 0}));
  scenarios.push_back(attaching("shm-munmap-end", attach, unmapping(2, 1), {0, 1, 1, 2}));
  scenarios.push_back(attaching("shm-munmap-middle", attach, unmapping(1, 1), {0, 1, 2, 3}));
  scenarios.push_back(attaching("shm-mmap-over", attach, map_over, {0, 1, 2, 3}));
  scenarios.push_back(attaching("shm-mprotect", attach, protecting(1, 1), {0, 1, 3}));
  scenarios.push_back(attaching("shm-mprotect-all", attach, protecting(0, 3), {0, 1, 1}));
  scenarios.push_back(attaching("shm-mremap-copy", attach, remapping(0, 3), {0, 1, 2}));
  scenarios.push_back(attaching("shm-mremap-grow", attach, remapping(3, 500), {0, 1, 1, 2}));
  scenarios.push_back(attaching("shm-mremap-shrink", attach, remapping(3, 1), {0, 1, 1, 2}));
  // The last of a removed segment.
  scenarios.push_back({.name = "shm-munmap-removes",
                       .setup = segment_zero,
                       .prepare = attach_and_remove,
                       .operation = unmapping(0, 3),
                       .verify = goes_with_victim(),
                       .verify_end = expect_no_segments,
                       .is_unordered = true});
}

}  // namespace crash
