#include "interpose/child_environment.h"

#include <string.h>
#include <unistd.h>

#include "core/base/usercopy.h"
#include "interpose/settings.h"
#include "interpose/signal_actions.h"

namespace ipcell {

namespace {

// As many as put() may add.
constexpr std::size_t kAdded = 7;

constexpr char kPreload[] = "LD_PRELOAD";
constexpr char kFolder[] = "IPCELL_DIR";
constexpr char kCell[] = "IPCELL_CELL";
constexpr char kMode[] = "IPCELL_MODE";
constexpr char kPosix[] = "IPCELL_POSIX";

std::size_t length_of_name(const char* entry) { return strcspn(entry, "="); }

bool is_same(const char* text, const char* other) { return strcmp(text, other) == 0; }

// The cell that the thread's namespace is, if it is not the one that the program started in.
ProcessCell* moved_home() {
  if (!has_moved()) return nullptr;
  const u32 home = home_of_thread();
  return is_known_cell(home) ? &g_process_cells[home] : nullptr;
}

// True if nobody has named another folder of cells than this process's own.
bool is_own_folder(const char* folder, const ProcessCell* home) {
  const Settings& s = settings();
  if (folder == nullptr || is_same(folder, s.dir)) return true;
  return home != nullptr && is_same(folder, home->place.base.text);
}

// Nor another cell. An environment may be older than the last move to another namespace.
bool is_own_cell(const char* cell) {
  const Settings& s = settings();
  if (cell == nullptr || is_same(cell, s.cell_name)) return true;
  if (!has_moved()) return false;
  bool is_own = strncmp(cell, kNamespacePrefix, strlen(kNamespacePrefix)) == 0;
  for_each_cell(
      [&](u32, const ProcessCell& known) { is_own |= is_same(cell, name_of_cell(known.place)); });
  return is_own;
}

bool read(void* to, const void* from, std::size_t size) {
  return copy_from_user(to, from, size) == 0;
}

bool is_readable(const char* text) {
  char part[256];
  for (;;) {
    // What comes behind its end may be another page, which is not there.
    const std::size_t in_page = kPage - reinterpret_cast<std::uintptr_t>(text) % kPage;
    const std::size_t size = in_page < sizeof part ? in_page : sizeof part;
    if (!read(part, text, size)) return false;
    if (memchr(part, '\0', size) != nullptr) return true;
    text += size;
  }
}

// DIVERGES: without a cell nobody catches faults, and to have the kernel look would make each exec
// dearer.
bool is_readable(char* const* entries) {
  if (entries == nullptr || entries == environ || !is_kept(SIGSEGV)) return true;
  for (;; ++entries) {
    const char* entry;
    if (!read(&entry, entries, sizeof entry)) return false;
    if (entry == nullptr) return true;
    if (!is_readable(entry)) return false;
  }
}

}  // namespace

ChildEnvironment::ChildEnvironment(char* const* given)
    : entries_(given), is_bad_(!is_readable(given)) {
  if (is_bad_) return;
  // Present and empty: the program is not to be in a cell.
  const char* const preload = value_of(kPreload);
  if (preload != nullptr && *preload == '\0') return;
  put_library();
  put_cell();
}

void ChildEnvironment::put_library() {
  const char* const library = settings().library;
  if (*library == '\0') return;
  const char* const others = value_of(kPreload);
  if (others != nullptr && find_preloaded(others, base_name_of(library)) != nullptr) return;
  const std::size_t size =
      sizeof kPreload + strlen(library) + 1 + (others != nullptr ? strlen(others) + 1 : 0);
  if (!preload_.make(size)) return;
  TextWriter text(preload_.data(), size);
  text.put(kPreload);
  text.put_char('=');
  // Behind what the program preloads itself, which wants to be in front (fakeroot, ASan).
  if (others != nullptr) {
    text.put(others);
    text.put_char(':');
  }
  text.put(library);
  text.put_char('\0');
  put(preload_.data());
}

void ChildEnvironment::put_cell() {
  const Settings& s = settings();
  ProcessCell* const home = moved_home();
  const char* const folder = value_of(kFolder);
  const char* const cell = value_of(kCell);
  const bool is_own = is_own_folder(folder, home) && is_own_cell(cell);
  if (home != nullptr && is_own) {
    put(folder_, sizeof folder_, kFolder, home->place.base.text);
    put(home->variable);
  } else {
    if (folder == nullptr && s.has_dir) put(folder_, sizeof folder_, kFolder, s.dir);
    if (cell == nullptr && s.has_name && is_own) put(cell_, sizeof cell_, kCell, s.cell_name);
  }
  if (!is_own) return;
  if (s.shared && value_of(kMode) == nullptr) {
    char mode[8] = {};
    TextWriter text(mode, sizeof mode);
    text.put_char('0');
    text.put_octal(s.mode, 0);
    put(mode_, sizeof mode_, kMode, mode);
  }
  if (s.posix[0] != '\0' && value_of(kPosix) == nullptr)
    put(posix_, sizeof posix_, kPosix, s.posix);
}

const char* ChildEnvironment::value_of(const char* name) const {
  const std::size_t length = strlen(name);
  for (char* const* entry = entries_; entry != nullptr && *entry != nullptr; ++entry) {
    if (**entry == *name && strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
      return *entry + length + 1;
  }
  return nullptr;
}

bool ChildEnvironment::copy() {
  if (is_bad_) return false;
  if (is_copied_) return true;
  std::size_t count = 0;
  while (entries_ != nullptr && entries_[count] != nullptr) ++count;
  if (!copy_.make(count + kAdded + 1)) return false;
  for (std::size_t n = 0; n < count; ++n) copy_[n] = entries_[n];
  copy_[count] = nullptr;
  entries_ = copy_.data();
  is_copied_ = true;
  return true;
}

void ChildEnvironment::put(char* room, std::size_t size, const char* name, const char* value) {
  TextWriter text(room, size);
  text.put(name);
  text.put_char('=');
  text.put(value);
  text.put_char('\0');
  if (!text.overflowed()) put(room);
}

void ChildEnvironment::put(char* entry) {
  if (!copy()) return;
  const std::size_t name = length_of_name(entry) + 1;
  std::size_t n = 0;
  while (copy_[n] != nullptr && strncmp(copy_[n], entry, name) != 0) ++n;
  if (copy_[n] == nullptr) copy_[n + 1] = nullptr;
  copy_[n] = entry;
}

void ChildEnvironment::add_join(i32 pid) {
  TextWriter text(join_, sizeof join_);
  text.put(kJoinVariable);
  text.put_char('=');
  text.put_signed(pid, 0);
  text.put_char('\0');
  put(join_);
}

void ChildEnvironment::add_fault_path(FaultHeir heir) {
  if (!has_fault_path() || is_bad_) return;
  char value[kFaultPathValue];
  write_fault_path(heir, value);
  put(fault_path_, sizeof fault_path_, kFaultPathVariable, value);
}

void change_own_environment() {
  ProcessCell* const home = moved_home();
  if (home == nullptr || environ == nullptr) return;
  const std::size_t name = length_of_name(home->variable) + 1;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, home->variable, name) == 0) *entry = home->variable;
  }
}

}  // namespace ipcell
