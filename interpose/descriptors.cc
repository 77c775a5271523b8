#include "interpose/descriptors.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/cell/cell_dir.h"
#include "core/ipc/mqueue_file.h"
#include "interpose/process.h"
#include "interpose/sysctl_file.h"

namespace ipcell {

DescriptorEntry* g_descriptor_chunks[kDescriptorChunks];
u32 Closing::g_is_registered;

namespace {

// The place of an entry; nullptr if there is no memory for it.
DescriptorEntry* make_entry(int fd) {
  const u32 number = static_cast<u32>(fd);
  if (number >= kDescriptorChunk * kDescriptorChunks) return nullptr;
  DescriptorEntry*& chunk = g_descriptor_chunks[number / kDescriptorChunk];
  if (load_acquire(chunk) == nullptr) {
    constexpr long kSize = kDescriptorChunk * sizeof(DescriptorEntry);
    const long made = sys::map(0, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    if (sys::is_error(made)) return nullptr;
    DescriptorEntry* expected = nullptr;
    // Two threads may come at once.
    if (!compare_exchange(chunk, expected, reinterpret_cast<DescriptorEntry*>(made)))
      sys::call(SYS_munmap, made, kSize);
  }
  return &load_acquire(chunk)[number % kDescriptorChunk];
}

// Calls `visit(entry, fd)` for each that is known, until it returns false.
template <class Visit>
void for_each_known(Visit visit) {
  for (u32 number = 0; number < kDescriptorChunk * kDescriptorChunks; ++number) {
    if (load_acquire(g_descriptor_chunks[number / kDescriptorChunk]) == nullptr) {
      number |= kDescriptorChunk - 1;
    } else if (const DescriptorEntry* const entry = known_descriptor(static_cast<int>(number))) {
      if (!visit(*entry, number)) return;
    }
  }
}

}  // namespace

static void remember_in(u32 cell, const MqueueDescriptor& opened) {
  DescriptorEntry* const entry = make_entry(opened.fd);
  if (entry == nullptr || is_borrowed_memory()) return;
  store_release(entry->kind, DescriptorKind::Unknown);
  entry->queue = opened;
  entry->cell = cell;
  entry->position = 0;
  store_release(entry->kind, DescriptorKind::Queue);
}

void remember_queue(const MqueueDescriptor& opened) { remember_in(current_cell_number(), opened); }

void remember_folder(int fd) {
  DescriptorEntry* const entry = make_entry(fd);
  if (entry != nullptr && !is_borrowed_memory()) store_release(entry->kind, DescriptorKind::Folder);
}

static void remember_in(u32 cell, const SysctlDescriptor& opened) {
  DescriptorEntry* const entry = make_entry(opened.fd);
  if (entry == nullptr || is_borrowed_memory()) return;
  store_release(entry->kind, DescriptorKind::Unknown);
  entry->sysctl = opened;
  entry->cell = cell;
  store_release(entry->kind, DescriptorKind::Sysctl);
  hold_lines_of(opened.fd);
}

void remember_sysctl(const SysctlDescriptor& opened) { remember_in(current_cell_number(), opened); }

void remember_copy(int fd, int copy) {
  const DescriptorEntry* const from = known_descriptor(fd);
  if (from == nullptr || copy < 0 || copy == fd) return;
  if (from->kind == DescriptorKind::Folder) {
    remember_folder(copy);
    return;
  }
  if (from->kind == DescriptorKind::Sysctl) {
    remember_in(from->cell, SysctlDescriptor{copy, from->sysctl.number, from->sysctl.access});
    return;
  }
  MqueueDescriptor descriptor = from->queue;
  descriptor.fd = copy;
  remember_in(from->cell, descriptor);
}

bool may_have_queues() {
  bool has_any = false;
  for_each_cell([&](u32, const ProcessCell& known) {
    has_any |= load_acquire(known.cell.layout().mqueues.count) != 0;
  });
  return has_any;
}

// The same in the current cell.
static bool find_here(int fd, MqueueDescriptor* found) {
  Task* const task = current_task();
  if (task == nullptr || sys_mq_find(*task, fd, found) != 0) return false;
  remember_queue(*found);
  return true;
}

// The queue of a descriptor that came from another namespace: its pipe tells whose.
static bool find_elsewhere(int fd, MqueueDescriptor* found) {
  MqueueMode mode;
  if (!read_mqueue_mode(fd, &mode)) return false;
  bool is_found = false;
  for_each_cell([&](u32 number, const ProcessCell&) {
    const InCell in(number);
    is_found = is_found || find_here(fd, found);
  });
  CellPlace place;
  CellStatus status;
  if (is_found || !place_of_file(fd, kMqueueFolder, &place)) return is_found;
  const InCell in(open_cell(place, &status));
  return find_here(fd, found);
}

bool find_queue(int fd, MqueueDescriptor* found) {
  if (const DescriptorEntry* const entry = known_descriptor(fd)) {
    if (entry->kind != DescriptorKind::Queue) return false;
    *found = entry->queue;
    return true;
  }
  if (fd < 0 || is_borrowed_memory()) return false;
  return find_here(fd, found) || find_elsewhere(fd, found);
}

bool knows_descriptor_in(u32 cell) {
  bool is_any = false;
  for_each_known([&](const DescriptorEntry& entry, u32) {
    is_any = entry.kind != DescriptorKind::Folder && entry.cell == cell;
    return !is_any;
  });
  return is_any;
}

void meet_descriptor(int fd) {
  constexpr int kFGetSig = 11;
  const long number = sys::call(SYS_fcntl, fd, kFGetSig);
  if (number <= 0) [[likely]]
    return;
  MqueueMode mode;
  MqueueDescriptor found;
  if (number == kSysctlMark) find_sysctl_descriptor(fd);
  if (!read_mqueue_mode(fd, &mode)) return;
  const int error = errno;
  find_queue(fd, &found);
  errno = error;
}

template <class Visit>
void Closing::for_each_known(Visit visit) const {
  constexpr u32 kEnd = kDescriptorChunk * kDescriptorChunks;
  for (u32 number = first_; number <= last_ && number < kEnd; ++number) {
    if (load_acquire(g_descriptor_chunks[number / kDescriptorChunk]) == nullptr) {
      number |= kDescriptorChunk - 1;
    } else if (DescriptorEntry* const entry = known_descriptor(static_cast<int>(number))) {
      visit(*entry);
    }
  }
}

// The known ones, and in a process that is registered a single other too.
void Closing::begin(u32 first, u32 last) {
  if (is_borrowed_memory()) return;
  first_ = first;
  last_ = last;
  if (first == last && g_is_registered != 0) {
    MqueueDescriptor found;
    find_queue(static_cast<int>(first), &found);
  }
  for_each_known([this](DescriptorEntry& entry) { forget(entry); });
}

void Closing::forget(DescriptorEntry& entry) {
  const bool is_queue = entry.kind == DescriptorKind::Queue;
  if (entry.kind == DescriptorKind::Sysctl) release_lines_of(entry.sysctl.fd);
  const MqueueDescriptor closed = entry.queue;
  const u32 cell = entry.cell;
  store_release(entry.kind, DescriptorKind::Unknown);
  if (!is_queue) return;
  has_closed_queue_ = true;
  const InCell in(cell);
  Task* const task = g_is_registered != 0 ? current_task() : nullptr;
  if (task != nullptr) sys_mq_flush(*task, closed.queue, closed.serial);
}

void Closing::end() {
  // Another thread may have asked for it meanwhile.
  for_each_known(
      [](DescriptorEntry& entry) { store_release(entry.kind, DescriptorKind::Unknown); });
  for_each_cell([](u32 number, const ProcessCell& known) {
    if (load_acquire(known.cell.layout().mqueues.unlinked) == 0) return;
    const InCell in(number);
    if (Task* const task = current_task()) sys_mq_closed(*task);
  });
}

void note_registration() { store_release(Closing::g_is_registered, 1u); }
bool may_be_registered() { return load_acquire(Closing::g_is_registered) != 0; }

bool keeps_queues_at_exec() {
  bool is_any = false;
  for_each_known([&](const DescriptorEntry& entry, u32 number) {
    is_any = entry.kind == DescriptorKind::Queue &&
             (sys::call(SYS_fcntl, number, F_GETFD) & FD_CLOEXEC) == 0;
    return !is_any;
  });
  return is_any;
}

bool closes_at_exec(u64 inode) {
  const Descriptor folder(open_at(AT_FDCWD, "/proc/thread-self/fd", O_RDONLY | O_DIRECTORY));
  // Without /proc: queues are closed, unless a program took pains.
  bool is_closed = folder.fd() < 0;
  for_each_entry(folder.fd(), [&](const char* name) {
    long number = 0;
    for (; *name >= '0' && *name <= '9'; ++name) number = number * 10 + (*name - '0');
    struct statx info;
    if ((sys::call(SYS_fcntl, number, F_GETFD) & FD_CLOEXEC) != 0 &&
        sys::call(SYS_statx, number, sys::arg(""), AT_EMPTY_PATH, STATX_TYPE | STATX_INO,
                  sys::arg(&info)) == 0) {
      is_closed = is_closed || (info.stx_ino == inode && (info.stx_mode & S_IFMT) == S_IFIFO);
    }
    return !is_closed;
  });
  return is_closed;
}

}  // namespace ipcell
