#include "interpose/settings.h"

#include <initializer_list>
#include <link.h>
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

// Where this library is in memory; set by the linker.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[];

int copy_own_path(struct dl_phdr_info* object, std::size_t, void* path) {
  if (object->dlpi_addr != reinterpret_cast<ElfW(Addr)>(__ehdr_start)) return 0;
  *static_cast<const char**>(path) = object->dlpi_name;
  return 1;
}

// The loader replaces $LIB and its like in folders: only the last part of the word is in the path.
void copy_library(char* out, std::size_t size) {
  const char* preload = getenv("LD_PRELOAD");
  if (preload == nullptr) return;
  const char* path = nullptr;
  dl_iterate_phdr(copy_own_path, &path);
  if (path == nullptr) return;
  const char* word = find_preloaded(preload, base_name_of(path));
  if (word == nullptr) return;
  std::size_t length = strcspn(word, kPreloadSeparators);
  // One without a folder was found by the loader's own means, of which a child may have others.
  if (memchr(word, '/', length) == nullptr) {
    word = path;
    length = strlen(path);
  }
  if (length < size) memcpy(out, word, length);
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
  copy_library(s.library, sizeof s.library);
}

}  // namespace

BaseName base_name_of(const char* word) {
  const std::size_t length = strcspn(word, kPreloadSeparators);
  std::size_t start = length;
  while (start > 0 && word[start - 1] != '/') --start;
  return {word + start, length - start};
}

const char* find_preloaded(const char* preload, const BaseName& name) {
  for (const char* word = preload; *word != '\0'; word += strcspn(word, kPreloadSeparators)) {
    word += strspn(word, kPreloadSeparators);
    if (base_name_of(word) == name) return word;
  }
  return nullptr;
}

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
