#include "core/cell/cell_dir.h"

#include <cerrno>

#include "core/base/file.h"

namespace ipcell {

namespace {

constexpr u32 kStickyBit = 01000;

DirStatus fault(DirFault what, long error = 0) { return {what, static_cast<int>(error)}; }

DirStatus fault_of(long error) {
  switch (-error) {
    case ENOENT: return fault(DirFault::NotFound, error);
    case ENOTDIR: return fault(DirFault::NotAFolder, error);
    case ELOOP: return fault(DirFault::Symlink, error);
    case EACCES:
    case EPERM:
    case EROFS: return fault(DirFault::Unwritable, error);
    case ENOSPC:
    case EDQUOT: return fault(DirFault::NoRoom, error);
    case ENAMETOOLONG: return fault(DirFault::PathTooLong, error);
    default: return fault(DirFault::System, error);
  }
}

bool is_set(const char* text) { return text != nullptr && text[0] != '\0'; }
bool is_shared(const DirRequest& request) { return (request.mode & 077) != 0; }

// Builds a text in a fixed buffer; says so if it did not fit.
class Text {
 public:
  Text(char* buffer, u32 size) : buffer_(buffer), size_(size) { buffer_[0] = '\0'; }
  explicit Text(CellPath& path) : Text(path.text, sizeof path.text) {}

  Text& add(const char* text) {
    for (; *text != '\0'; ++text) put(*text);
    return *this;
  }
  Text& add(u32 number) {
    char digits[12];
    u32 count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count != 0) put(digits[--count]);
    return *this;
  }
  void trim_slashes() {
    while (length_ > 1 && buffer_[length_ - 1] == '/') buffer_[--length_] = '\0';
  }
  bool fits() const { return fits_; }

 private:
  void put(char c) {
    fits_ = fits_ && length_ + 1 < size_;
    if (!fits_) return;
    buffer_[length_++] = c;
    buffer_[length_] = '\0';
  }

  char* buffer_;
  u32 size_;
  u32 length_ = 0;
  bool fits_ = true;
};

bool may_write_to(const char* folder) {
#ifdef SYS_faccessat2
  const long result =
      sys::call(SYS_faccessat2, AT_FDCWD, sys::arg(folder), W_OK | X_OK, AT_EACCESS);
  if (result != -ENOSYS && result != -EPERM) return result == 0;
#endif
  return sys::call(SYS_faccessat, AT_FDCWD, sys::arg(folder), W_OK | X_OK) == 0;
}

DirStatus check_folder(const char* path, u32 uid, bool shared) {
  struct statx info;
  if (const long error = stat_path(path, &info)) return fault_of(error);
  if (S_ISLNK(info.stx_mode)) return fault(DirFault::Symlink);
  if (!S_ISDIR(info.stx_mode)) return fault(DirFault::NotAFolder);
  if (shared) {
    const bool is_open = (info.stx_mode & 022) != 0 && (info.stx_mode & kStickyBit) == 0;
    return is_open ? fault(DirFault::WritableByOthers) : DirStatus{};
  }
  if (info.stx_uid != uid) return fault(DirFault::ForeignOwner);
  if ((info.stx_mode & 022) != 0) return fault(DirFault::WritableByOthers);
  return {};
}

// EEXIST is not an error: another process was faster, and what it made is checked next.
DirStatus make_folder(const char* path, u32 mode) {
  const long error = sys::call(SYS_mkdirat, AT_FDCWD, sys::arg(path), mode);
  if (error == -EEXIST) return {};
  if (error != 0) return fault_of(error);
  // The umask does not decide who may use a cell, nor does it take the owner's bits away.
  struct statx info;
  if (stat_path(path, &info) == 0 && (info.stx_mode & 01777) != mode) {
    sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(path), mode);
  }
  return {};
}

// The folder's mode for a cell of `mode`: who may use the file may look for it, and make others.
u32 folder_mode(u32 mode) {
  u32 result = 0700;
  if ((mode & 060) != 0) result |= 070 | kStickyBit;
  if ((mode & 06) != 0) result |= 07 | kStickyBit;
  return result;
}

// XDG_RUNTIME_DIR survives a change of user; a folder of somebody else's is none of ours.
bool is_own_folder(const char* path, u32 uid) {
  struct statx info;
  return stat_path(path, &info) == 0 && S_ISDIR(info.stx_mode) && info.stx_uid == uid;
}

bool is_cell_entry(const char* name) {
  return is_equal(name, kCellFile) || is_equal(name, kRunnerFile) ||
         is_equal(name, kNamespaceFile) || starts_with(name, "cell.") || starts_with(name, "mq.") ||
         starts_with(name, kMountsFile);
}

// ---------------------------------------------------------------- reading folders

// Deletes a folder, each of its entries by `delete_entry(folder, name)`.
template <class Delete>
DirStatus delete_folder(long parent, const char* path, Delete delete_entry) {
  // Some filesystems skip entries of a folder that changes while it is read: look again.
  long error = -ENOTEMPTY;
  for (int attempt = 0; error == -ENOTEMPTY && attempt < 4; ++attempt) {
    const Descriptor folder(open_at(parent, path, O_RDONLY | O_DIRECTORY));
    if (folder.fd() < 0) return fault_of(folder.fd());
    DirStatus status;
    error = for_each_entry(folder.fd(), [&](const char* name) {
      status = delete_entry(folder.fd(), name);
      return status.ok();
    });
    if (!status.ok()) return status;
    if (error != 0) return fault_of(error);
    error = sys::call(SYS_unlinkat, parent, sys::arg(path), AT_REMOVEDIR);
  }
  return error == 0 || error == -ENOENT ? DirStatus{} : fault_of(error);
}

DirStatus delete_file(long folder, const char* name) {
  const long result = sys::call(SYS_unlinkat, folder, sys::arg(name), 0);
  if (result == -EISDIR) return fault(DirFault::NotACell);
  return result == 0 || result == -ENOENT ? DirStatus{} : fault_of(result);
}

// The folders of a cell's folder hold files alone.
constexpr const char* kInnerFolders[] = {kPosixFolder, kMqueueFolder, kMqueueNamesFolder,
                                         kProcFolder};

bool is_inner_folder(const char* name) {
  for (const char* inner : kInnerFolders) {
    if (is_equal(name, inner)) return true;
  }
  return starts_with(name, "mqueue.");
}

DirStatus delete_inner_folder(long parent, const char* name) {
  const DirStatus status = delete_folder(parent, name, delete_file);
  return status.fault == DirFault::NotFound ? DirStatus{} : status;
}

DirStatus delete_cell_folder(const char* path) {
  return delete_folder(AT_FDCWD, path, [](long folder, const char* name) {
    if (is_inner_folder(name)) return delete_inner_folder(folder, name);
    return is_cell_entry(name) ? delete_file(folder, name) : fault(DirFault::NotACell);
  });
}

// True if the folder of this name in `parent` holds nothing but files, or has just gone.
bool has_only_files(long parent, const char* inner) {
  const Descriptor folder(open_at(parent, inner, O_RDONLY | O_DIRECTORY));
  if (folder.fd() < 0) return folder.fd() == -ENOENT;
  bool has_folder = false;
  const long error = for_each_entry(folder.fd(), [&](const char* name) {
    const Descriptor entry(open_at(folder.fd(), name, O_PATH | O_DIRECTORY));
    has_folder = entry.fd() >= 0;
    return !has_folder;
  });
  return error == 0 && !has_folder;
}

}  // namespace

const char* DirStatus::describe() const {
  switch (fault) {
    case DirFault::None: return "no error";
    case DirFault::NameInvalid:
      return "this cannot be a cell's name: take 1 to 64 letters, digits, '.', '_' and '-', not "
             "starting with '.'";
    case DirFault::ModeInvalid:
      return "this cannot be a cell's mode: take 0600, 0660 or 0666, for who uses a cell writes it";
    case DirFault::NoSharedFolder:
      return "a cell that others may use needs a folder that they can get at: make one with "
             "mkdir -m 1777, and name it in everybody's IPCELL_DIR";
    case DirFault::NotAbsolute: return "IPCELL_DIR must be an absolute path";
    case DirFault::PathTooLong: return "the path is too long; set IPCELL_DIR to a shorter one";
    case DirFault::NotFound: return "it is not there, nor can it be made: its parent is missing";
    case DirFault::NotAFolder: return "it is not a folder; move it away, or set IPCELL_DIR";
    case DirFault::Symlink:
      return "it is a symbolic link, which is not followed; set IPCELL_DIR to the folder itself";
    case DirFault::ForeignOwner:
      return "it belongs to another user; set IPCELL_DIR to a folder of your own";
    case DirFault::WritableByOthers:
      return "others may write to it; make it private with chmod go-w (a folder to share: chmod "
             "+t), or set IPCELL_DIR to another folder";
    case DirFault::Unwritable:
      return "it cannot be written to; set IPCELL_DIR to a folder that you may write to";
    case DirFault::NoRoom:
      return "its filesystem is full; free some room, or set IPCELL_DIR to a folder elsewhere";
    case DirFault::NotACell:
      return "it holds files that are not a cell's; if it is to go, remove it by hand";
    case DirFault::System: return "a system call failed";
  }
  return "unknown";
}

bool is_cell_name(const char* name) {
  u32 length = 0;
  for (; name[length] != '\0'; ++length) {
    const char c = name[length];
    const bool is_allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!is_allowed || length == kCellNameMax) return false;
  }
  return length != 0 && name[0] != '.';
}

bool is_transient_name(const char* name) {
  return starts_with(name, kTransientPrefix) || starts_with(name, kNamespacePrefix);
}

bool is_cell_mode(u32 mode) {
  const u32 group = mode >> 3 & 7;
  const u32 others = mode & 7;
  return mode >> 6 == 6 && (group == 0 || group == 6) && (others == 0 || others == 6);
}

DirStatus base_candidate(const DirRequest& request, u32 index, CellPath* base) {
  Text text(*base);
  if (is_set(request.ipcell_dir)) {
    if (index != 0) return fault(DirFault::NotFound);
    text.add(request.ipcell_dir).trim_slashes();
    if (request.ipcell_dir[0] != '/') return fault(DirFault::NotAbsolute);
  } else if (index == 0) {
    text.add("/dev/shm/ipcell-").add(request.uid);
  } else if (index == 1) {
    if (!is_set(request.xdg_runtime_dir)) return fault(DirFault::NotFound);
    text.add(request.xdg_runtime_dir).trim_slashes();
    text.add("/ipcell");
    if (request.xdg_runtime_dir[0] != '/') return fault(DirFault::NotAbsolute);
  } else if (index == 2) {
    text.add("/tmp/ipcell-").add(request.uid);
  } else {
    return fault(DirFault::NotFound);
  }
  return text.fits() ? DirStatus{} : fault(DirFault::PathTooLong);
}

DirStatus check_base(const char* base, const DirRequest& request, Create create) {
  DirStatus status = check_folder(base, request.uid, is_shared(request));
  if (status.fault == DirFault::NotFound && create == Create::Yes) {
    status = make_folder(base, folder_mode(request.mode));
    if (status.ok()) status = check_folder(base, request.uid, is_shared(request));
  }
  if (status.ok() && !may_write_to(base)) return fault(DirFault::Unwritable);
  return status;
}

DirStatus choose_base(const DirRequest& request, Create create, CellPath* base) {
  base->text[0] = '\0';
  if (is_shared(request) && !is_set(request.ipcell_dir)) return fault(DirFault::NoSharedFolder);
  // The first candidate's trouble is the one to tell of: it is where cells ought to be.
  DirStatus first;
  for (u32 index = 0; index < kBaseCandidates; ++index) {
    DirStatus status = base_candidate(request, index, base);
    const bool is_xdg = index == 1 && !is_set(request.ipcell_dir);
    if (status.ok() && is_xdg && !is_own_folder(request.xdg_runtime_dir, request.uid)) {
      status = fault(DirFault::ForeignOwner);
    }
    if (status.ok()) status = check_base(base->text, request, create);
    if (status.ok() || status.fault == DirFault::NoRoom || is_set(request.ipcell_dir)) {
      return status;
    }
    if (index == 0) first = status;
  }
  const DirStatus named = base_candidate(request, 0, base);
  return named.ok() ? first : named;
}

DirStatus check_cell_folder(const char* folder, const DirRequest& request, Create create) {
  DirStatus status = check_folder(folder, request.uid, is_shared(request));
  if (status.fault == DirFault::NotFound && create == Create::Yes) {
    status = make_folder(folder, folder_mode(request.mode));
    if (status.ok()) status = check_folder(folder, request.uid, is_shared(request));
  }
  return status;
}

DirStatus place_cell(const char* base, const char* name, CellPlace* place) {
  if (!is_cell_name(name)) return fault(DirFault::NameInvalid);
  const bool fits = Text(place->base).add(base).fits() &&
                    Text(place->folder).add(base).add("/").add(name).fits() &&
                    Text(place->file).add(place->folder.text).add("/").add(kCellFile).fits();
  return fits ? DirStatus{} : fault(DirFault::PathTooLong);
}

DirStatus place_draft(const CellPlace& place, CellPlace* draft) {
  Text(draft->base).add(place.base.text);
  const bool fits = Text(draft->folder)
                        .add(place.base.text)
                        .add("/")
                        .add(kDraftPrefix)
                        .add(name_of_cell(place))
                        .fits() &&
                    Text(draft->file).add(draft->folder.text).add("/").add(kCellFile).fits();
  return fits ? DirStatus{} : fault(DirFault::PathTooLong);
}

bool place_of_path(const char* path, const char* entry, CellPlace* place) {
  CellPath text;
  if (path[0] != '/' || !Text(text).add(path).fits()) return false;
  // From the end: "/ENTRY" or "/ENTRY/...", before it NAME, before it BASE.
  char* end = text.text + __builtin_strlen(text.text);
  const auto cut = [&] {
    while (end > text.text && *end != '/') --end;
    *end = '\0';
    return end + 1;
  };
  const char* last = cut();
  if (!is_equal(last, entry)) last = cut();
  if (!is_equal(last, entry)) return false;
  const char* const name = cut();
  return end > text.text && place_cell(text.text, name, place).ok();
}

bool place_of_file(int fd, const char* entry, CellPlace* place) {
  CellPath link, target;
  Text(link).add("/proc/thread-self/fd/").add(static_cast<u32>(fd));
  const long size = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link.text), sys::arg(target.text),
                              sizeof target.text - 1);
  if (fd < 0 || size <= 0) return false;
  target.text[size] = '\0';
  return place_of_path(target.text, entry, place);
}

DirStatus locate_cell(const DirRequest& request, Create create, CellPlace* place) {
  const char* name = is_set(request.name) ? request.name : kDefaultCell;
  CellPath base;
  Text(place->base).add(name);
  if (!is_cell_name(name)) return fault(DirFault::NameInvalid);
  if (!is_cell_mode(request.mode)) return fault(DirFault::ModeInvalid);
  DirStatus status = choose_base(request, create, &base);
  __builtin_memcpy(&place->base, &base, sizeof base);
  if (!status.ok()) return status;
  status = place_cell(base.text, name, place);
  if (!status.ok()) return status;
  status = check_cell_folder(place->folder.text, request, create);
  if (!status.ok()) __builtin_memcpy(&place->base, &place->folder, sizeof place->folder);
  return status;
}

long make_posix_folder(const CellPlace& place) {
  struct statx cell;
  if (const long error = stat_path(place.file.text, &cell)) return error;
  DirRequest request;
  request.uid = static_cast<u32>(sys::call(sys::kGeteuid));
  request.mode = cell.stx_mode & 0777;
  CellPath path;
  if (!Text(path).add(place.folder.text).add("/").add(kPosixFolder).fits()) return -ENAMETOOLONG;
  const DirStatus status = check_cell_folder(path.text, request, Create::Yes);
  return status.ok() || status.error != 0 ? status.error : -EACCES;
}

void remove_inner_folders(const char* file) {
  CellPath parent;
  if (!Text(parent).add(file).fits()) return;
  for (u64 end = __builtin_strlen(parent.text); end > 0 && parent.text[end] != '/';) {
    parent.text[end--] = '\0';
  }
  const Descriptor folder(open_at(AT_FDCWD, parent.text, O_RDONLY | O_DIRECTORY));
  if (folder.fd() < 0) return;
  (void)for_each_entry(folder.fd(), [&](const char* name) {
    if (is_inner_folder(name)) (void)delete_inner_folder(folder.fd(), name);
    if (is_equal(name, kMountsFile)) (void)delete_file(folder.fd(), name);
    return true;
  });
}

bool has_dev_shm() { return may_write_to("/dev/shm/."); }

DirStatus remove_cell(const CellPlace& place) {
  const char* name = place.folder.text + __builtin_strlen(place.base.text) + 1;
  {
    // A look before the leap: a folder of other things keeps its name.
    const Descriptor folder(open_at(AT_FDCWD, place.folder.text, O_RDONLY | O_DIRECTORY));
    if (folder.fd() < 0) return fault_of(folder.fd());
    bool is_cell = true;
    const long error = for_each_entry(folder.fd(), [&](const char* entry) {
      is_cell = is_inner_folder(entry) ? has_only_files(folder.fd(), entry) : is_cell_entry(entry);
      return is_cell;
    });
    if (error != 0) return fault_of(error);
    if (!is_cell) return fault(DirFault::NotACell);
  }
  CellPath gone;
  if (!Text(gone).add(place.base.text).add("/").add(kRemovedPrefix).add(name).fits()) {
    return fault(DirFault::PathTooLong);
  }
  // The name may still be taken by the rest of an earlier removal.
  for (int attempt = 0;; ++attempt) {
    const long error = sys::call(SYS_renameat2, AT_FDCWD, sys::arg(place.folder.text), AT_FDCWD,
                                 sys::arg(gone.text), 0);
    if (error == 0) break;
    if ((error != -ENOTEMPTY && error != -EEXIST) || attempt == 8) return fault_of(error);
    const DirStatus status = delete_cell_folder(gone.text);
    if (!status.ok() && status.fault != DirFault::NotFound) return status;
  }
  return delete_cell_folder(gone.text);
}

DirStatus remove_leftover(const char* base, const char* entry) {
  CellPath path;
  if (entry[0] != '.') return fault(DirFault::NameInvalid);
  if (!Text(path).add(base).add("/").add(entry).fits()) return fault(DirFault::PathTooLong);
  return delete_cell_folder(path.text);
}

}  // namespace ipcell
