// Where a cell lives: BASE/NAME/cell. This chooses BASE, verifies it and the cell's own folder,
// makes what is missing, and removes a cell.
//
// What is found and is not this user's own folder is refused, never repaired. A cell that others
// may use (`mode` lets them in) lives under a BASE that its users named and made for that purpose:
// there, owners are not looked at, but a folder that all may write to must be sticky.
#pragma once

#include "core/base/types.h"

namespace ipcell {

// With room for the temporary names of Cell::open_or_create().
constexpr u32 kCellPathSize = 440;
constexpr u32 kCellNameMax = 64;
constexpr const char* kDefaultCell = "default";
// How the names of cells begin that `ipcell run` makes for one run.
constexpr const char* kTransientPrefix = "run-";
constexpr const char* kCellFile = "cell";
// And those of IPC namespaces that programs make.
constexpr const char* kNamespacePrefix = "ns-";
// Stands for the namespace where programs hold it open: see namespace_cell.h.
constexpr const char* kNamespaceFile = "ns";
// Who runs a transient cell: made, kept locked and read by the command.
constexpr const char* kRunnerFile = "runner";
// A folder in the cell's, with a file for each named POSIX semaphore and shared memory object.
constexpr const char* kPosixFolder = "posix";
// The pipes of POSIX message queues, and an empty file for each name, to be listed.
constexpr const char* kMqueueFolder = "mq";
constexpr const char* kMqueueNamesFolder = "mqueue";
// Empty files that play /proc/sysvipc where the kernel has none.
constexpr const char* kProcFolder = "sysvipc";
// Where else the names of queues are shown. Each such place has a folder of names: "mqueue.NUMBER".
constexpr const char* kMountsFile = "mounts";

enum class DirFault {
  None,
  NameInvalid,
  ModeInvalid,
  NoSharedFolder,
  NotAbsolute,
  PathTooLong,
  NotFound,
  NotAFolder,
  Symlink,
  ForeignOwner,
  WritableByOthers,
  Unwritable,
  NoRoom,
  NotACell,
  System
};

struct DirStatus {
  DirFault fault = DirFault::None;
  int error = 0;  // -errno of the system call that failed, else 0

  bool ok() const { return fault == DirFault::None; }
  // What is wrong and what to do about it; a static string without the path.
  const char* describe() const;
};

struct CellPath {
  char text[kCellPathSize];
};

// What the environment says.
struct DirRequest {
  const char* ipcell_dir = nullptr;       // $IPCELL_DIR; null or empty if unset
  const char* xdg_runtime_dir = nullptr;  // $XDG_RUNTIME_DIR; likewise
  const char* name = nullptr;             // $IPCELL_CELL; null or empty for kDefaultCell
  u32 uid = 0;
  u32 mode = 0600;  // of the cell's file
};

// A cell's folders and file. After a failure `base` holds the path that the status speaks of, if
// there is one.
struct CellPlace {
  CellPath base;
  CellPath folder;
  CellPath file;
};

enum class Create { No, Yes };

// 1 to kCellNameMax characters of [A-Za-z0-9._-], the first not a dot.
bool is_cell_name(const char* name);

// True if a cell of that name goes with its last process.
bool is_transient_name(const char* name);

// A cell's mode lets each class read and write, or neither: one who only reads cannot take a lock.
bool is_cell_mode(u32 mode);

// The base folders in the order in which they are tried; if IPCELL_DIR is set it is the only one.
// NotFound past the last, or for one that is not set. Looks at no file.
constexpr u32 kBaseCandidates = 3;
DirStatus base_candidate(const DirRequest& request, u32 index, CellPath* base);
// Is this candidate a folder to put cells in? Makes it if it is missing and `create` says so.
DirStatus check_base(const char* base, const DirRequest& request, Create create);
// The first usable candidate. A full filesystem ends the search: what is free tomorrow would
// otherwise part a user's programs into two cells.
DirStatus choose_base(const DirRequest& request, Create create, CellPath* base);

// Verifies one folder in BASE as a cell's, or makes it.
DirStatus check_cell_folder(const char* folder, const DirRequest& request, Create create);
// All of it: base, the cell's folder, and the path of its file, which may not be there yet.
DirStatus locate_cell(const DirRequest& request, Create create, CellPlace* place);
// The place of cell `name` in `base`; touches no file.
DirStatus place_cell(const char* base, const char* name, CellPlace* place);
// Where a cell that is not ready yet stands, so that no sweep meets it half made.
constexpr const char* kDraftPrefix = ".new-";
DirStatus place_draft(const CellPlace& place, CellPlace* draft);
// Its name.
inline const char* name_of_cell(const CellPlace& place) {
  return place.folder.text + __builtin_strlen(place.base.text) + 1;
}
// The cell whose folder the path BASE/NAME/... leads through, with `entry` behind NAME. False if it
// leads through none. Touches no file.
bool place_of_path(const char* path, const char* entry, CellPlace* place);
// The same of an open file, by what /proc tells of the descriptor.
bool place_of_file(int fd, const char* entry, CellPlace* place);

// Makes the folder of the cell's POSIX names, for those who may use the cell. 0 or -errno.
long make_posix_folder(const CellPlace& place);
// Removes it with all names; `file` is the cell's.
void remove_inner_folders(const char* file);
// False if libc can't keep POSIX names in /dev/shm: it is not there, no folder, or closed to this
// process.
bool has_dev_shm();

// Removes a cell's folder: takes it out of the way in one step, so that nobody meets half a cell,
// then deletes it. Refuses a folder with other files than a cell's (NotACell). A process that has
// the cell mapped goes on with it.
DirStatus remove_cell(const CellPlace& place);
// Deletes a folder that is named by no cell (the rest of an interrupted removal or creation).
DirStatus remove_leftover(const char* base, const char* entry);
// The prefix of such rests.
constexpr const char* kRemovedPrefix = ".gone-";

}  // namespace ipcell
