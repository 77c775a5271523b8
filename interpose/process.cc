#include "interpose/process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/cell/cell_members.h"
#include "core/ipc/mqueue_file.h"
#include "core/ipc/signature.h"
#include "core/ipc/text.h"
#include "interpose/descriptors.h"
#include "interpose/signals.h"
#include "interpose/signals_blocked.h"

namespace ipcell {

namespace {

// Most processes have a few supplementary groups; NGROUPS_MAX are possible.
constexpr std::size_t kFewGroups = 64;
constexpr std::size_t kMaxGroups = 65536;

// What the environment said when the program started; it may scribble over it later.
struct Settings {
  char dir[kCellPathSize];
  char runtime_dir[kCellPathSize];
  char cell_name[72];
  bool is_read, has_dir, has_runtime_dir, has_name;
  u32 mode;
  bool shared;
  bool wants_posix_names;
};

struct ThreadState {
  Task task;
  Cred cred;
  u32 few_groups[kFewGroups] = {};
  u32* many_groups = nullptr;  // mapped when few_groups is not enough
  u32 generation = 0;          // of the process when the task was claimed; see g_generation
  i32 apart_pid = 0;           // of the process when the thread unshared its adjustments, else 0
  u32 cred_version = 0;        // of g_cred_version when the credentials were read
};

Settings g_settings;
Cell g_cell;
AddressMap g_addresses;
u32 g_image;               // a number of this process's memory; 0: not yet drawn
CellPlace g_place;         // of g_cell
int g_mqueue_folder = -1;  // its folder of pipes; kept by programs that give up rights
u64 g_mqueue_folder_inode;
bool g_has_failed;       // no cell; said once
u32 g_attach_lock;       // guards g_cell, g_has_failed, g_generation's page
u32 g_cred_version = 1;  // counts changes of credentials; atomic
i32 g_pid;               // of the process that set g_generation

// Changes with every fork: it stands on a page that the kernel wipes in a child (MADV_WIPEONFORK),
// and is then set to the child's pid. So each call sees a fork at the cost of one load.
u32 g_no_generation = 0;
u32* g_generation = &g_no_generation;

constinit thread_local ThreadState t_state = {};

void say(const char* first, const char* second = "", const char* third = "",
         const char* fourth = "") {
  for (const char* part : {"ipcell: ", first, second, third, fourth, "\n"}) {
    sys::call(SYS_write, 2, sys::arg(part), static_cast<long>(strlen(part)));
  }
}

bool copy_setting(const char* name, char* out, std::size_t size) {
  const char* value = getenv(name);
  if (value == nullptr || *value == '\0') return false;
  // One that is cut off is too long for the checks as well, which say so.
  const std::size_t length = strnlen(value, size - 1);
  memcpy(out, value, length);
  out[length] = '\0';
  return true;
}

// At the start, before the program may change its environment; earlier if another library's
// constructor calls us.
__attribute__((constructor)) void read_settings() {
  Settings& s = g_settings;
  if (s.is_read) return;
  s.is_read = true;
  s.has_dir = copy_setting("IPCELL_DIR", s.dir, sizeof s.dir);
  s.has_runtime_dir = copy_setting("XDG_RUNTIME_DIR", s.runtime_dir, sizeof s.runtime_dir);
  s.has_name = copy_setting("IPCELL_CELL", s.cell_name, sizeof s.cell_name);
  char mode[16];
  s.mode = 0600;
  if (copy_setting("IPCELL_MODE", mode, sizeof mode)) {
    s.mode = static_cast<u32>(strtoul(mode, nullptr, 8)) & 0666;
    s.shared = s.mode != 0600;
  }
  char posix[2];
  s.wants_posix_names = copy_setting("IPCELL_POSIX", posix, sizeof posix) && posix[0] != '0';
}

// ------------------------------------------------------------------------ the cell

// Why there is no cell; said at the first call that wants one.
struct Complaint {
  char path[kCellPathSize];
  const char* reason;
};
Complaint g_complaint;

bool complain(const char* path, const char* reason) {
  memcpy(g_complaint.path, path, strnlen(path, sizeof g_complaint.path - 1));
  g_complaint.reason = reason;
  return false;
}

void say_complaint() {
  if (g_complaint.reason == nullptr) return;
  say("no cell: ", g_complaint.path, ": ", g_complaint.reason);
  say("System V IPC calls of this program fail with ENOSYS; `ipcell doctor` tells more");
  g_complaint.reason = nullptr;
}

bool open_cell() {
  read_settings();
  const Settings& s = g_settings;
  DirRequest request;
  request.ipcell_dir = s.has_dir ? s.dir : nullptr;
  request.xdg_runtime_dir = s.has_runtime_dir ? s.runtime_dir : nullptr;
  request.uid = static_cast<u32>(sys::call(SYS_geteuid));
  request.name = s.has_name ? s.cell_name : nullptr;
  request.mode = s.mode;
  CellPlace& place = g_place;
  const DirStatus where = locate_cell(request, Create::Yes, &place);
  if (!where.ok()) return complain(place.base.text, where.describe());
  Cell::Options options;
  options.signature = kLayoutSignature;
  options.mode = s.mode;
  options.shared = s.shared;
  const CellStatus status = Cell::open_or_create(place.file.text, options, &g_cell);
  return status.ok() || complain(place.file.text, status.describe());
}

// True if the cell that the environment names is to be removed by the last process out. Asked by
// processes that never mapped it, at the price of an open and a read, in cells made for one run
// only.
bool is_orphaned_unmapped(CellPlace* place) {
  const Settings& s = g_settings;
  if (!s.has_dir || !s.has_name ||
      strncmp(s.cell_name, kTransientPrefix, strlen(kTransientPrefix)) != 0 ||
      !place_cell(s.dir, s.cell_name, place).ok()) {
    return false;
  }
  const long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg(place->file.text),
                            O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  u32 orphaned = 0;
  sys::call(SYS_pread64, fd, sys::arg(&orphaned), sizeof orphaned, offsetof(Header, orphaned));
  sys::call(SYS_close, fd);
  return orphaned != 0;
}

// `ipcell run` has ended, and left the removal of its cell to the last process out.
__attribute__((destructor)) void leave_cell() {
  const bool is_orphaned = g_cell.is_open() ? load_acquire(g_cell.header().orphaned) != 0
                                            : is_orphaned_unmapped(&g_place);
  if (is_orphaned) leave_orphaned_cell(g_place, static_cast<i32>(sys::call(SYS_getpid)));
}

bool make_generation_page() {
  if (g_generation != &g_no_generation) return true;
  const long page = sys::call(SYS_mmap, 0, static_cast<long>(kPage), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page < 0 && page > -4096) return false;
  sys::call(SYS_madvise, page, static_cast<long>(kPage), MADV_WIPEONFORK);
  g_generation = reinterpret_cast<u32*>(page);
  return true;
}

// Opens the cell once for the process; again after a fork there is only the pid to be renewed.
bool prepare_process() {
  const i32 pid = static_cast<i32>(sys::call(SYS_getpid));
  if (g_has_failed) return false;
  if (!g_cell.is_open()) {
    if (!make_generation_page() || !open_cell()) {
      g_has_failed = true;
      return false;
    }
    install_fault_handlers();
    g_addresses.file.set_file(g_cell, g_place.file.text);
    while (g_image == 0) sys::call(SYS_getrandom, sys::arg(&g_image), sizeof g_image, 0);
  }
  if (load_relaxed(*g_generation) == 0) {
    g_pid = pid;
    g_addresses.reset_lock();
    // A pid may be the parent's, in another namespace.
    g_addresses.owner_pid = 0;
    store_release(*g_generation, static_cast<u32>(pid));
  }
  return true;
}

// ------------------------------------------------------------------------ tasks

void read_groups(ThreadState& state) {
  Cred& cred = state.cred;
  cred.groups = state.few_groups;
  long count = sys::call(SYS_getgroups, kFewGroups, sys::arg(state.few_groups));
  if (count == -EINVAL) {
    if (state.many_groups == nullptr) {
      const long room = sys::call(SYS_mmap, 0, kMaxGroups * sizeof(u32), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (room > 0 || room < -4096) state.many_groups = reinterpret_cast<u32*>(room);
    }
    cred.groups = state.many_groups;
    count = state.many_groups != nullptr
                ? sys::call(SYS_getgroups, kMaxGroups, sys::arg(state.many_groups))
                : 0;
  }
  cred.group_count = count > 0 ? static_cast<u32>(count) : 0;
}

void read_credentials(ThreadState& state) {
  Cred& cred = state.cred;
  cred.euid = static_cast<u32>(sys::call(SYS_geteuid));
  cred.egid = static_cast<u32>(sys::call(SYS_getegid));
  // setfsgid(-1) changes nothing and returns the current one.
  cred.fsgid = static_cast<u32>(sys::call(SYS_setfsgid, -1));
  read_groups(state);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  sys::call(SYS_capget, sys::arg(&header), sys::arg(data));
  cred.capabilities = static_cast<u64>(data[1].effective) << 32 | data[0].effective;
  state.cred_version = load_acquire(g_cred_version);
}

void lock_attach() {
  u32 expected = 0;
  while (!compare_exchange(g_attach_lock, expected, 1u)) {
    expected = 0;
    sys::call(SYS_sched_yield);
  }
}

void unlock_attach() { store_release(g_attach_lock, 0u); }

bool claim(ThreadState& state) {
  Task& task = state.task;
  task.cell = &g_cell;
  task.rec = nullptr;
  task.slot = kNoSlot;
  task.identity.pid = g_pid;
  task.identity.tid = static_cast<i32>(sys::call(SYS_gettid));
  const ProcessId process = own_process();
  task.identity.start_time = process.start_time;
  task.identity.pid_namespace = process.pid_namespace;
  task.identity.image = g_image;
  task.addresses = &g_addresses;
  task.folder = g_place.folder.text;
  task.mqueue_folder = g_mqueue_folder;
  task.critical = 0;
  task.deferred = 0;
  task.wait_frame = nullptr;
  task.lock_depth = 0;
  task.dead_seen = kNoSlot;
  task.buried_pid = 0;
  task.cred = &state.cred;
  task.on_deferred = deliver_deferred_signal;
  if (const int error = attach_task(task)) {
    // A child of a raw clone(2), which can't be a task: see take_token().
    if (error == -ENOTSUP) return false;
    say("no task slot in the cell: ",
        error == -ENOMEM ? "it is full, or its filesystem is" : "the cell is damaged");
    return false;
  }
  task.is_undo_apart = state.apart_pid == g_pid;
  return true;
}

bool prepare_locked() {
  // A child of a threaded parent may have inherited the lock from a thread that it does not have.
  if (g_generation != &g_no_generation && load_relaxed(*g_generation) == 0)
    store_release(g_attach_lock, 0u);
  lock_attach();
  const bool is_ready = prepare_process();
  unlock_attach();
  return is_ready;
}

IPCELL_COLD Task* attach_thread() {
  const WithoutSignals blocked;
  ThreadState& state = t_state;
  if (!prepare_locked()) {
    say_complaint();
    return nullptr;
  }
  if (!claim(state)) return nullptr;
  read_credentials(state);
  state.generation = load_relaxed(*g_generation);
  return &state.task;
}

}  // namespace

Task* current_task() {
  ThreadState& state = t_state;
  const u32 generation = load_relaxed(*g_generation);
  if (generation == 0 || state.generation != generation) [[unlikely]]
    return attach_thread();
  if (state.cred_version != load_relaxed(g_cred_version)) [[unlikely]]
    read_credentials(state);
  return &state.task;
}

// Descriptors that the program was started with. What a parent left open has a low number, if any.
static void meet_low_numbers() {
  constexpr int kLowNumbers = 32;
  struct pollfd numbers[kLowNumbers];
  for (int fd = 0; fd < kLowNumbers; ++fd) numbers[fd] = {fd, 0, 0};
  const struct timespec no_time = {};
  // One call tells which of them are open; where so many can't be, each is asked for.
  sys::call(SYS_ppoll, sys::arg(numbers), kLowNumbers, sys::arg(&no_time), 0, 0);
  for (const struct pollfd& number : numbers) {
    if ((number.revents & POLLNVAL) == 0) meet_descriptor(number.fd);
  }
}

// After read_settings(). No other thread is there to change the environment meanwhile.
__attribute__((constructor)) void join_after_exec() {
  meet_low_numbers();
  const char* pid = getenv(kJoinVariable);
  if (pid == nullptr) return;
  const bool is_ours = atoi(pid) == sys::call(SYS_getpid);
  unsetenv(kJoinVariable);
  // The program before may have been registered for a notification, which the descriptors that it
  // kept may have kept as well.
  if (is_ours && current_task() != nullptr) note_registration();
}

// Programs close descriptors that they do not know.
static bool is_mqueue_folder_there() {
  struct statx info;
  return g_mqueue_folder >= 0 &&
         sys::call(SYS_statx, g_mqueue_folder, sys::arg(""), AT_EMPTY_PATH, STATX_INO,
                   sys::arg(&info)) == 0 &&
         info.stx_ino == g_mqueue_folder_inode;
}

// The pipes of message queues are opened by path, which the program may be about to lose.
static void keep_mqueue_folder() {
  if (is_mqueue_folder_there()) return;
  Task task;
  task.cell = &g_cell;
  task.folder = g_place.folder.text;
  if (make_mqueue_folder(task) != 0) return;
  CellPath path;
  TextWriter out(path.text, sizeof path.text);
  out.put(g_place.folder.text);
  out.put("/");
  out.put(kMqueueFolder);
  out.put_char('\0');
  const Descriptor folder(open_at(AT_FDCWD, path.text, O_PATH | O_DIRECTORY));
  struct statx info;
  if (folder.fd() < 0 || sys::call(SYS_statx, folder.fd(), sys::arg(""), AT_EMPTY_PATH, STATX_INO,
                                   sys::arg(&info)) != 0) {
    return;
  }
  // Out of the way of programs that count their descriptors.
  constexpr long kFirstNumber = 512;
  long kept = sys::call(SYS_fcntl, folder.fd(), F_DUPFD_CLOEXEC, kFirstNumber);
  if (kept < 0) kept = sys::call(SYS_fcntl, folder.fd(), F_DUPFD_CLOEXEC, 0);
  if (kept < 0) return;
  g_mqueue_folder_inode = info.stx_ino;
  g_mqueue_folder = static_cast<int>(kept);
}

Task* task_if_any() {
  ThreadState& state = t_state;
  const u32 generation = load_relaxed(*g_generation);
  return generation != 0 && state.generation == generation ? &state.task : nullptr;
}

int mqueue_folder() {
  if (g_mqueue_folder >= 0 && !is_mqueue_folder_there()) g_mqueue_folder = -1;
  return g_mqueue_folder;
}

Cell* cell_if_any() { return g_cell.is_open() ? &g_cell : nullptr; }

bool has_cell() {
  const WithoutSignals blocked;
  const bool is_there = prepare_locked();
  if (!is_there) say_complaint();
  return is_there;
}

const CellPlace& cell_place() { return g_place; }

u32& word_of_this_process() { return g_generation[1]; }

bool wants_posix_names() {
  read_settings();
  return g_settings.wants_posix_names;
}

AddressMap& process_addresses() { return g_addresses; }

void map_cell_early() {
  if (g_has_failed || is_borrowed_memory()) return;
  const WithoutSignals blocked;
  // In a forked child, too, where the locks may be those of threads that it does not have.
  if (!prepare_locked()) return;
  g_addresses.lock(static_cast<u32>(sys::call(SYS_gettid)));
  g_addresses.file.open_windows();
  g_addresses.unlock();
  keep_mqueue_folder();
}

void shrink_mappings() {
  if (!g_cell.is_open() || is_borrowed_memory()) return;
  const WithoutSignals blocked;
  if (!prepare_locked()) return;
  g_addresses.lock(static_cast<u32>(sys::call(SYS_gettid)));
  g_addresses.file.close_windows();
  g_addresses.unlock();
}

void forget_credentials() { __atomic_fetch_add(&g_cred_version, 1, __ATOMIC_ACQ_REL); }

void be_undo_apart() { t_state.apart_pid = static_cast<i32>(sys::call(SYS_getpid)); }

bool is_borrowed_memory() {
  const u32 generation = load_relaxed(*g_generation);
  return generation != 0 && static_cast<i32>(sys::call(SYS_getpid)) != g_pid;
}

}  // namespace ipcell
