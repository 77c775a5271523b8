// Programs that were built with AddressSanitizer: its run-time library ends a program where another
// library is in front of it, which a preloaded one is. It is asked for the options that a program
// may have built in; one that has some of its own is asked instead.
#include "interpose/sanitizers.h"

#include <dlfcn.h>

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

static bool g_has_asan;

void tell_of_vfork(void* stack) {
  if (!g_has_asan) [[likely]]
    return;
  using Handle = void(void*);
  auto* const handle = reinterpret_cast<Handle*>(dlsym(RTLD_DEFAULT, "__asan_handle_vfork"));
  if (handle != nullptr) handle(stack);
}

}  // namespace ipcell

IPCELL_EXPORT const char* __asan_default_options() {
  ipcell::g_has_asan = true;
  return "verify_asan_link_order=0";
}
