// glob(3) opens folders and asks for files inside of libc, unless it is told by which functions: in
// /dev/mqueue by ours.

// Else glob64 would be glob.
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "interpose/queue_path.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// True if names in /dev/mqueue may match.
bool may_match_queue(const char* pattern, int flags) {
  if ((flags & GLOB_ALTDIRFUNC) != 0) return false;
  return strstr(pattern, "mqueue") != nullptr || has_mounts() ||
         (pattern[0] != '/' && is_current_folder());
}

// The program's own five functions, which it did not ask for, stand there again afterwards.
template <class Glob, class Functions>
int glob_with(Real<Glob>& real, const char* pattern, int flags,
              int (*report)(const char* path, int error), Functions* out, const Functions& ours) {
  if (!may_match_queue(pattern, flags)) [[likely]]
    return real(pattern, flags, report, out);
  const Functions before = *out;
  out->gl_closedir = ours.gl_closedir;
  out->gl_readdir = ours.gl_readdir;
  out->gl_opendir = ours.gl_opendir;
  out->gl_lstat = ours.gl_lstat;
  out->gl_stat = ours.gl_stat;
  const int result = real(pattern, flags | GLOB_ALTDIRFUNC, report, out);
  out->gl_closedir = before.gl_closedir;
  out->gl_readdir = before.gl_readdir;
  out->gl_opendir = before.gl_opendir;
  out->gl_lstat = before.gl_lstat;
  out->gl_stat = before.gl_stat;
  out->gl_flags &= ~GLOB_ALTDIRFUNC;
  return result;
}

void close_folder(void* stream) { closedir(static_cast<DIR*>(stream)); }
struct dirent* read_folder(void* stream) {
  return readdir(static_cast<DIR*>(stream));
}
struct dirent64* read_folder64(void* stream) {
  return readdir64(static_cast<DIR*>(stream));
}
void* open_folder(const char* path) { return opendir(path); }

using GlobCall = int(const char*, int, int (*)(const char*, int), glob_t*);
using Glob64Call = int(const char*, int, int (*)(const char*, int), glob64_t*);
constinit Real<GlobCall> real_glob("glob");
constinit Real<Glob64Call> real_glob64("glob64");

}  // namespace

}  // namespace ipcell

IPCELL_EXPORT int glob(const char* pattern, int flags, int (*report)(const char*, int),
                       glob_t* out) {
  glob_t ours = {};
  ours.gl_closedir = ipcell::close_folder;
  ours.gl_readdir = ipcell::read_folder;
  ours.gl_opendir = ipcell::open_folder;
  ours.gl_lstat = lstat;
  ours.gl_stat = stat;
  return ipcell::glob_with(ipcell::real_glob, pattern, flags, report, out, ours);
}
IPCELL_EXPORT int glob64(const char* pattern, int flags, int (*report)(const char*, int),
                         glob64_t* out) {
  glob64_t ours = {};
  ours.gl_closedir = ipcell::close_folder;
  ours.gl_readdir = ipcell::read_folder64;
  ours.gl_opendir = ipcell::open_folder;
  ours.gl_lstat = lstat64;
  ours.gl_stat = stat64;
  return ipcell::glob_with(ipcell::real_glob64, pattern, flags, report, out, ours);
}
#if defined(__i386__)
// Of programs with _TIME_BITS=64: it differs in what gl_stat is given.
extern "C" int __glob64_time64(const char* pattern, int flags, int (*report)(const char*, int),
                               glob64_t* out);
extern "C" int __stat64_time64(const char* path, struct stat64* status);
extern "C" int __lstat64_time64(const char* path, struct stat64* status);
IPCELL_EXPORT int __glob64_time64(const char* pattern, int flags, int (*report)(const char*, int),
                                  glob64_t* out) {
  glob64_t ours = {};
  ours.gl_closedir = ipcell::close_folder;
  ours.gl_readdir = ipcell::read_folder64;
  ours.gl_opendir = ipcell::open_folder;
  ours.gl_lstat = __lstat64_time64;
  ours.gl_stat = __stat64_time64;
  return ipcell::glob_with(IPCELL_REAL(__glob64_time64), pattern, flags, report, out, ours);
}
#endif
