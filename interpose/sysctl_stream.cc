// stdio on sysctls: see sysctl_file.h.
#include <stddef.h>

#include <bits/types/struct_FILE.h>
#include <errno.h>
#include <unistd.h>

#include "interpose/real.h"
#include "interpose/sysctl_file.h"

// stdio.h would bring in what it declares; these are all that is wanted.
extern "C" {
extern struct _IO_FILE* stdout;
using CookieRead = ssize_t(void*, char*, size_t);
using CookieWrite = ssize_t(void*, const char*, size_t);
using CookieSeek = int(void*, off64_t*, int);
using CookieClose = int(void*);
// glibc: cookie_io_functions_t
struct CookieCalls {
  CookieRead* read;
  CookieWrite* write;
  CookieSeek* seek;
  CookieClose* close;
};
struct _IO_FILE* fopencookie(void* cookie, const char* mode, CookieCalls calls) noexcept;
}

namespace ipcell {

namespace {

// glibc: libio/libio.h; part of what programs were compiled for, through the old getc() macros.
constexpr int kLineBuffered = 0x200;
constexpr int kPutting = 0x800;

// Its descriptor is a sysctl's, and it would write line by line.
bool g_holds_lines;

int descriptor_of(void* cookie) { return static_cast<int>(reinterpret_cast<long>(cookie)); }

ssize_t read_cookie(void* cookie, char* out, size_t size) {
  return read(descriptor_of(cookie), out, size);
}
// All of it or, with errno, 0.
ssize_t write_cookie(void* cookie, const char* text, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = write(descriptor_of(cookie), text + done, size - done);
    if (count < 0) return 0;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(size);
}
int seek_cookie(void* cookie, off64_t* position, int whence) {
  const off64_t result = lseek64(descriptor_of(cookie), *position, whence);
  if (result < 0) return -1;
  *position = result;
  return 0;
}
int close_cookie(void* cookie) { return close(descriptor_of(cookie)); }

// Before _IO_cleanup(), which writes inside of libc.
__attribute__((destructor)) void flush_at_end() { flush_sysctl_stream(nullptr); }

}  // namespace

_IO_FILE* open_sysctl_stream(int fd, const char* mode) {
  void* const cookie = reinterpret_cast<void*>(static_cast<long>(fd));
  return IPCELL_REAL(fopencookie)(
      cookie, mode, CookieCalls{read_cookie, write_cookie, seek_cookie, close_cookie});
}

long flush_sysctl_stream(_IO_FILE* stream) {
  if (stream == nullptr) stream = stdout;
  const DescriptorEntry* const entry = stream != nullptr ? known_sysctl(stream->_fileno) : nullptr;
  if (entry == nullptr) [[likely]]
    return 0;
  // What libc does after a write that failed: what stood in the buffer is lost.
  char* const text = stream->_IO_write_base;
  const long size = stream->_IO_write_ptr - text;
  const long error = size > 0 ? write_all(*entry, text, static_cast<size_t>(size)) : 0;
  stream->_IO_write_ptr = stream->_IO_write_base;
  if (error != 0) stream->_flags |= _IO_ERR_SEEN;
  return error;
}

void hold_lines_of(int fd) {
  if (stdout == nullptr || stdout->_fileno != fd || (stdout->_flags & kLineBuffered) == 0) return;
  g_holds_lines = true;
  stdout->_flags &= ~kLineBuffered;
  if ((stdout->_flags & kPutting) != 0) stdout->_IO_write_end = stdout->_IO_buf_end;
}

void release_lines_of(int fd) {
  if (!g_holds_lines || stdout == nullptr || stdout->_fileno != fd) return;
  g_holds_lines = false;
  stdout->_flags |= kLineBuffered;
  // As overflow() leaves it, by which each character goes from now on.
  if ((stdout->_flags & kPutting) != 0) stdout->_IO_write_end = stdout->_IO_write_ptr;
}

}  // namespace ipcell
