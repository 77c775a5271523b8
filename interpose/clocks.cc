// Whether the clocks that the core asks are libc's own. A library that is preloaded as well may
// have put others in their place.
#include <gnu/libc-version.h>
#include <link.h>

#include "core/base/clock.h"

namespace ipcell {

static bool holds(const struct dl_phdr_info& object, const void* address) {
  const ElfW(Addr) wanted = reinterpret_cast<ElfW(Addr)>(address) - object.dlpi_addr;
  for (int n = 0; n < object.dlpi_phnum; ++n) {
    const ElfW(Phdr)& part = object.dlpi_phdr[n];
    if (part.p_type == PT_LOAD && wanted - part.p_vaddr < part.p_memsz) return true;
  }
  return false;
}

static int look_at_libc(struct dl_phdr_info* object, std::size_t, void*) {
  if (!holds(*object, reinterpret_cast<const void*>(&gnu_get_libc_version))) return 0;
  g_has_foreign_clocks = !holds(*object, reinterpret_cast<const void*>(&clock_gettime));
  return 1;
}

// Early: the loader's lists are not to be walked in handlers and forked children.
__attribute__((constructor)) static void look_at_clocks() {
  dl_iterate_phdr(look_at_libc, nullptr);
}

}  // namespace ipcell
