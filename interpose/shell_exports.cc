// system(3), popen(3) and wordexp(3): libc starts a shell for them, with the process's own
// environment, by calls of its own.
#include <stdio_ext.h>
#include <stdlib.h>
#include <wordexp.h>

#include "interpose/own_environment.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

using ipcell::LentEnvironment;

IPCELL_EXPORT int system(const char* command) {
  const LentEnvironment lent;
  return IPCELL_REAL(system)(command);
}
IPCELL_EXPORT FILE* popen(const char* command, const char* mode) {
  const LentEnvironment lent;
  return IPCELL_REAL(popen)(command, mode);
}
IPCELL_EXPORT int wordexp(const char* words, wordexp_t* expanded, int flags) {
  const LentEnvironment lent;
  return IPCELL_REAL(wordexp)(words, expanded, flags);
}
