#include "interpose/settings.h"

#include <initializer_list>
#include <stdlib.h>
#include <string.h>

#include "core/base/sys.h"

namespace ipcell {

namespace {

Settings g_settings;

bool copy_setting(const char* name, char* out, std::size_t size) {
  const char* value = getenv(name);
  if (value == nullptr || *value == '\0') return false;
  // One that is cut off is too long for the checks as well, which say so.
  const std::size_t length = strnlen(value, size - 1);
  memcpy(out, value, length);
  out[length] = '\0';
  return true;
}

// At the start, before the program may change its environment; earlier if another library's
// constructor calls us.
__attribute__((constructor)) void read_settings() {
  Settings& s = g_settings;
  if (s.is_read) return;
  s.is_read = true;
  s.has_dir = copy_setting("IPCELL_DIR", s.dir, sizeof s.dir);
  s.has_runtime_dir = copy_setting("XDG_RUNTIME_DIR", s.runtime_dir, sizeof s.runtime_dir);
  s.has_name = copy_setting("IPCELL_CELL", s.cell_name, sizeof s.cell_name);
  char mode[16];
  s.mode = 0600;
  if (copy_setting("IPCELL_MODE", mode, sizeof mode)) {
    s.mode = static_cast<u32>(strtoul(mode, nullptr, 8)) & 0666;
    s.shared = s.mode != 0600;
  }
  copy_setting("IPCELL_POSIX", s.posix, sizeof s.posix);
}

}  // namespace

const Settings& settings() {
  read_settings();
  return g_settings;
}

void say(const char* first, const char* second, const char* third, const char* fourth) {
  for (const char* part : {"ipcell: ", first, second, third, fourth, "\n"}) {
    sys::call(SYS_write, 2, sys::arg(part), static_cast<long>(strlen(part)));
  }
}

}  // namespace ipcell
