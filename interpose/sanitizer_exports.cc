// Programs that were built with AddressSanitizer: its run-time library ends a program where another
// library is in front of it, which a preloaded one is. It is asked for the options that a program
// may have built in; one that has some of its own is asked instead.

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

IPCELL_EXPORT const char* __asan_default_options() { return "verify_asan_link_order=0"; }
