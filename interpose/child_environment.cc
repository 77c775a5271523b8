#include "interpose/child_environment.h"

#include <string.h>
#include <unistd.h>

namespace ipcell {

namespace {

// As many as put() may add.
constexpr std::size_t kAdded = 3;

std::size_t length_of_name(const char* entry) { return strcspn(entry, "="); }

// The cell that the thread's namespace is, if it is not the one that the program started in.
ProcessCell* moved_home() {
  if (!has_moved()) return nullptr;
  const u32 home = home_of_thread();
  return is_known_cell(home) ? &g_process_cells[home] : nullptr;
}

}  // namespace

ChildEnvironment::ChildEnvironment(char* const* given) : entries_(given) {
  ProcessCell* const home = moved_home();
  if (home == nullptr) return;
  TextWriter text(folder_, sizeof folder_);
  text.put("IPCELL_DIR=");
  text.put(home->place.base.text);
  text.put_char('\0');
  put(folder_);
  put(home->variable);
}

bool ChildEnvironment::copy() {
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

void change_own_environment() {
  ProcessCell* const home = moved_home();
  if (home == nullptr || environ == nullptr) return;
  const std::size_t name = length_of_name(home->variable) + 1;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, home->variable, name) == 0) *entry = home->variable;
  }
}

}  // namespace ipcell
