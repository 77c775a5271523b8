// mmap(2), munmap(2) and their like: the kernel counts mappings, so calls that meet attachments go
// to the core. All others are the bare system calls, also for allocators that run before libc can
// look anything up.
// The names with and without 64 are both defined here.
#undef _FILE_OFFSET_BITS

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>

#include "core/base/sys.h"
#include "interpose/errno.h"
#include "interpose/memory.h"
#include "interpose/process.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

#ifndef SYS_mlock2
#define SYS_mlock2 325
#endif

namespace ipcell {

namespace {

u64 number_of(long word) { return static_cast<unsigned long>(word); }

// What madvise(2) does to a mapping's flags. Linux: mm/madvise.c:madvise_vma_behavior()
PieceFlags flags_of_advice(long advice) {
  switch (advice) {
    case MADV_NORMAL: return {kPieceSequential | kPieceRandom, 0};
    case MADV_SEQUENTIAL: return {kPieceRandom, kPieceSequential};
    case MADV_RANDOM: return {kPieceSequential, kPieceRandom};
    case MADV_DONTFORK: return {0, kPieceDontFork};
    case MADV_DOFORK: return {kPieceDontFork, 0};
    case MADV_DONTDUMP: return {0, kPieceDontDump};
    case MADV_DODUMP: return {kPieceDontDump, 0};
    case MADV_HUGEPAGE: return {kPieceNoHugePage, kPieceHugePage};
    case MADV_NOHUGEPAGE: return {kPieceHugePage, kPieceNoHugePage};
    default: return {0, 0};
  }
}

constexpr u32 kPieceLocks = kPieceLocked | kPieceLockedOnFault;

// What the call does to flags of the mappings in a range. False if it is none of those.
bool read_flags(long number, long c, PieceFlags* flags) {
  switch (number) {
    case SYS_mprotect:
    case SYS_pkey_mprotect:
      *flags = {kPieceProtection, static_cast<u32>(c) & kPieceProtection};
      return true;
    case SYS_madvise: *flags = flags_of_advice(c); return true;
    case SYS_mlock: *flags = {kPieceLocks, kPieceLocked}; return true;
    case SYS_mlock2: *flags = {kPieceLocks, c != 0 ? kPieceLocks : kPieceLocked}; return true;
    case SYS_munlock: *flags = {kPieceLocks, 0}; return true;
    default: return false;
  }
}

// mlockall(2) and munlockall(2). Of the cell only what the program has attached is locked: all that
// could be in it would be filled with memory.
long lock_all(const SystemCall& call) {
  const bool locks = call.number == SYS_mlockall;
  const bool spares_cell = locks && (call.a & MCL_CURRENT) != 0 && cell_if_any() != nullptr;
  if (spares_cell) shrink_mappings();
  const long result = spares_cell ? lock_all_but_cells(call.a) : call.make();
  if (result != 0) return result;
  const bool on_fault = (call.a & MCL_ONFAULT) != 0;
  const u32 set = locks ? kPieceLocked | (on_fault ? kPieceLockedOnFault : 0u) : 0;
  for_each_cell([&](u32 number, const ProcessCell& known) {
    if (known.addresses.is_empty()) return;
    const InCell in(number);
    if (Task* task = current_task()) sys_note_all_mappings(*task, {kPieceLocks, set});
  });
  return result;
}

bool limits_addresses(long number, long resource) {
  return (number == SYS_setrlimit || number == SYS_prlimit64) && resource == RLIMIT_AS;
}

#if defined(__i386__)
constexpr long kSysMmap = SYS_mmap2;
#else
constexpr long kSysMmap = SYS_mmap;
#endif

RemapCall remap_of(const SystemCall& call) {
  return {number_of(call.a), number_of(call.b), number_of(call.c), static_cast<int>(call.d),
          number_of(call.e)};
}

// The call meets attachments.
long change_attached(Task& task, const SystemCall& call) {
  PieceFlags flags;
  if (read_flags(call.number, call.c, &flags)) return sys_change_mapping(task, call, flags);
  switch (call.number) {
    case SYS_munmap: return sys_munmap(task, number_of(call.a), number_of(call.b));
    case kSysMmap: return sys_mmap_fixed(task, call);
    case SYS_mremap: return sys_mremap(task, remap_of(call));
    default: return call.make();
  }
}

// True if the call may concern something that is attached of that cell.
bool may_change(const ProcessCell& known, const SystemCall& call) {
  const auto meets = [&](long start, long size) {
    return may_be_attached(known, number_of(start), number_of(size));
  };
  PieceFlags flags;
  switch (call.number) {
    case kSysMmap: return (call.d & MAP_FIXED) != 0 && meets(call.a, call.b);
    case SYS_mremap:
      // With an old size of 0 a mapping is duplicated.
      return meets(call.a, 1) || meets(call.a, call.b) ||
             ((call.d & MREMAP_FIXED) != 0 && meets(call.e, call.c));
    case SYS_munmap: return meets(call.a, call.b);
    default: return read_flags(call.number, call.c, &flags) && meets(call.a, call.b);
  }
}

using sys::is_error;

long change_in(u32 number, const SystemCall& call) {
  const InCell in(number);
  Task* task = current_task();
  return task != nullptr ? change_attached(*task, call) : call.make();
}

// What the call has put away, or covered, of other cells' attachments.
struct Cleared {
  u64 start = 0, size = 0;
};
Cleared cleared_by(const SystemCall& call, long result) {
  const u64 address = number_of(result);
  switch (call.number) {
    case SYS_munmap: return {number_of(call.a), number_of(call.b)};
    case kSysMmap: return {address, number_of(call.b)};
    case SYS_mremap:
      return (call.d & MREMAP_FIXED) != 0 ? Cleared{address, number_of(call.c)} : Cleared{};
    default: return {};
  }
}
// What mremap(2) has unmapped of a range that it made smaller.
Cleared cut_off_by(const SystemCall& call) {
  const u64 old_size = align_up(number_of(call.b), kPage);
  const u64 new_size = align_up(number_of(call.c), kPage);
  if (call.number != SYS_mremap || new_size >= old_size) return {};
  return {number_of(call.a) + new_size, old_size - new_size};
}

template <class Visit>
void for_each_of(u32 cells, Visit visit) {
  for (u32 rest = cells; rest != 0; rest &= rest - 1) visit(static_cast<u32>(__builtin_ctz(rest)));
}

// A call that meets attachments of several cells. The mapping is that of the one whose attachment
// comes first, or of none; the others follow. The maps are locked.
long change_locked(u32 cells, const SystemCall& call) {
  u32 main = kNoCell;
  u64 lowest = ~0ull;
  for_each_of(cells, [&](u32 number) {
    const InCell in(number);
    Task* const task = current_task();
    const u64 start = task != nullptr ? sys_first_attached(*task, number_of(call.a)) : ~0ull;
    if (main != kNoCell && start >= lowest) return;
    lowest = start;
    main = number;
  });
  if (const u64 moved = call.number == SYS_mremap ? sys_remap_stop(remap_of(call), lowest) : 0) {
    SystemCall before = call;
    before.b = before.c = static_cast<long>(moved);
    const long result =
        change_mappings(before.number, before.a, before.b, before.c, before.d, before.e, before.f);
    return is_error(result) ? result : -EFAULT;
  }
  const long result = change_in(main, call);
  const Cleared cleared = is_error(result) ? Cleared{} : cleared_by(call, result);
  const Cleared cut_off = is_error(result) ? Cleared{} : cut_off_by(call);
  PieceFlags flags;
  for_each_of(cells, [&](u32 number) {
    const InCell in(number);
    Task* const task = number != main ? current_task() : nullptr;
    if (task != nullptr && cleared.size != 0)
      sys_forget_mapping(*task, cleared.start, cleared.size);
    if (task != nullptr && cut_off.size != 0)
      sys_forget_mapping(*task, cut_off.start, cut_off.size);
    if (task != nullptr && read_flags(call.number, call.c, &flags)) change_attached(*task, call);
  });
  return result;
}

long change_in_several(u32 cells, const SystemCall& call) {
  const u32 tid = static_cast<u32>(sys::call(SYS_gettid));
  for_each_of(cells, [&](u32 number) { g_process_cells[number].addresses.lock(tid); });
  const long result = change_locked(cells, call);
  for_each_of(cells, [&](u32 number) { g_process_cells[number].addresses.unlock(); });
  return result;
}

}  // namespace

static void* to_pointer(long result) {
  return reinterpret_cast<void*>(is_error(result) ? to_libc(result) : result);
}

// SHM_REMAP may have covered what is attached of other cells.
static void forget_covered(u64 address) {
  Task* const task = current_task();
  const u64 size = task != nullptr ? sys_attached_size(*task, address) : 0;
  const u32 here = current_cell_number();
  for_each_cell([&](u32 number, const ProcessCell& known) {
    if (number == here || !may_be_attached(known, address, size)) return;
    const InCell in(number);
    if (Task* const other = current_task()) sys_forget_mapping(*other, address, size);
  });
}

void* attach_segment(int id, const void* address, int flags) {
  Task* task = current_task();
  long result = task != nullptr ? sys_shmat(*task, id, address, flags) : -ENOSYS;
  if (result == -ENOMEM && open_windows_anyhow()) result = sys_shmat(*task, id, address, flags);
  if (!is_error(result) && (flags & SHM_REMAP) != 0 && has_several_cells())
    forget_covered(number_of(result));
  return to_pointer(result);
}

long detach_segment(const void* address) {
  Task* const task = current_task();
  if (task == nullptr) return -ENOSYS;
  if (!has_several_cells()) return sys_shmdt(*task, address);
  // The lowest piece of all that fit names the attachment, of whatever namespace it is.
  u32 owner = kNoCell;
  u64 lowest = ~0ull;
  for_each_cell([&](u32 number, const ProcessCell& known) {
    if (known.addresses.is_empty()) return;
    const InCell in(number);
    const u64 found = sys_shmdt_finds(*current_task(), address);
    if (found >= lowest) return;
    lowest = found;
    owner = number;
  });
  if (owner == kNoCell) return -EINVAL;
  const InCell in(owner);
  return sys_shmdt(*current_task(), address);
}

long change_mappings(long number, long a, long b, long c, long d, long e, long f) {
  const SystemCall call = {number, a, b, c, d, e, f};
  if (number == SYS_mlockall || number == SYS_munlockall) return lock_all(call);
  if (limits_addresses(number, number == SYS_setrlimit ? a : b) &&
      (number == SYS_setrlimit || c != 0)) {
    shrink_mappings();
  }
  u32 cells = 0;
  for_each_cell([&](u32 cell, const ProcessCell& known) {
    if (!known.addresses.is_empty() && may_change(known, call)) cells |= 1u << cell;
  });
  if (cells == 0) [[likely]]
    return call.make();
  if ((cells & (cells - 1)) != 0) return change_in_several(cells, call);
  return change_in(static_cast<u32>(__builtin_ctz(cells)), call);
}

}  // namespace ipcell

using ipcell::change_mappings;
using ipcell::to_libc;
using ipcell::to_pointer;
using ipcell::sys::arg;

namespace {

int change(long number, long a, long b = 0, long c = 0, long d = 0) {
  return static_cast<int>(to_libc(change_mappings(number, a, b, c, d, 0, 0)));
}

long word(size_t size) { return static_cast<long>(size); }

}  // namespace

#if defined(__i386__)
IPCELL_EXPORT void* mmap64(void* address, size_t size, int protection, int flags, int fd,
                           __off64_t offset) noexcept {
  constexpr __off64_t kUnit = 4096;
  if (offset < 0 || offset % kUnit != 0 || offset / kUnit > 0xffffffff) return to_pointer(-EINVAL);
  return to_pointer(change_mappings(SYS_mmap2, arg(address), word(size), protection, flags, fd,
                                    static_cast<long>(offset / kUnit)));
}
#else
IPCELL_EXPORT void* mmap64(void* address, size_t size, int protection, int flags, int fd,
                           __off64_t offset) noexcept {
  return to_pointer(
      change_mappings(SYS_mmap, arg(address), word(size), protection, flags, fd, offset));
}
#endif
IPCELL_EXPORT void* mmap(void* address, size_t size, int protection, int flags, int fd,
                         __off_t offset) noexcept {
#if defined(__i386__)
  // Offsets up to 4 GiB, as libc has it.
  return mmap64(address, size, protection, flags, fd, static_cast<unsigned long>(offset));
#else
  return mmap64(address, size, protection, flags, fd, offset);
#endif
}
IPCELL_EXPORT int munmap(void* address, size_t size) noexcept {
  return change(SYS_munmap, arg(address), word(size));
}
IPCELL_EXPORT void* mremap(void* address, size_t old_size, size_t new_size, int flags,
                           ...) noexcept {
  void* new_address = nullptr;
  if ((flags & MREMAP_FIXED) != 0) {
    va_list rest;
    va_start(rest, flags);
    new_address = va_arg(rest, void*);
    va_end(rest);
  }
  return to_pointer(change_mappings(SYS_mremap, arg(address), word(old_size), word(new_size), flags,
                                    arg(new_address), 0));
}
IPCELL_EXPORT int mprotect(void* address, size_t size, int protection) noexcept {
  return change(SYS_mprotect, arg(address), word(size), protection);
}
IPCELL_EXPORT int pkey_mprotect(void* address, size_t size, int protection, int key) noexcept {
  if (key == -1) return mprotect(address, size, protection);
  return change(SYS_pkey_mprotect, arg(address), word(size), protection, key);
}
IPCELL_EXPORT int madvise(void* address, size_t size, int advice) noexcept {
  return change(SYS_madvise, arg(address), word(size), advice);
}
// As libc has it: the error is the result, and POSIX_MADV_DONTNEED does nothing.
IPCELL_EXPORT int posix_madvise(void* address, size_t size, int advice) noexcept {
  if (advice == POSIX_MADV_DONTNEED) return 0;
  return static_cast<int>(-change_mappings(SYS_madvise, arg(address), word(size), advice, 0, 0, 0));
}
IPCELL_EXPORT int mlock(const void* address, size_t size) noexcept {
  return change(SYS_mlock, arg(address), word(size));
}
IPCELL_EXPORT int mlock2(const void* address, size_t size, unsigned flags) noexcept {
  return change(SYS_mlock2, arg(address), word(size), flags);
}
IPCELL_EXPORT int munlock(const void* address, size_t size) noexcept {
  return change(SYS_munlock, arg(address), word(size));
}
IPCELL_EXPORT int mlockall(int flags) noexcept { return change(SYS_mlockall, flags); }
IPCELL_EXPORT int munlockall() noexcept { return change(SYS_munlockall, 0); }

// A limit of the address space, that our own mappings might be over.

IPCELL_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64* limit) noexcept {
  return change(SYS_prlimit64, 0, resource, arg(limit));
}
IPCELL_EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource,
                            const struct rlimit64* limit, struct rlimit64* old) noexcept {
  return change(SYS_prlimit64, pid, resource, arg(limit), arg(old));
}
#if defined(__LP64__)
IPCELL_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit* limit) noexcept {
  return change(SYS_prlimit64, 0, resource, arg(limit));
}
IPCELL_EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit* limit,
                          struct rlimit* old) noexcept {
  return change(SYS_prlimit64, pid, resource, arg(limit), arg(old));
}
#else
IPCELL_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit* limit) noexcept {
  return change(SYS_setrlimit, resource, arg(limit));
}
IPCELL_EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit* limit,
                          struct rlimit* old) noexcept {
  if (resource == RLIMIT_AS && limit != nullptr) ipcell::shrink_mappings();
  return IPCELL_REAL(prlimit)(pid, resource, limit, old);
}
#endif
