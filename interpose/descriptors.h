// What this process knows of its descriptors: which of them are message queues, which are the
// folder that stands for /dev/mqueue, and which are sysctls. A cache: the kernel has the truth, and
// tells it for any descriptor (sys_mq_find()); but not in the time that a call on a queue may take.
//
// An entry is forgotten by every libc function that closes a descriptor or puts another file in its
// place. DIVERGES: a descriptor that was closed by an inline system call and opened anew is taken
// for what it was.
//
// All of it is async-signal-safe.
#pragma once

#include "core/syscalls.h"
#include "interpose/process.h"

namespace ipcell {

enum class DescriptorKind : u32 { Unknown, Queue, Folder, Sysctl };

// See sysctl_file.h.
struct SysctlDescriptor {
  int fd;
  u32 number;  // ipc/sysctl.h
  u32 access;  // O_RDONLY, O_WRONLY, O_RDWR, or 3: neither
};

struct DescriptorEntry {
  MqueueDescriptor queue;
  SysctlDescriptor sysctl;
  DescriptorKind kind;  // stored last, read first
  u32 cell;             // number of the cell that the queue, or the limit, is in
  i64 position;  // for read(2). DIVERGES: dup'ed descriptors have one together; here each its own
};

// Entries stand in chunks that are made when they are wanted.
constexpr u32 kDescriptorChunk = 1024, kDescriptorChunks = 1024;
extern DescriptorEntry* g_descriptor_chunks[kDescriptorChunks];

// The entry of `fd`; nullptr if nothing is known of it.
inline DescriptorEntry* known_descriptor(int fd) {
  const u32 number = static_cast<u32>(fd);
  if (number >= kDescriptorChunk * kDescriptorChunks) [[unlikely]]
    return nullptr;
  DescriptorEntry* const chunk = load_acquire(g_descriptor_chunks[number / kDescriptorChunk]);
  if (chunk == nullptr) [[likely]]
    return nullptr;
  DescriptorEntry& entry = chunk[number % kDescriptorChunk];
  return load_acquire(entry.kind) != DescriptorKind::Unknown ? &entry : nullptr;
}
// The same if it is known to be a queue.
inline DescriptorEntry* known_queue(int fd) {
  DescriptorEntry* const entry = known_descriptor(fd);
  return entry != nullptr && entry->kind == DescriptorKind::Queue ? entry : nullptr;
}
inline DescriptorEntry* known_sysctl(int fd) {
  DescriptorEntry* const entry = known_descriptor(fd);
  return entry != nullptr && entry->kind == DescriptorKind::Sysctl ? entry : nullptr;
}
// One of both: read(2) and its like are ours.
inline DescriptorEntry* known_file(int fd) {
  DescriptorEntry* const entry = known_descriptor(fd);
  return entry != nullptr && entry->kind != DescriptorKind::Folder ? entry : nullptr;
}
inline bool is_known_folder(int fd) {
  const DescriptorEntry* const entry = known_descriptor(fd);
  return entry != nullptr && entry->kind == DescriptorKind::Folder;
}

// Remembers what was opened in the current cell. Without memory for it nothing is remembered.
void remember_queue(const MqueueDescriptor& opened);
void remember_folder(int fd);
void remember_sysctl(const SysctlDescriptor& opened);
// `copy` is a dup of `fd`.
void remember_copy(int fd, int copy);

// True if any descriptor may be a queue's: a cell has queues.
bool may_have_queues();
// Finds out what `fd` is, and remembers it. False if it is no queue.
bool find_queue(int fd, MqueueDescriptor* found);
// True if a descriptor is known to be a queue's, or a limit's, of that cell.
bool knows_descriptor_in(u32 cell);

// The scope of a call on a descriptor: in the cell that its queue is in. See InCell.
class InCellOf : public InCell {
 public:
  explicit InCellOf(int fd) : InCell(number_of(fd)) {}

 private:
  static u32 number_of(int fd) {
    const DescriptorEntry* const entry = known_queue(fd);
    return entry != nullptr ? entry->cell : kNoCell;
  }
};

// `fd` came from another process. A sysctl's is remembered. If it is a queue's this process joins
// the cell, though it may have made no IPC call yet: what poll(2) sees of a queue is kept up only
// for those who say that they look. Changes no errno.
void meet_descriptor(int fd);

// What libc's functions that close descriptors do before and behind it. A process is registered for
// notification no more when it closes a descriptor of the queue; one without a name may end by it.
class Closing {
 public:
  // Of [first, last].
  Closing(u32 first, u32 last) { begin(first, last); }
  explicit Closing(int fd) {
    if (known_descriptor(fd) != nullptr || g_is_registered != 0) [[unlikely]]
      begin(static_cast<u32>(fd), static_cast<u32>(fd));
  }
  ~Closing() {
    if (has_closed_queue_) [[unlikely]]
      end();
  }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

 private:
  friend void note_registration();
  friend bool may_be_registered();
  void begin(u32 first, u32 last);
  template <class Visit>
  void for_each_known(Visit visit) const;
  void forget(DescriptorEntry& entry);
  void end();

  // 1: the process may be registered for notification, so that unknown descriptors matter.
  static u32 g_is_registered;
  bool has_closed_queue_ = false;
  u32 first_ = 0, last_ = 0;
};

// The process was registered for a notification.
void note_registration();
bool may_be_registered();
// True if a descriptor of a queue stays open over exec(2).
bool keeps_queues_at_exec();
// True if exec(2) would close a descriptor of the queue whose pipe has that inode number.
bool closes_at_exec(u64 inode);

}  // namespace ipcell
