#include "core/cell/cell_parts.h"

#include <sys/mman.h>

#include "core/base/sys.h"

namespace ipcell {

// With a page before the part, which it is a duplicate of, and one behind it that can't be touched:
// a text that claims to be longer than the heap meets a fault.
std::uintptr_t CellParts::map(u8* base, u32 part) const {
  const std::uintptr_t before =
      part == 0 ? reinterpret_cast<std::uintptr_t>(base + kMappedSize - kPartSize)
                : reinterpret_cast<std::uintptr_t>(
                      address_of(base, kMappedSize + (part - 1) * kPartSize));
  if (before == 0) return 0;
  constexpr long kLength = static_cast<long>(kPartSize + 2 * kPage);
  const auto last_page = static_cast<long>(before + kPartSize - kPage);
  const long mapped = sys::call(SYS_mremap, last_page, 0, kLength, MREMAP_MAYMOVE);
  if (sys::is_error(mapped)) {
    store_relaxed(is_cut_off_, 1u);
    return 0;
  }
  const auto start = static_cast<std::uintptr_t>(sys::address_of(mapped) + kPage);
  sys::call(SYS_mprotect, static_cast<long>(start + kPartSize), static_cast<long>(kPage),
            PROT_NONE);
  std::uintptr_t present = 0;
  if (compare_exchange(starts_[part], present, start)) return start;
  // Another thread was faster.
  sys::call(SYS_munmap, mapped, kLength);
  return present;
}

void CellParts::unmap() {
  for (std::uintptr_t& start : starts_) {
    if (start != 0) {
      sys::call(SYS_munmap, static_cast<long>(start - kPage),
                static_cast<long>(kPartSize + 2 * kPage));
    }
    start = 0;
  }
}

}  // namespace ipcell
