// Where the queues of a cell are shown as files: /dev/mqueue, and wherever a program of the cell
// mounted a filesystem of the type "mqueue". The kernel knows nothing of these mounts, and needs no
// privilege for them.
//
// They stand in a file of the cell's folder, one record a mount, the oldest first: its number, the
// folder of the cell whose queues it shows, the path and the source, each with a zero byte behind
// it. One that can be reached by two paths has two records. Whoever changes the list puts a new
// file in the place of the old one, under a lock of the folder, and counts Header::mounts up.
// Processes read it at the first path that they look at, and again when that word has changed;
// those that have not mapped the cell, when they list or enter a folder, and when a child of theirs
// has ended.
//
// Each mount has a folder of its own in that of its cell, which plays it (queue_folder.cc).
//
// But for add_mount() and remove_mount(), all may be called from signal handlers.
#pragma once

#include "core/base/atomic.h"
#include "core/base/types.h"

namespace ipcell {

class QueuePath;
class Task;
class TextWriter;

struct QueueMount {
  const char* path;  // normalised
  std::size_t length;
  u32 number;          // of this mount alone; 0: /dev/mqueue, which was there at first
  const char* source;  // as mount(2) was told
};
// /dev/mqueue, as `ipcell run` found it.
extern const QueueMount kFirstMount;

// How many there may be at once.
constexpr u32 kMaxMounts = 64;

// The word that tells of changes, what it was when the list was read, and how many mounts there are
// beside the first.
extern const u32* g_mounts_word;
extern u32 g_mounts_seen, g_mounts_count;

// Reads the list anew.
void read_mounts();
// True if there are others than the first. All that paths cost while there are none.
inline bool has_mounts() {
  if (load_acquire(*g_mounts_word) != load_relaxed(g_mounts_seen)) [[unlikely]]
    read_mounts();
  return load_relaxed(g_mounts_count) != 0;
}
// The list may have changed, though no word tells: the cell is not mapped.
void expect_mounts();
// The cell has been mapped; this is its word.
void watch_mounts(u32& word);

// What was mounted last on that very path; nullptr if nothing was.
const QueueMount* mount_at(const char* path, std::size_t length);
// The one of that number; nullptr if it is no more.
const QueueMount* mount_of_number(u32 number);

// The one that is listed there; nullptr past the end.
const QueueMount* mount_by_index(u32 index);

// mount(2) and umount2(2), for a folder's normalised path, and another that leads there, if any. 0
// or -errno.
long add_mount(const char* path, const char* alias, const char* source);
long remove_mount(const QueueMount& mount);

// --- mounting.cc

// True if mount(2) is asked for a new mount of our type.
bool is_new_mqueue(const char* type, unsigned long flags);
// What mount(2) does then: 0 or -errno.
long mount_queues(Task& task, const char* source, const char* path, const void* data);
// umount2(2) of what is in such a mount: 0 or -errno.
long unmount_queues(Task& task, const QueuePath& at, int flags);

// The name, in its cell's folder, of the folder that plays the mount of that number.
void write_played_name(TextWriter& out, u32 number);

}  // namespace ipcell
