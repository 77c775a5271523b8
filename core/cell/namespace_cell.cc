#include "core/cell/namespace_cell.h"

#include <cerrno>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "core/base/file.h"
#include "core/cell/cell_members.h"
#include "core/cell/process.h"

namespace ipcell {

namespace {

// The time of a namespace's file: no other empty file is likely to have it.
constexpr i64 kNamespaceTime = 0x69706300;  // seconds
constexpr u32 kNamespaceMode = 0444;

// A name that nobody else has: "ns-PID-RANDOM".
struct Name {
  char text[kCellNameMax + 1];

  Name() {
    u32 random = 0;
    sys::call(SYS_getrandom, sys::arg(&random), sizeof random, 0);
    char* at = text;
    for (const char* c = kNamespacePrefix; *c != '\0'; ++c) *at++ = *c;
    at = put(at, static_cast<u32>(sys::call(SYS_getpid)), 10);
    *at++ = '-';
    *put(at, random, 16) = '\0';
  }

 private:
  static char* put(char* at, u32 number, u32 radix) {
    char digits[12];
    u32 count = 0;
    do {
      digits[count++] = "0123456789abcdef"[number % radix];
      number /= radix;
    } while (number != 0);
    while (count != 0) *at++ = digits[--count];
    return at;
  }
};

long make_namespace_file(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg(path),
                            O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kNamespaceMode);
  if (fd < 0) return fd;
  const timespec times[2] = {{0, 0}, {static_cast<time_t>(kNamespaceTime), 0}};
  sys::call(SYS_fchmod, fd, kNamespaceMode);
  sys::call(SYS_utimensat, fd, 0, sys::arg(times), 0);
  return fd;
}

// True if the file has been taken out of its folder meanwhile.
bool is_removed(long fd) {
  struct statx info;
  return sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, STATX_NLINK, sys::arg(&info)) != 0 ||
         info.stx_nlink == 0;
}

// True if the path still leads to the file: a removal that has begun takes it elsewhere first.
bool is_at(long fd, const char* path) {
  struct statx opened, named;
  return stat_path(path, &named) == 0 &&
         sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, STATX_INO, sys::arg(&opened)) == 0 &&
         opened.stx_ino == named.stx_ino;
}

// A page of the file holds the lock that the descriptor has. 0 or -errno.
long map_keeper(long file, u64* keeper) {
  const long page = sys::map(0, kPage, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, file);
  if (sys::is_error(page)) return page;
  *keeper = static_cast<u64>(static_cast<unsigned long>(page));
  return 0;
}

long open_to_sweep(const CellPlace& place) {
  const NamespaceFile file(place);
  const long fd = open_at(AT_FDCWD, file.path.text, O_RDONLY);
  // One that came back under its old name: see Cell::open_or_create().
  return fd == -ENOENT ? make_namespace_file(file.path.text) : fd;
}

// A cell that was given such a name by its user is left alone.
bool is_left_to_last_process(const CellPlace& place) {
  return read_header(place.file.text).orphaned != 0;
}

void sweep_namespace(const CellPlace& place) {
  if (!is_left_to_last_process(place) || !sees_all_members(place)) return;
  // Who keeps it has the lock; who is about to waits here for ours, and then finds the file gone.
  const Descriptor locked(open_to_sweep(place));
  if (locked.fd() < 0 || sys::call(SYS_flock, locked.fd(), LOCK_EX | LOCK_NB) != 0) return;
  // A process may fork while the list of processes is read, and end: what it made is then met by
  // the second look.
  if (!has_members(place, 0) && !has_members(place, 0) && !is_namespace_mounted(place))
    (void)remove_cell(place);
}

// Makes the draft's folder. While its maker lives it is locked; a sweep may take it away just
// before that. The descriptor that has the lock, or -errno.
long make_draft(const CellPlace& draft, const DirRequest& request, DirStatus* status) {
  constexpr int kTries = 1000;
  for (int tries = 0; tries < kTries; ++tries) {
    *status = check_cell_folder(draft.folder.text, request, Create::Yes);
    if (status->fault == DirFault::NotFound) continue;
    if (!status->ok()) return -EPERM;
    const long fd = open_at(AT_FDCWD, draft.folder.text, O_RDONLY | O_DIRECTORY);
    *status = {fd < 0 ? DirFault::System : DirFault::None, fd < 0 ? static_cast<int>(fd) : 0};
    if (fd == -ENOENT) continue;
    if (fd < 0) return fd;
    while (sys::call(SYS_flock, fd, LOCK_EX) == -EINTR) continue;
    if (!is_removed(fd)) return fd;
    sys::call(SYS_close, fd);
    *status = {DirFault::NotFound, -ENOENT};
  }
  return -ENOENT;
}

bool is_draft(const char* name) {
  return starts_with(name, kDraftPrefix) &&
         starts_with(name + __builtin_strlen(kDraftPrefix), kNamespacePrefix);
}

bool is_half_removed(const char* name) {
  return starts_with(name, kRemovedPrefix) &&
         starts_with(name + __builtin_strlen(kRemovedPrefix), kNamespacePrefix);
}

// Whose maker has died.
void sweep_draft(const char* base, long folder, const char* name) {
  const Descriptor locked(open_at(folder, name, O_RDONLY | O_DIRECTORY));
  if (locked.fd() >= 0 && sys::call(SYS_flock, locked.fd(), LOCK_EX | LOCK_NB) == 0)
    (void)remove_leftover(base, name);
}

// Fills the draft's folder.
NamespaceStatus fill_draft(const CellPlace& draft, const DirRequest& request, u64 signature,
                           Cell* cell, u64* keeper) {
  NamespaceStatus status;
  Cell::Options options;
  options.signature = signature;
  options.mode = request.mode;
  options.transient = true;
  options.shared = (request.mode & 077) != 0;
  status.cell = Cell::open_or_create(draft.file.text, options, cell);
  if (!status.cell.ok()) return status;
  store_release(cell->header().orphaned, 1u);
  const Descriptor file(make_namespace_file(NamespaceFile(draft).path.text));
  if (file.fd() < 0) {
    status.folder = {DirFault::NoRoom, static_cast<int>(file.fd())};
    return status;
  }
  sys::call(SYS_flock, file.fd(), LOCK_SH);
  if (map_keeper(file.fd(), keeper) != 0) status.cell.fault = CellFault::AddressSpace;
  return status;
}

}  // namespace

int NamespaceStatus::error() const {
  if (folder.fault == DirFault::NoRoom || cell.fault == CellFault::NoRoom) return -ENOSPC;
  return cell.fault == CellFault::AddressSpace ? -ENOMEM : -EPERM;
}

NamespaceStatus make_namespace_cell(const CellPlace& parent, const Cell& parent_cell, u64 signature,
                                    CellPlace* place, Cell* cell, u64* keeper) {
  *keeper = 0;
  const Name name;
  const u32 mode = parent_cell.header().mode;
  DirRequest request;
  request.uid = static_cast<u32>(sys::call(sys::kGeteuid));
  request.mode = mode;
  NamespaceStatus status;
  CellPlace draft;
  status.folder = place_cell(parent.base.text, name.text, place);
  if (status.folder.ok()) status.folder = place_draft(*place, &draft);
  if (!status.folder.ok()) return status;
  const Descriptor lock(make_draft(draft, request, &status.folder));
  if (!status.folder.ok()) return status;
  status = fill_draft(draft, request, signature, cell, keeper);
  if (status.ok()) {
    const long error = sys::call(SYS_renameat2, AT_FDCWD, sys::arg(draft.folder.text), AT_FDCWD,
                                 sys::arg(place->folder.text), 0);
    if (error == 0) return status;
    status.folder = {DirFault::System, static_cast<int>(error)};
  }
  cell->close();
  let_go_of_namespace(keeper);
  (void)remove_leftover(parent.base.text, name_of_cell(draft));
  return status;
}

bool is_namespace(const CellPlace& place) {
  return starts_with(name_of_cell(place), kNamespacePrefix);
}

long keep_namespace(const CellPlace& place, u64* keeper) {
  const Descriptor file(open_namespace_file(place, O_RDONLY | O_CLOEXEC));
  return file.fd() < 0 ? file.fd() : map_keeper(file.fd(), keeper);
}

void let_go_of_namespace(u64* keeper) {
  if (*keeper != 0) sys::call(SYS_munmap, static_cast<long>(*keeper), static_cast<long>(kPage));
  *keeper = 0;
}

void sweep_namespaces(const char* base) {
  // Else others' processes are not to be seen.
  const bool sees_processes = is_proc_of_own_namespace();
  const Descriptor folder(open_at(AT_FDCWD, base, O_RDONLY | O_DIRECTORY));
  if (folder.fd() < 0) return;
  for_each_entry(folder.fd(), [&](const char* name) {
    CellPlace place;
    if (is_draft(name)) sweep_draft(base, folder.fd(), name);
    if (is_half_removed(name)) (void)remove_leftover(base, name);
    if (sees_processes && starts_with(name, kNamespacePrefix) &&
        place_cell(base, name, &place).ok())
      sweep_namespace(place);
    return true;
  });
}

long open_namespace_file(const CellPlace& place, int flags) {
  const NamespaceFile file(place);
  for (;;) {
    const int wanted = flags & (O_PATH | O_CLOEXEC | O_NONBLOCK);
    long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg(file.path.text), O_NOFOLLOW | wanted);
    if (fd == -ENOENT) {
      // A cell that was made otherwise.
      const Descriptor made(make_namespace_file(file.path.text));
      if (made.fd() < 0 && made.fd() != -EEXIST) return made.fd();
      continue;
    }
    if (fd < 0 || (flags & O_PATH) != 0) return fd;
    while (sys::call(SYS_flock, fd, LOCK_SH) == -EINTR) continue;
    if (is_at(fd, file.path.text)) return fd;
    sys::call(SYS_close, fd);
    return -ENOENT;
  }
}

bool find_namespace_file(const char* base, u64 device, u64 inode, CellPlace* place) {
  const Descriptor folder(open_at(AT_FDCWD, base, O_RDONLY | O_DIRECTORY));
  bool is_found = false;
  for_each_entry(folder.fd(), [&](const char* name) {
    struct statx info;
    is_found = place_cell(base, name, place).ok() &&
               stat_path(NamespaceFile(*place).path.text, &info) == 0 && info.stx_ino == inode &&
               makedev(info.stx_dev_major, info.stx_dev_minor) == device;
    return !is_found;
  });
  return is_found;
}

long mount_namespace_file(const CellPlace& place, const char* path, u64 flags) {
  // The mark first: who sees the mount without it would take the namespace away.
  const Descriptor cell(open_at(AT_FDCWD, place.file.text, O_WRONLY));
  const Descriptor file(open_namespace_file(place, O_CLOEXEC));
  const u32 mark = 1;
  if (cell.fd() < 0 || file.fd() < 0) return -ENOENT;
  sys::call(SYS_pwrite64, cell.fd(), sys::arg(&mark), sizeof mark, offsetof(Header, was_mounted));
  return sys::call(SYS_mount, sys::arg(NamespaceFile(place).path.text), sys::arg(path), 0,
                   static_cast<long>(flags), 0);
}

bool is_like_namespace_file(u32 mode, u64 size, i64 mtime) {
  return mode == (S_IFREG | kNamespaceMode) && size == 0 && mtime == kNamespaceTime;
}

u64 map_namespace_marker(const CellPlace& place, u64 marker) {
  const Descriptor file(open_at(AT_FDCWD, place.file.text, O_RDONLY));
  if (file.fd() < 0) return marker;
  // Over the one that is there, so that there is no time without.
  const long page = sys::map(marker, kPage, PROT_NONE,
                             MAP_SHARED | MAP_NORESERVE | (marker != 0 ? MAP_FIXED : 0), file.fd());
  return sys::is_error(page) ? marker : static_cast<u64>(static_cast<unsigned long>(page));
}

}  // namespace ipcell
