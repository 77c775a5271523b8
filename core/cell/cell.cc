#include "core/cell/cell.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/cell/cell_dir.h"
#include "core/cell/process.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ipcell {

namespace {

CellStatus fault(CellFault what, long error = 0) { return {what, static_cast<int>(error)}; }

#if defined(__i386__)
using KernelStat = struct stat64;
constexpr long kSysFstat = SYS_fstat64;
#else
using KernelStat = struct stat;
constexpr long kSysFstat = SYS_fstat;
#endif

long open_file(const char* path, int flags, u32 mode) {
  return sys::call(SYS_openat, AT_FDCWD, sys::arg(path),
                   flags | O_CLOEXEC | O_NOFOLLOW | sys::kLargeFile, mode);
}

long set_size(long fd, u64 size) {
#if defined(__i386__)
  return sys::call(SYS_ftruncate64, fd, static_cast<long>(size), static_cast<long>(size >> 32));
#else
  return sys::call(SYS_ftruncate, fd, static_cast<long>(size));
#endif
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The kernel's name of this boot; zeros where /proc is not there, which match each other only.
void read_boot_id(u8 (&id)[16]) {
  __builtin_memset(id, 0, sizeof id);
  char text[64];
  const Descriptor file(open_file("/proc/sys/kernel/random/boot_id", O_RDONLY, 0));
  if (file.fd() < 0) return;
  const long size = sys::call(SYS_read, file.fd(), sys::arg(text), sizeof text);
  u32 digits = 0;
  for (long n = 0; n < size && digits < 32; ++n) {
    const int digit = hex_digit(text[n]);
    if (digit < 0) continue;
    id[digits / 2] = static_cast<u8>(id[digits / 2] << 4 | digit);
    ++digits;
  }
}

bool is_zero(const u8 (&id)[16]) {
  for (u8 byte : id) {
    if (byte != 0) return false;
  }
  return true;
}

i64 now_seconds() {
  struct timespec now;
  sys::call(SYS_clock_gettime, CLOCK_REALTIME, sys::arg(&now));
  return now.tv_sec;
}

// Behind the mapping nothing is mapped: a text of the last block that claims to be longer than the
// heap meets a fault, not the program's memory.
constexpr u64 kGuardSize = 64 * 1024;

CellStatus map_file(long fd, u8** base) {
  const long address =
      sys::map(0, kMappedSize + kGuardSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  if (sys::is_error(address)) return fault(CellFault::AddressSpace, address);
  const long mapped = sys::map(static_cast<unsigned long>(address), kMappedSize, PROT_NONE,
                               MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd);
  if (sys::is_error(mapped)) {
    sys::call(SYS_munmap, address, static_cast<long>(kMappedSize + kGuardSize));
    return fault(mapped == -ENOMEM ? CellFault::AddressSpace : CellFault::System, mapped);
  }
  // After mlockall(MCL_FUTURE) it is locked, and would be filled as soon as it can be read.
  sys::call(SYS_munlock, address, static_cast<long>(kMappedSize));
  const long error =
      sys::call(SYS_mprotect, address, static_cast<long>(kMappedSize), PROT_READ | PROT_WRITE);
  if (error != 0) {
    sys::call(SYS_munmap, address, static_cast<long>(kMappedSize + kGuardSize));
    return fault(CellFault::System, error);
  }
  *base = reinterpret_cast<u8*>(address);
  // A core dump of a program need not hold the cell.
  sys::call(SYS_madvise, address, static_cast<long>(kMappedSize), MADV_DONTDUMP);
  return {};
}

CellStatus check_file(const KernelStat& file, const Cell::Options& options) {
  if (!S_ISREG(file.st_mode)) return fault(CellFault::NotRegular);
  if (!options.shared) {
    if (file.st_uid != static_cast<u32>(sys::call(sys::kGeteuid)))
      return fault(CellFault::ForeignOwner);
    if ((file.st_mode & 07177) != 0) return fault(CellFault::UnsafeMode);
  }
  return {};
}

CellStatus check_header(const Header& header, const KernelStat& file,
                        const Cell::Options& options) {
  if (__builtin_memcmp(header.magic, kMagic, sizeof kMagic) != 0) return fault(CellFault::NotACell);
  if (header.version != kLayoutVersion || header.signature != options.signature) {
    return fault(CellFault::OtherVersion);
  }
  if (header.segment_pages > kSegmentPages ||
      header.file_size != kCellSize + header.segment_pages * kPage ||
      static_cast<u64>(file.st_size) != header.file_size) {
    return fault(CellFault::WrongSize);
  }
  u8 boot_id[16];
  read_boot_id(boot_id);
  if (!is_zero(boot_id) && !is_zero(header.boot_id) &&
      __builtin_memcmp(header.boot_id, boot_id, sizeof boot_id) != 0) {
    return fault(CellFault::OtherBoot);
  }
  return {};
}

void init_registry(Registry& registry) {
  registry.last_idx = -1;
  registry.max_idx = -1;
  registry.next_id = -1;
}

// Linux: include/uapi/linux/msg.h, sem.h, shm.h
void init_limits(Limits& limits) {
  limits.msgmax = 8192;
  limits.msgmnb = 16384;
  limits.msgmni = 32000;
  limits.semmsl = 32000;
  limits.semmns = 1024000000;
  limits.semopm = 500;
  limits.semmni = 32000;
  limits.shmmni = 4096;
  limits.mq_queues_max = 256;
  limits.mq_msg_max = limits.mq_msg_default = 10;
  limits.mq_msgsize_max = limits.mq_msgsize_default = 8192;
  // As a 64-bit kernel has it, whoever makes the cell.
  limits.shmmax = limits.shmall = ~0ull - (1ull << 24);
}

CellStatus init_cell(Cell& cell, const Cell::Options& options, u64 segment_pages) {
  CellLayout& layout = cell.layout();
  // The fixed parts that every operation uses. The bitmap of backed pages backs itself first.
  if (cell.populate(0, sizeof(Header) + kPage + sizeof(TablePages)))
    return fault(CellFault::NoRoom, -ENOSPC);
  int error = cell.ensure(&layout.header, sizeof layout.header);
  if (error == 0) error = cell.ensure(&layout.heap, sizeof layout.heap);
  for (Registry& registry : layout.registries) {
    // Entries are ensured as indexes are given out.
    if (error == 0) error = cell.ensure(&registry, offsetof(Registry, entries));
  }
  if (error == 0) error = cell.ensure(&layout.processes, sizeof layout.processes);
  if (error == 0) error = cell.ensure(&layout.mqueues, offsetof(MqueueTable, names));
  if (error == 0) error = cell.ensure(&layout.segment_space, sizeof layout.segment_space);
  if (error == 0) error = cell.ensure(layout.task_states, kPage);
  // Where there is no room for a further task, one can still come in by these to bury the dead.
  const u32 reserved = kTaskSlots - kReservedSlots;
  if (error == 0)
    error = cell.ensure(&layout.task_states[reserved], kReadySlots * sizeof layout.task_states[0]);
  if (error == 0)
    error = cell.ensure(&layout.tasks[reserved], kReadySlots * sizeof layout.tasks[0]);
  if (error != 0) return fault(CellFault::NoRoom, error);

  for (Registry& registry : layout.registries) init_registry(registry);
  Header& header = layout.header;
  init_limits(header.limits);
  header.version = kLayoutVersion;
  header.mode = options.mode;
  header.signature = options.signature;
  header.file_size = kCellSize + segment_pages * kPage;
  header.segment_pages = segment_pages;
  header.created = static_cast<u64>(now_seconds());
  header.transient = options.transient ? 1 : 0;
  header.user_namespace = own_user_namespace();
  header.pid_namespace = own_pid_namespace();
  read_boot_id(header.boot_id);
  __builtin_memcpy(header.magic, kMagic, sizeof kMagic);
  return {};
}

// `path` with `.PID-TID-RANDOM` behind it, in the same folder.
bool temporary_name(const char* path, char (&name)[512]) {
  const std::size_t length = __builtin_strlen(path);
  if (length + 64 > sizeof name) return false;
  __builtin_memcpy(name, path, length);
  char* end = name + length;
  u64 number =
      static_cast<u64>(sys::call(SYS_getpid)) << 32 | static_cast<u64>(sys::call(SYS_gettid));
  unsigned random = 0;
  sys::call(SYS_getrandom, sys::arg(&random), sizeof random, 0);
  number ^= static_cast<u64>(random) << 16;
  *end++ = '.';
  for (int n = 0; n < 16; ++n) *end++ = "0123456789abcdef"[(number >> (4 * n)) & 15];
  *end = '\0';
  return true;
}

// Bytes that a file may have: beyond RLIMIT_FSIZE the program would be ended by SIGXFSZ.
u64 allowed_size() { return sys::soft_limit(RLIMIT_FSIZE, ~0ull); }

// Gives the fresh file its size, with as many pages for segments as may be; 0 or -errno.
long size_file(long fd, u64* segment_pages) {
  const u64 allowed = allowed_size();
  long error = 0;
  for (u64 pages = kSegmentPages;; pages /= 2) {
    const u64 size = kCellSize + pages * kPage;
    if (size <= allowed) {
      *segment_pages = pages;
      error = set_size(fd, size);
      if (error != -EFBIG && error != -EINVAL) return error;
    }
    if (pages == 0) return error;
  }
}

CellFault fault_of(long error) {
  if (error == -ENOSPC || error == -EDQUOT || error == -ENOMEM) return CellFault::NoRoom;
  if (error == -ENOENT) return CellFault::NotFound;
  return CellFault::System;
}

// Makes and fills a file under a temporary name, then gives it its name in one step: nobody ever
// sees half a cell. `replace` takes the place of an old file.
CellStatus create(const char* path, const Cell::Options& options, bool replace) {
  if (allowed_size() < kCellSize) return fault(CellFault::FileSizeLimit);
  char name[512];
  if (!temporary_name(path, name)) return fault(CellFault::System, -ENAMETOOLONG);
  const Descriptor file(open_file(name, O_RDWR | O_CREAT | O_EXCL, options.mode));
  if (file.fd() < 0) return fault(fault_of(file.fd()), file.fd());
  CellStatus status;
  // The umask does not decide who may use a cell.
  sys::call(SYS_fchmod, file.fd(), options.mode);
  u64 segment_pages = 0;
  if (const long error = size_file(file.fd(), &segment_pages))
    status = fault(fault_of(error), error);
  Cell cell;
  if (status.ok()) {
    u8* base = nullptr;
    status = map_file(file.fd(), &base);
    if (status.ok()) {
      cell.adopt_mapping(base);
      status = init_cell(cell, options, segment_pages);
      cell.close();
    }
  }
  if (status.ok()) {
    const long error =
        replace ? sys::call(SYS_renameat2, AT_FDCWD, sys::arg(name), AT_FDCWD, sys::arg(path), 0)
                : sys::call(SYS_linkat, AT_FDCWD, sys::arg(name), AT_FDCWD, sys::arg(path), 0);
    // Another process was faster: its cell is the one.
    if (error != 0 && error != -EEXIST) status = fault(fault_of(error), error);
  }
  sys::call(SYS_unlinkat, AT_FDCWD, sys::arg(name), 0);
  return status;
}

}  // namespace

const char* CellStatus::describe() const {
  switch (fault) {
    case CellFault::None: return "no error";
    case CellFault::NotFound:
      return "there is no such cell; `ipcell ls` lists those that are there";
    case CellFault::NotRegular: return "it is not a regular file; remove what is in its place";
    case CellFault::ForeignOwner:
      return "it belongs to another user; `ipcell run --mode 0666` makes a shared cell";
    case CellFault::UnsafeMode:
      return "others may write to it; chmod it to 0600, or remove it with `ipcell rm`";
    case CellFault::WrongSize:
      return "its size is not a cell's, it was cut off or grown; remove it with `ipcell rm`";
    case CellFault::NotACell:
      return "it is not a cell: its first bytes are not a cell's; remove it with `ipcell rm`";
    case CellFault::OtherVersion:
      return "it was made by another version of ipcell; remove it with `ipcell rm`";
    case CellFault::OtherBoot:
      return "it is from before the last reboot; remove it with `ipcell rm`";
    case CellFault::NoRoom:
      return "its filesystem is full; free some room, or set IPCELL_DIR to another folder";
    case CellFault::FileSizeLimit:
      return "RLIMIT_FSIZE (ulimit -f) is below a cell's size, which is sparse; raise it";
    case CellFault::AddressSpace:
      return "there is no address space for it; raise RLIMIT_AS (ulimit -v)";
    case CellFault::System: return "a system call failed";
  }
  return "unknown";
}

CellStatus Cell::open(const char* path, const Options& options, Cell* cell) {
  const Descriptor file(open_file(path, O_RDWR | O_NONBLOCK, 0));
  // A symbolic link, a folder, a socket.
  if (file.fd() == -ELOOP || file.fd() == -EISDIR || file.fd() == -ENXIO) {
    return ipcell::fault(CellFault::NotRegular);
  }
  if (file.fd() < 0) return ipcell::fault(fault_of(file.fd()), file.fd());
  KernelStat info;
  if (const long error = sys::call(kSysFstat, file.fd(), sys::arg(&info)))
    return ipcell::fault(CellFault::System, error);
  CellStatus status = check_file(info, options);
  if (!status.ok()) return status;
  // Read, not mapped: a file that was cut off must not be touched.
  Header header;
  const long size = sys::call(SYS_pread64, file.fd(), sys::arg(&header), sizeof header, 0);
  if (size < 0) return ipcell::fault(CellFault::System, size);
  if (size != sizeof header) return ipcell::fault(CellFault::NotACell);
  status = check_header(header, info, options);
  if (!status.ok()) return status;
  u8* base = nullptr;
  status = map_file(file.fd(), &base);
  if (!status.ok()) return status;
  cell->adopt_mapping(base);
  cell->device_ = info.st_dev;
  cell->owner_ = info.st_uid;
  cell->inode_ = info.st_ino;
  return {};
}

CellStatus Cell::open_or_create(const char* path, const Options& options, Cell* cell) {
  CellStatus status = open(path, options, cell);
  if (status.fault == CellFault::OtherBoot) {
    // Two processes may find the old file at once. Who has its lock and finds it still in its place
    // replaces it; the other finds the new one.
    const Descriptor old(open_file(path, O_RDWR | O_NONBLOCK, 0));
    if (old.fd() >= 0) sys::call(SYS_flock, old.fd(), LOCK_EX);
    status = open(path, options, cell);
    if (status.fault == CellFault::OtherBoot) {
      // Who has a new cell has none of the names that outlived the reboot, nor their locks.
      remove_inner_folders(path);
      status = create(path, options, true);
      if (status.ok()) status = open(path, options, cell);
    }
  }
  if (status.fault == CellFault::NotFound) {
    status = create(path, options, false);
    if (status.ok()) status = open(path, options, cell);
  }
  return status;
}

void Cell::close() {
  if (base_ != nullptr)
    sys::call(SYS_munmap, sys::arg(base_), static_cast<long>(kMappedSize + kGuardSize));
  parts_.unmap();
  base_ = nullptr;
}

int Cell::populate(u64 offset, u64 size) const {
  u8* start = address_of(offset / kPage * kPage);
  if (start == nullptr) return -ENOMEM;
  const u64 length = align_up(offset + size, kPage) - offset / kPage * kPage;
  const long error =
      sys::call(SYS_madvise, sys::arg(start), static_cast<long>(length), MADV_POPULATE_WRITE);
  if (error == 0) return 0;
  if (error != -EINVAL) return -ENOMEM;
  // Before Linux 5.14: a system call that adds 0 to a word of each page faults it in for writing,
  // changes nothing, and answers EFAULT where the page's own first touch would be a SIGBUS.
  for (u64 page = 0; page < length; page += kPage) {
    const long word = sys::arg(start + page);
    const long add_zero = static_cast<long>(FUTEX_OP_ADD) << 28;
    if (sys::call(SYS_futex, word, FUTEX_WAKE_OP, 0, 0, word, add_zero) < 0) return -ENOMEM;
  }
  return 0;
}

int Cell::ensure(const void* address, u64 size) const {
  const u64 first = offset_of(address) / kPage;
  const u64 last = (offset_of(address) + size - 1) / kPage;
  auto& has_memory = layout().table_pages.has_memory;
  for (u64 page = first; page <= last; ++page) {
    const u64 bit = 1ull << (page % 64);
    if ((load_acquire(has_memory[page / 64]) & bit) != 0) continue;
    if (const int error = populate(page * kPage, kPage)) return error;
    // A hint that only grows and may be lost or set twice: no part of any transaction.
    __atomic_fetch_or(&has_memory[page / 64], bit, __ATOMIC_ACQ_REL);
  }
  return 0;
}

int Cell::poison(const char* reason) const {
  // What can't be reached is not damaged for others.
  if (!kMapsWholeCell && parts_.is_cut_off()) return -EIO;
  if (exchange(header().poisoned, 1u) == 0) {
    const std::size_t length = __builtin_strlen(reason);
    const std::size_t kept =
        length < sizeof(Header::poison_reason) - 1 ? length : sizeof(Header::poison_reason) - 1;
    __builtin_memcpy(header().poison_reason, reason, kept);
    const char* parts[] = {"ipcell: this cell is damaged and refuses further calls: ", reason,
                           "\n"};
    for (const char* part : parts)
      sys::call(SYS_write, 2, sys::arg(part), static_cast<long>(__builtin_strlen(part)));
  }
#ifdef IPCELL_DEBUG
  __builtin_trap();
#endif
  return -EIO;
}

Header read_header(const char* path) {
  Header header = {};
  const Descriptor file(open_file(path, O_RDONLY | O_NONBLOCK, 0));
  const long size = sys::call(SYS_pread64, file.fd(), sys::arg(&header), sizeof header, 0);
  return size == sizeof header ? header : Header{};
}

}  // namespace ipcell
