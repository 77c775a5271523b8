#include "interpose/mounts.h"

#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/ipc/text.h"
#include "interpose/normal_path.h"
#include "interpose/process.h"

namespace ipcell {

constinit const QueueMount kFirstMount = {"/dev/mqueue", 11, 0, "mqueue"};

namespace {

u32 g_own_word = 0;

// All of the file. What is read once stays mapped: others may look at it.
constexpr std::size_t kListRoom = 128 << 10;

struct List {
  u64 inode, changed;  // of the file
  std::size_t size;    // of `text`
  u32 count;
  QueueMount mounts[kMaxMounts];  // those of this process's cell
  char text[kListRoom];
};
List* g_list = nullptr;  // atomic

// The path of a file in the cell's folder. False if it is not known yet.
class CellFile {
 public:
  explicit CellFile(const char* name) {
    CellPlace place;
    is_known_ = find_cell_place(&place);
    TextWriter text(text_, sizeof text_);
    text.put(place.folder.text);
    text.put("/");
    text.put(name);
    text.put_char('\0');
  }
  bool is_known() const { return is_known_; }
  const char* text() const { return text_; }

 private:
  bool is_known_;
  char text_[kCellPathSize + 32];
};

// One of the zero-terminated texts that a record has; nullptr past the end.
const char* next_text(const char*& at, const char* end) {
  const char* const text = at;
  const void* const zero =
      text < end ? memchr(text, 0, static_cast<std::size_t>(end - text)) : nullptr;
  if (zero == nullptr) return nullptr;
  at = static_cast<const char*>(zero) + 1;
  return text;
}

struct Record {
  const char *start, *cell, *end;
  QueueMount mount;
};

u32 number_of(const char* text) {
  u32 number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + static_cast<u32>(*text - '0');
  return number;
}

bool read_record(const char*& at, const char* end, Record* record) {
  record->start = at;
  const char* const number = next_text(at, end);
  const char* const cell = number != nullptr ? next_text(at, end) : nullptr;
  const char* const path = cell != nullptr ? next_text(at, end) : nullptr;
  const char* const source = path != nullptr ? next_text(at, end) : nullptr;
  if (source == nullptr) return false;
  record->cell = cell;
  record->mount = {path, strlen(path), number_of(number), source};
  record->end = at;
  return true;
}

void parse(List& list) {
  const CellFile own("");
  const char* at = list.text;
  Record record;
  list.count = 0;
  while (list.count < kMaxMounts && read_record(at, list.text + list.size, &record)) {
    const std::size_t length = strlen(record.cell);
    const bool is_own =
        strncmp(own.text(), record.cell, length) == 0 && is_equal(own.text() + length, "/");
    if (is_own && record.mount.length < kNormalPathRoom) list.mounts[list.count++] = record.mount;
  }
}

List* map_list() {
  const long made = sys::map(0, sizeof(List), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  return sys::is_error(made) ? nullptr : reinterpret_cast<List*>(made);
}
void unmap_list(List* list) {
  if (list != nullptr) sys::call(SYS_munmap, sys::arg(list), sizeof(List));
}

// True if the list is that of the open file.
bool is_of(const List* list, const struct statx& info) {
  return list != nullptr && list->inode == info.stx_ino &&
         list->changed ==
             static_cast<u64>(info.stx_mtime.tv_sec) * 1000000000 + info.stx_mtime.tv_nsec;
}

// The list as it is now: `known`, if that is still true. nullptr if there is none.
List* read_list(List* known) {
  const CellFile path(kMountsFile);
  if (!path.is_known()) return nullptr;
  const Descriptor file(open_at(AT_FDCWD, path.text(), O_RDONLY | O_NONBLOCK));
  struct statx info;
  if (file.fd() < 0 || sys::call(SYS_statx, file.fd(), sys::arg(""), AT_EMPTY_PATH,
                                 STATX_INO | STATX_MTIME, sys::arg(&info)) != 0) {
    return nullptr;
  }
  if (is_of(known, info)) return known;
  List* const list = map_list();
  if (list == nullptr) return known;
  const long size = sys::call(SYS_read, file.fd(), sys::arg(list->text), kListRoom);
  list->size = size > 0 ? static_cast<std::size_t>(size) : 0;
  list->inode = info.stx_ino;
  list->changed = static_cast<u64>(info.stx_mtime.tv_sec) * 1000000000 + info.stx_mtime.tv_nsec;
  parse(*list);
  return list;
}

// ------------------------------------------------------------------------ changing it

// The only one who changes the list, as long as it is there.
class ListLock {
 public:
  ListLock()
      : folder_(open_at(AT_FDCWD, current_cell().place.folder.text, O_RDONLY | O_DIRECTORY)) {
    while (folder_.fd() >= 0 && sys::call(SYS_flock, folder_.fd(), LOCK_EX) == -EINTR) continue;
  }
  long folder() const { return folder_.fd(); }

 private:
  const Descriptor folder_;
};

long write_all(long fd, const char* text, std::size_t size) {
  while (size > 0) {
    const long done = sys::call(SYS_write, fd, sys::arg(text), size);
    if (done < 0) return done;
    text += done;
    size -= static_cast<std::size_t>(done);
  }
  return 0;
}

// Puts a new file in the place of the old one.
long replace_list(long folder, const char* text, std::size_t size) {
  static constexpr char kNew[] = "mounts.new";
  const u32 mode = cell_if_any()->header().mode;
  const Descriptor file(sys::call(SYS_openat, folder, sys::arg(kNew),
                                  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file.fd() < 0) return file.fd();
  // The umask does not decide who may use a cell.
  sys::call(SYS_fchmod, file.fd(), mode);
  if (const long error = write_all(file.fd(), text, size)) return error;
  const long error =
      sys::call(SYS_renameat2, folder, sys::arg(kNew), folder, sys::arg(kMountsFile), 0);
  if (error == 0) __atomic_fetch_add(&cell_if_any()->header().mounts, 1, __ATOMIC_ACQ_REL);
  return error;
}

long make_played_folder(long folder, u32 number) {
  char name[32];
  TextWriter text(name, sizeof name);
  write_played_name(text, number);
  text.put_char('\0');
  const u32 cell_mode = cell_if_any()->header().mode;
  const u32 mode = cell_mode | (cell_mode & 0444) >> 2;
  const long error = sys::call(SYS_mkdirat, folder, sys::arg(name), mode);
  if (error == 0) sys::call(SYS_fchmodat, folder, sys::arg(name), mode);
  return error == -EEXIST ? 0 : error;
}

void remove_played_folder(long folder, u32 number) {
  char name[32];
  TextWriter text(name, sizeof name);
  write_played_name(text, number);
  text.put_char('\0');
  {
    const Descriptor played(open_at(folder, name, O_RDONLY | O_DIRECTORY));
    for_each_entry(played.fd(), [&](const char* entry) {
      sys::call(SYS_unlinkat, played.fd(), sys::arg(entry), 0);
      return true;
    });
  }
  sys::call(SYS_unlinkat, folder, sys::arg(name), AT_REMOVEDIR);
}

}  // namespace

const u32* g_mounts_word = &g_own_word;
// The list is read first when a path is looked at: one failing call, unless there are mounts.
u32 g_mounts_seen = ~0u, g_mounts_count = 0;

void read_mounts() {
  const u32 word = load_acquire(*g_mounts_word);
  List* const list = read_list(load_acquire(g_list));
  if (list != nullptr) store_release(g_list, list);
  store_release(g_mounts_count, list != nullptr ? list->count : 0);
  store_release(g_mounts_seen, word);
}

void expect_mounts() {
  if (g_mounts_word == &g_own_word) __atomic_fetch_add(&g_own_word, 1, __ATOMIC_ACQ_REL);
}

void watch_mounts(u32& word) {
  // Read once more, whatever it says.
  store_release(g_mounts_seen, load_acquire(word) - 1);
  store_release(g_mounts_word, &word);
}

const QueueMount* mount_by_index(u32 index) {
  const List* const list = has_mounts() ? load_acquire(g_list) : nullptr;
  return list != nullptr && index < list->count ? &list->mounts[index] : nullptr;
}

const QueueMount* mount_at(const char* path, std::size_t length) {
  const QueueMount* found = nullptr;
  const auto is_it = [&](const QueueMount& mount) {
    return mount.length == length && memcmp(mount.path, path, length) == 0;
  };
  const QueueMount* mount;
  for (u32 n = 0; (mount = mount_by_index(n)) != nullptr; ++n) {
    if (is_it(*mount)) found = mount;
  }
  return found == nullptr && is_it(kFirstMount) ? &kFirstMount : found;
}

const QueueMount* mount_of_number(u32 number) {
  if (number == 0) return &kFirstMount;
  const QueueMount* mount;
  for (u32 n = 0; (mount = mount_by_index(n)) != nullptr; ++n) {
    if (mount->number == number) return mount;
  }
  return nullptr;
}

void write_played_name(TextWriter& out, u32 number) {
  out.put(kMqueueNamesFolder);
  if (number == 0) return;
  out.put(".");
  out.put_unsigned(number, 0);
}

static void put_record(TextWriter& text, u32 number, const char* path, const char* source) {
  text.put_unsigned(number, 0);
  const char* const folder = current_cell().place.folder.text;
  for (const char* part : {"", folder, path, source}) {
    text.put(part);
    text.put_char('\0');
  }
}

long add_mount(const char* path, const char* alias, const char* source) {
  const ListLock lock;
  if (lock.folder() < 0) return lock.folder();
  List* const list = read_list(nullptr);
  List* const old = list != nullptr ? list : map_list();
  if (old == nullptr) return -ENOMEM;
  // Nobody else counts it up now.
  const u32 number = load_acquire(cell_if_any()->header().mounts) + 1;
  TextWriter text(old->text + old->size, kListRoom - old->size);
  put_record(text, number, path, source);
  if (alias != nullptr) put_record(text, number, alias, source);
  long error = text.overflowed() || old->count + 2 > kMaxMounts ? -ENOSPC : 0;
  if (error == 0) error = make_played_folder(lock.folder(), number);
  if (error == 0) error = replace_list(lock.folder(), old->text, old->size + text.used());
  unmap_list(old);
  return error;
}

long remove_mount(const QueueMount& mount) {
  const ListLock lock;
  if (lock.folder() < 0) return lock.folder();
  List* const list = read_list(nullptr);
  if (list == nullptr) return -EINVAL;
  // Both records of a mount that has two.
  std::size_t kept = 0;
  const char* const end = list->text + list->size;
  const char* at = list->text;
  Record record;
  while (read_record(at, end, &record)) {
    if (record.mount.number == mount.number) continue;
    const auto length = static_cast<std::size_t>(record.end - record.start);
    memmove(list->text + kept, record.start, length);
    kept += length;
  }
  // Another process may have been faster.
  const long error = kept < list->size ? replace_list(lock.folder(), list->text, kept) : -EINVAL;
  unmap_list(list);
  if (error == 0) remove_played_folder(lock.folder(), mount.number);
  return error;
}

}  // namespace ipcell
