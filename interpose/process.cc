#include "interpose/process.h"

#include <fcntl.h>
#include <initializer_list>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/cell/liveness.h"
#include "core/ipc/mqueue_file.h"
#include "core/ipc/text.h"
#include "interpose/clocks.h"
#include "interpose/descriptors.h"
#include "interpose/fault_host.h"
#include "interpose/fault_settings.h"
#include "interpose/first_cell.h"
#include "interpose/mounts.h"
#include "interpose/namespaces.h"
#include "interpose/settings.h"
#include "interpose/signal_masks.h"
#include "interpose/signals.h"
#include "interpose/signals_blocked.h"
#include "interpose/spare_descriptors.h"

namespace ipcell {

namespace {

// Most processes have a few supplementary groups; NGROUPS_MAX are possible.
constexpr std::size_t kFewGroups = 64;
constexpr std::size_t kMaxGroups = 65536;

// A thread's task in one of the process's cells.
struct ThreadTask {
  Task* task = nullptr;
  u32 generation = 0;  // of the process when it was claimed; see g_generation
};

struct ThreadState {
  Task* current = nullptr;  // in the cell `number`
  u32 generation = 0;       // of the process when it was made current
  u32 number = kNoCell;     // of the cell that `current` is in
  u32 home = kNoCell;    // of the cell that is the thread's IPC namespace; kNoCell: the process's
  u32 cred_version = 0;  // of g_cred_version when the credentials were read
  i32 apart_pid = 0;     // of the process when the thread unshared its adjustments, else 0
  ThreadTask tasks[kProcessCells] = {};
  Task first;  // the one that most threads have; the others are mapped
  Cred cred;
  u32 few_groups[kFewGroups] = {};
  u32* many_groups = nullptr;  // mapped when few_groups is not enough
};

u32 g_home = kNoCell;       // of threads that have not said otherwise; atomic
u32 g_main_home = kNoCell;  // the main thread's; atomic
u32 g_image;                // a number of this process's memory; 0: not yet drawn
bool g_has_failed;          // no cell; said once
bool g_has_moved;           // a thread went to another namespace
u32 g_attach_lock;          // guards the table of cells, g_has_failed, g_generation's page
u32 g_cred_version = 1;     // counts changes of credentials; atomic
i32 g_pid;                  // of the process that set g_generation

// Changes with every fork: it stands on a page that the kernel wipes in a child (MADV_WIPEONFORK),
// and is then set to the child's pid. So each call sees a fork at the cost of one load.
u32 g_no_generation = 0;
u32* g_generation = &g_no_generation;

constinit thread_local ThreadState t_state = {};

// ------------------------------------------------------------------------ the process

bool make_generation_page() {
  if (g_generation != &g_no_generation) return true;
  const long page = sys::map(0, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  if (sys::is_error(page)) return false;
  sys::call(SYS_madvise, page, static_cast<long>(kPage), MADV_WIPEONFORK);
  g_generation = reinterpret_cast<u32*>(page);
  return true;
}

// With its windows: later there may be no descriptor for them.
bool open_first_cell_anyhow() {
  if (open_first_cell()) return true;
  bool is_open = false;
  return has_no_descriptor_left() && run_with_descriptors([&] {
           is_open = open_first_cell();
           if (is_open) g_process_cells[0].addresses.file.open_windows();
         }) &&
         is_open;
}

// Opens the cell once for the process; again after a fork there is only the pid to be renewed.
bool prepare_process() {
  const i32 pid = static_cast<i32>(sys::call(SYS_getpid));
  if (g_has_failed) return false;
  if (load_acquire(g_known_cells) == 0) {
    look_at_clocks();
    if (!make_generation_page() || !open_first_cell_anyhow()) {
      g_has_failed = true;
      return false;
    }
    store_release(g_home, 0u);
    store_release(g_main_home, 0u);
    install_fault_handlers();
    watch_faults(g_process_cells[0].cell);
    watch_mounts(g_process_cells[0].cell.header().mounts);
    while (g_image == 0) sys::call(SYS_getrandom, sys::arg(&g_image), sizeof g_image, 0);
  }
  if (load_relaxed(*g_generation) == 0) {
    g_pid = pid;
    for_each_cell([](u32, ProcessCell& known) {
      known.addresses.reset_lock();
      // A pid may be the parent's, in another namespace.
      known.addresses.owner_pid = 0;
    });
    store_release(*g_generation, static_cast<u32>(pid));
  }
  return true;
}

// ------------------------------------------------------------------------ tasks

void read_groups(ThreadState& state) {
  Cred& cred = state.cred;
  cred.groups = state.few_groups;
  long count = sys::call(sys::kGetgroups, kFewGroups, sys::arg(state.few_groups));
  if (count == -EINVAL) {
    if (state.many_groups == nullptr) {
      const long room = sys::map(0, kMaxGroups * sizeof(u32), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS);
      if (!sys::is_error(room)) state.many_groups = reinterpret_cast<u32*>(room);
    }
    cred.groups = state.many_groups;
    count = state.many_groups != nullptr
                ? sys::call(sys::kGetgroups, kMaxGroups, sys::arg(state.many_groups))
                : 0;
  }
  cred.group_count = count > 0 ? static_cast<u32>(count) : 0;
}

// Capabilities hold in the user namespace where the process has them, and in those inside of it.
// DIVERGES: which those are is known of the first of all alone. Linux: ns_capable()
bool has_capabilities_in(const Cell& cell) {
  const u64 owner = load_acquire(cell.header().user_namespace);
  const u64 own = own_user_namespace();
  return own == owner || own == kFirstUserNamespace || own == 0 || owner == 0;
}

void read_credentials(ThreadState& state) {
  Cred& cred = state.cred;
  cred.euid = static_cast<u32>(sys::call(sys::kGeteuid));
  cred.egid = static_cast<u32>(sys::call(sys::kGetegid));
  // setfsgid(-1) changes nothing and returns the current one.
  cred.fsgid = static_cast<u32>(sys::call(SYS_setfsgid, -1));
  read_groups(state);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  sys::call(SYS_capget, sys::arg(&header), sys::arg(data));
  cred.capabilities = static_cast<u64>(data[1].effective) << 32 | data[0].effective;
  if (cred.capabilities != 0 && !has_capabilities_in(g_process_cells[state.home].cell))
    cred.capabilities = 0;
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

// The thread's task in that cell is set up anew, and claims a slot.
bool claim(ThreadState& state, Task& task, u32 number) {
  ProcessCell& where = g_process_cells[number];
  task.cell = &where.cell;
  task.rec = nullptr;
  task.slot = kNoSlot;
  task.identity.pid = g_pid;
  task.identity.tid = static_cast<i32>(sys::call(SYS_gettid));
  const ProcessId process = own_process();
  task.identity.start_time = process.start_time;
  task.identity.pid_namespace = process.pid_namespace;
  task.identity.image = g_image;
  // A child of vfork(2) was noted for the first cell alone.
  where.addresses.is_shared |= g_process_cells[0].addresses.is_shared;
  task.addresses = &where.addresses;
  task.folder = where.place.folder.text;
  task.mqueue_folder = where.mqueue_folder;
  task.critical = 0;
  task.deferred = 0;
  task.wait_frame = nullptr;
  task.lock_depth = 0;
  task.dead_seen = kNoSlot;
  task.buried_pid = 0;
  task.fault_host = &fault_host();
  task.thread_number = next_thread_number();
  task.watch = nullptr;
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

// Room for a task in a second cell. It stays the thread's for life; that of a thread that has ended
// serves again. Beside the task stands whose it is.
struct TaskRoom {
  Task task;
  TaskRoom* next;
  i32 tid;
  u32 generation;
};
TaskRoom* g_task_rooms;  // with the process's lock held
constinit const Task g_fresh_task;

// One of the calling thread's own is free if it does not use it.
bool is_free(const TaskRoom& room, const ThreadState& state, u32 generation) {
  for (const ThreadTask& used : state.tasks) {
    if (used.task == &room.task) return false;
  }
  return room.generation != generation || room.tid == sys::call(SYS_gettid) ||
         sys::call(SYS_tgkill, g_pid, room.tid, 0) == -ESRCH;
}

Task* make_task_room(const ThreadState& state, u32 generation) {
  TaskRoom* room = g_task_rooms;
  while (room != nullptr && !is_free(*room, state, generation)) room = room->next;
  if (room == nullptr) {
    const long made = sys::map(0, align_up(sizeof(TaskRoom), kPage), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS);
    if (sys::is_error(made)) return nullptr;
    room = reinterpret_cast<TaskRoom*>(made);
    memcpy(static_cast<void*>(&room->task), &g_fresh_task, sizeof g_fresh_task);
    room->next = g_task_rooms;
    g_task_rooms = room;
  }
  room->tid = static_cast<i32>(sys::call(SYS_gettid));
  room->generation = generation;
  return &room->task;
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

// The thread's task in that cell, claimed if it has none. nullptr: the reason was said.
Task* claim_in(ThreadState& state, u32 number, u32 generation) {
  ThreadTask& mine = state.tasks[number];
  if (mine.generation == generation) return mine.task;
  if (mine.task == nullptr) {
    bool is_first_taken = false;
    for (const ThreadTask& other : state.tasks) is_first_taken |= other.task == &state.first;
    lock_attach();
    mine.task = is_first_taken ? make_task_room(state, generation) : &state.first;
    unlock_attach();
  }
  if (mine.task == nullptr || !claim(state, *mine.task, number)) return nullptr;
  mine.generation = generation;
  return mine.task;
}

IPCELL_COLD Task* attach_thread() {
  WithoutSignals blocked;
  ThreadState& state = t_state;
  if (!prepare_locked()) {
    say_complaint();
    return nullptr;
  }
  const u32 generation = load_relaxed(*g_generation);
  // In a forked child the rooms are anybody's.
  for (ThreadTask& old : state.tasks) {
    if (old.generation != generation) old.task = nullptr;
  }
  if (state.home == kNoCell) state.home = load_acquire(g_home);
  Task* const task = claim_in(state, state.home, generation);
  if (task == nullptr) return nullptr;
  read_credentials(state);
  remove_faults_of_dead(*task);
  hide_in(&blocked.mask());
  state.current = task;
  state.number = state.home;
  state.generation = generation;
  return task;
}

}  // namespace

Task* current_task() {
  ThreadState& state = t_state;
  const u32 generation = load_relaxed(*g_generation);
  if (generation == 0 || state.generation != generation) [[unlikely]]
    return attach_thread();
  if (state.cred_version != load_relaxed(g_cred_version)) [[unlikely]]
    read_credentials(state);
  return state.current;
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

// A program that was started in a namespace is in it, though it may never make an IPC call.
static void keep_first_namespace() {
  CellPlace place;
  if (starts_with(settings().cell_name, kNamespacePrefix) && place_by_settings(&place))
    keep_namespace(place, &g_process_cells[0].keeper);
}

// After read_settings(). No other thread is there to change the environment meanwhile.
__attribute__((constructor)) void join_after_exec() {
  keep_first_namespace();
  meet_low_numbers();
  if (has_faults_in_environment()) {
    Task* const task = current_task();
    if (task != nullptr) add_faults_of_environment(*task);
  }
  const char* pid = getenv(kJoinVariable);
  if (pid == nullptr) return;
  const bool is_ours = atoi(pid) == sys::call(SYS_getpid);
  unsetenv(kJoinVariable);
  // The program before may have been registered for a notification, which the descriptors that it
  // kept may have kept as well.
  if (is_ours && current_task() != nullptr) note_registration();
}

Task* task_if_any() {
  ThreadState& state = t_state;
  const u32 generation = load_relaxed(*g_generation);
  return generation != 0 && state.generation == generation ? state.current : nullptr;
}

int mqueue_folder() {
  ProcessCell& known = current_cell();
  if (known.mqueue_folder >= 0 && !is_mqueue_folder_there(known)) known.mqueue_folder = -1;
  return known.mqueue_folder;
}

u32 current_cell_number() {
  const ThreadState& state = t_state;
  if (task_if_any() != nullptr) return state.number;
  return state.home != kNoCell ? state.home : load_acquire(g_home);
}

ProcessCell& current_cell() {
  const u32 number = current_cell_number();
  return g_process_cells[number != kNoCell ? number : 0];
}

Cell* cell_if_any() { return load_acquire(g_known_cells) != 0 ? &current_cell().cell : nullptr; }

bool has_cell() {
  const WithoutSignals blocked;
  const bool is_there = prepare_locked();
  if (!is_there) say_complaint();
  return is_there;
}

bool find_cell_place(CellPlace* place) {
  if (load_acquire(g_known_cells) == 0) return place_by_settings(place);
  memcpy(place, &current_cell().place, sizeof *place);
  return true;
}

u32& word_of_this_process() { return g_generation[1]; }

void map_cell_early() {
  if (g_has_failed || is_borrowed_memory()) return;
  const WithoutSignals blocked;
  // In a forked child, too, where the locks may be those of threads that it does not have.
  if (!prepare_locked()) return;
  for_each_cell([](u32, ProcessCell& known) {
    known.addresses.lock(static_cast<u32>(sys::call(SYS_gettid)));
    known.addresses.file.open_windows();
    known.addresses.unlock();
    keep_mqueue_folder(known);
  });
}

bool open_windows_anyhow() {
  const WithoutSignals blocked;
  SegmentFile& file = current_cell().addresses.file;
  if (file.has_windows() || !has_no_descriptor_left()) return false;
  return run_with_descriptors([&] { file.open_windows(); });
}

void shrink_mappings() {
  if (load_acquire(g_known_cells) == 0 || is_borrowed_memory()) return;
  const WithoutSignals blocked;
  if (!prepare_locked()) return;
  for_each_cell([](u32, ProcessCell& known) {
    known.addresses.lock(static_cast<u32>(sys::call(SYS_gettid)));
    known.addresses.file.close_windows();
    known.addresses.unlock();
  });
}

void forget_credentials() { __atomic_fetch_add(&g_cred_version, 1, __ATOMIC_ACQ_REL); }

void be_undo_apart() { t_state.apart_pid = static_cast<i32>(sys::call(SYS_getpid)); }

// The task is left to be reaped, as that of a thread that has died; the thread takes another one.
void recover_from_borrower(i32 child) {
  ThreadState& state = t_state;
  const u32 generation = load_relaxed(*g_generation);
  if (generation == 0) return;
  const u32 own = static_cast<u32>(sys::call(SYS_gettid));
  for_each_cell([&](u32 number, ProcessCell& known) {
    for (const u32 tid : {own, static_cast<u32>(child)}) {
      if (known.addresses.is_locked_by(tid)) known.addresses.unlock();
    }
    ThreadTask& mine = state.tasks[number];
    if (mine.task == nullptr || mine.generation != generation) return;
    if (mine.task->critical == 0 && mine.task->wait_frame == nullptr) return;
    const WithoutSignals blocked;
    if (mine.task->rec != nullptr) drop_token(mine.task->rec->token);
    mine.generation = 0;
    state.generation = 0;
    mine.task->critical = 0;
    mine.task->deferred = 0;
  });
}

bool is_borrowed_memory() {
  const u32 generation = load_relaxed(*g_generation);
  return generation != 0 && static_cast<i32>(sys::call(SYS_getpid)) != g_pid;
}

// ------------------------------------------------------------------------ several cells

void InCell::enter(u32 number) {
  ThreadState& state = t_state;
  if (current_task() == nullptr || number == state.number || !is_known_cell(number)) return;
  const WithoutSignals blocked;
  Task* const task = claim_in(state, number, state.generation);
  if (task == nullptr) return;
  has_entered_ = true;
  before_ = state.number != state.home ? state.number : kNoCell;
  state.current = task;
  state.number = number;
}

void InCell::leave() {
  const WithoutSignals blocked;
  go_to_cell(before_);
}

u32 go_to_cell(u32 number) {
  ThreadState& state = t_state;
  const u32 before = task_if_any() != nullptr ? state.number : kNoCell;
  if (number == kNoCell) number = state.home;
  if (before == kNoCell || before == number) return before;
  const ThreadTask& there = state.tasks[number];
  if (there.task == nullptr || there.generation != state.generation) return before;
  state.current = there.task;
  state.number = number;
  return before;
}

u32 open_cell(const CellPlace& place, CellStatus* status) {
  const WithoutSignals blocked;
  *status = {};
  u32 number = find_known_cell(place);
  if (number != kNoCell) return number;
  Cell opened;
  *status = Cell::open(place.file.text, cell_options(), &opened);
  if (!status->ok()) return kNoCell;
  u64 keeper = 0;
  if (is_namespace(place) && keep_namespace(place, &keeper) == -ENOENT) {
    opened.close();
    status->fault = CellFault::NotFound;
    return kNoCell;
  }
  show_namespace();
  number = adopt_cell(place, opened, keeper);
  if (number != kNoCell) return number;
  opened.close();
  let_go_of_namespace(&keeper);
  return kNoCell;
}

u32 adopt_cell(const CellPlace& place, Cell& opened, u64 keeper) {
  const WithoutSignals blocked;
  lock_attach();
  const u32 number = free_cell_number();
  if (number != kNoCell) {
    ProcessCell& entered = g_process_cells[number];
    memcpy(&entered.place, &place, sizeof place);
    entered.cell = opened;
    entered.keeper = keeper;
    entered.addresses.reset_lock();
    watch_faults_of_many();
    enter_cell(number);
  }
  unlock_attach();
  return number;
}

u32 home_of_thread() {
  const u32 home = t_state.home;
  return home != kNoCell ? home : load_acquire(g_home);
}

u32 home_of_main_thread() { return load_acquire(g_main_home); }
u32 home_of_new_threads() { return load_acquire(g_home); }

bool has_moved() { return g_has_moved; }

void move_home(u32 number, bool is_alone) {
  ThreadState& state = t_state;
  g_has_moved = true;
  const WithoutSignals blocked;
  state.home = number;
  state.generation = 0;
  if (is_alone) store_release(g_home, number);
  if (is_alone || sys::call(SYS_gettid) == sys::call(SYS_getpid))
    store_release(g_main_home, number);
}

// qemu-user says that it wipes pages, and does not.
static void wipe_generation() {
  if (load_relaxed(*g_generation) == 0) return;
  store_relaxed(word_of_this_process(), 0u);
  store_relaxed(*g_generation, 0u);
}

void be_main_thread() {
  wipe_generation();
  if (t_state.home == kNoCell) return;
  store_release(g_home, t_state.home);
  store_release(g_main_home, t_state.home);
}

static bool is_registered_in(u32 number) {
  if (!may_be_registered()) return false;
  const InCell in(number);
  Task* const task = current_task();
  return task != nullptr && sys_mq_is_registered(*task);
}

void leave_cell(u32 number) {
  // What a handler interrupts goes on there.
  if (is_in_handler()) return;
  ThreadTask& mine = t_state.tasks[number];
  const WithoutSignals blocked;
  const AddressMap& addresses = g_process_cells[number].addresses;
  // A child in the same memory is no thread of this process.
  if (addresses.is_lent != 0 || g_process_cells[0].addresses.is_lent != 0) return;
  if (!addresses.is_empty() || knows_descriptor_in(number) || is_registered_in(number)) {
    return;
  }
  if (mine.task != nullptr && mine.generation == load_relaxed(*g_generation)) {
    const Critical critical(*mine.task);
    release_task(*mine.task);
  }
  mine.generation = 0;
  unmap_cell(number);
}

void unmap_cell(u32 number) {
  const WithoutSignals blocked;
  lock_attach();
  close_cell(number);
  unlock_attach();
}

}  // namespace ipcell
