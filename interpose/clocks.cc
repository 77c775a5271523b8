// Whether the clocks that the core asks are libc's own. A library that is preloaded as well may
// have put others in their place.
#include "interpose/clocks.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>

#include "core/base/clock.h"

namespace ipcell {

namespace {

const void* place_in_libc() { return reinterpret_cast<const void*>(&gnu_get_libc_version); }
const void* place_of_clock() { return reinterpret_cast<const void*>(&clock_gettime); }

#if __GLIBC_PREREQ(2, 35)

// It takes no lock, in handlers and forked children neither.
const void* object_of(const void* place) {
  struct dl_find_object found;
  return _dl_find_object(const_cast<void*>(place), &found) == 0 ? found.dlfo_link_map : nullptr;
}

bool are_foreign() { return object_of(place_of_clock()) != object_of(place_in_libc()); }

#else

bool holds(const struct dl_phdr_info& object, const void* address) {
  const ElfW(Addr) wanted = reinterpret_cast<ElfW(Addr)>(address) - object.dlpi_addr;
  for (int n = 0; n < object.dlpi_phnum; ++n) {
    const ElfW(Phdr)& part = object.dlpi_phdr[n];
    if (part.p_type == PT_LOAD && wanted - part.p_vaddr < part.p_memsz) return true;
  }
  return false;
}

bool g_are_foreign;

int look_at_libc(struct dl_phdr_info* object, std::size_t, void*) {
  if (!holds(*object, place_in_libc())) return 0;
  g_are_foreign = !holds(*object, place_of_clock());
  return 1;
}

// Early: the loader's lists are not to be walked in handlers and forked children.
__attribute__((constructor)) void look_early() { dl_iterate_phdr(look_at_libc, nullptr); }

bool are_foreign() { return g_are_foreign; }

#endif

}  // namespace

void look_at_clocks() { g_has_foreign_clocks = are_foreign(); }

}  // namespace ipcell
