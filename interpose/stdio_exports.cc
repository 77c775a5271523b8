// stdio's functions that write or close inside of libc, where the descriptor may be a sysctl's; see
// sysctl_file.h.
#include <stddef.h>

#include <bits/types/struct_FILE.h>
#include <errno.h>
#include <stdarg.h>

#include "interpose/real.h"
#include "interpose/sysctl_file.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

// stdio.h would bring in what it declares; these are all that is wanted.
extern "C" {
int fclose(struct _IO_FILE* stream);
int fflush(struct _IO_FILE* stream);
int fflush_unlocked(struct _IO_FILE* stream);
int vsnprintf(char* text, size_t size, const char* format, va_list arguments) noexcept;
int vdprintf(int fd, const char* format, va_list arguments);
int dprintf(int fd, const char* format, ...);
int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments);
int __dprintf_chk(int fd, int flag, const char* format, ...);
}

namespace ipcell {

namespace {

constinit Real<int(_IO_FILE*)> real_fclose("fclose");
constinit Real<int(_IO_FILE*)> real_fflush("fflush");
constinit Real<int(_IO_FILE*)> real_fflush_unlocked("fflush_unlocked");

int flush_with(Real<int(_IO_FILE*)>& real, _IO_FILE* stream) {
  const long error = flush_sysctl_stream(stream);
  const int result = real(stream);
  return error != 0 ? static_cast<int>(to_libc(error)) : result;
}

// What a sysctl looks at of a longer text is what fits.
int print_sysctl(const DescriptorEntry& entry, const char* format, va_list arguments) {
  char text[4096];
  const int size = vsnprintf(text, sizeof text, format, arguments);
  if (size < 0) return size;
  const size_t room = sizeof text - 1;
  const size_t length = static_cast<size_t>(size) < room ? static_cast<size_t>(size) : room;
  const long error = write_all(entry, text, length);
  return error != 0 ? static_cast<int>(to_libc(error)) : size;
}

}  // namespace

}  // namespace ipcell

IPCELL_EXPORT int fclose(_IO_FILE* stream) {
  const long error = stream != nullptr ? ipcell::flush_sysctl_stream(stream) : 0;
  int result;
  {
    const ipcell::Closing closing(stream != nullptr ? stream->_fileno : -1);
    result = ipcell::real_fclose(stream);
  }
  return error != 0 ? static_cast<int>(ipcell::to_libc(error)) : result;
}

IPCELL_EXPORT int fflush(_IO_FILE* stream) {
  return ipcell::flush_with(ipcell::real_fflush, stream);
}
IPCELL_EXPORT int fflush_unlocked(_IO_FILE* stream) {
  return ipcell::flush_with(ipcell::real_fflush_unlocked, stream);
}

IPCELL_EXPORT int vdprintf(int fd, const char* format, va_list arguments) {
  if (const ipcell::DescriptorEntry* const entry = ipcell::known_sysctl(fd)) [[unlikely]]
    return ipcell::print_sysctl(*entry, format, arguments);
  return IPCELL_REAL(vdprintf)(fd, format, arguments);
}
IPCELL_EXPORT int dprintf(int fd, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vdprintf(fd, format, arguments);
  va_end(arguments);
  return result;
}
IPCELL_EXPORT int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments) {
  if (const ipcell::DescriptorEntry* const entry = ipcell::known_sysctl(fd)) [[unlikely]]
    return ipcell::print_sysctl(*entry, format, arguments);
  return IPCELL_REAL(__vdprintf_chk)(fd, flag, format, arguments);
}
IPCELL_EXPORT int __dprintf_chk(int fd, int flag, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = __vdprintf_chk(fd, flag, format, arguments);
  va_end(arguments);
  return result;
}
