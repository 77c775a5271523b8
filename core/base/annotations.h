// clang's thread-safety annotations (-Wthread-safety); nothing to other compilers.
#pragma once

#if defined(__clang__)
#define IPCELL_TSA(x) __attribute__((x))
#else
#define IPCELL_TSA(x)
#endif

#define IPCELL_CAPABILITY(name) IPCELL_TSA(capability(name))
#define IPCELL_SCOPED_CAPABILITY IPCELL_TSA(scoped_lockable)
#define IPCELL_ACQUIRE(...) IPCELL_TSA(acquire_capability(__VA_ARGS__))
#define IPCELL_RELEASE(...) IPCELL_TSA(release_capability(__VA_ARGS__))
#define IPCELL_REQUIRES(...) IPCELL_TSA(requires_capability(__VA_ARGS__))
#define IPCELL_NO_TSA IPCELL_TSA(no_thread_safety_analysis)

#define IPCELL_ALWAYS_INLINE inline __attribute__((always_inline))
#define IPCELL_NOINLINE __attribute__((noinline))
#define IPCELL_COLD __attribute__((cold, noinline))
