// IPC namespaces that programs make: cells that nobody named, and that go with their last process.
// Linux: ipc/namespace.c
//
// A process is in such a namespace if it has the cell mapped, or has it in its environment and
// nothing mapped yet; what a program has open of /proc/PID/ns/ipc keeps a namespace too. That is
// the file `ns` in the cell's folder, with a shared lock that goes with the last descriptor. A
// process in the namespace has a page of it mapped, and so its lock, which forked children inherit
// and the kernel lets go with the last of them: no other pid namespace, no lack of rights or of a
// /proc, and no overwritten environment hides it. /proc is asked for those alone that exec(2) has
// just started.
#pragma once

#include "core/cell/cell.h"
#include "core/cell/cell_dir.h"

struct statx;

namespace ipcell {

// Makes a namespace in the same base folder, and for the same users, as `parent`: its place, and
// its cell, mapped, and kept. A failure's place is in `place->base`.
struct NamespaceStatus {
  DirStatus folder;
  CellStatus cell;

  bool ok() const { return folder.ok() && cell.ok(); }
  const char* describe() const { return folder.ok() ? cell.describe() : folder.describe(); }
  // What unshare(2) says of it: -ENOSPC, -ENOMEM, -EPERM.
  int error() const;
};
NamespaceStatus make_namespace_cell(const CellPlace& parent, const Cell& parent_cell, u64 signature,
                                    CellPlace* place, Cell* cell, u64* keeper);

// True if the cell at `place` is a namespace that a program made.
bool is_namespace(const CellPlace& place);
// For a process that is in the namespace, or about to be: `*keeper` is the page that keeps it. 0,
// or -errno: -ENOENT if it is being removed.
long keep_namespace(const CellPlace& place, u64* keeper);
// Lets go of it; `*keeper` is 0 then.
void let_go_of_namespace(u64* keeper);

// Removes the namespaces in `base` that no process is in, and that nothing keeps. Those of other
// users are left alone.
void sweep_namespaces(const char* base);

// --- /proc/PID/ns/ipc

// The namespace's number, as stat(2) tells it: no other one has it, nor do the kernel's own.
constexpr u64 number_of_namespace(u64 cell_inode) { return 0xe0000000u + (cell_inode & 0x7ffffff); }

// The path of the file that stands for the namespace.
struct NamespaceFile {
  CellPath path;

  explicit NamespaceFile(const CellPlace& place) {
    const u64 length = __builtin_strlen(place.folder.text);
    static_assert(sizeof "/ns" <= sizeof "/cell");  // which fits
    __builtin_memcpy(path.text, place.folder.text, static_cast<std::size_t>(length));
    path.text[length] = '/';
    __builtin_memcpy(path.text + length + 1, kNamespaceFile, __builtin_strlen(kNamespaceFile) + 1);
  }
};

// Opens the file that stands for the namespace, made if it is missing: a descriptor or -errno.
// O_PATH alone keeps nothing.
long open_namespace_file(const CellPlace& place, int flags);
// Gives it a place by mount --bind, which keeps the namespace as well: 0 or -errno.
long mount_namespace_file(const CellPlace& place, const char* path, u64 flags);
// The cell in `base` whose file that is, wherever it is mounted.
bool find_namespace_file(const char* base, u64 device, u64 inode, CellPlace* place);
// True if this may be the status of such a file: reason enough to call place_of_file().
bool is_like_namespace_file(u32 mode, u64 size, i64 mtime);

// A page that shows in /proc/PID/maps which of the cells that a process has mapped is its
// namespace. One that has mapped a single cell needs none. `marker`: the page, or 0 at first; the
// new one, 0 if there is no memory.
u64 map_namespace_marker(const CellPlace& place, u64 marker);

}  // namespace ipcell
