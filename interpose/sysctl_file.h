// Descriptors of sysctls. Each is a sealed memory file with the text as it was at open(2), for
// those that read past libc's functions; these print the text anew, and hand what is written to the
// core. The file's position is the kernel's, so that copies share it, in other processes too.
//
// After exec(2), and where one came from another process, it is known by its F_SETSIG number, and
// then by its name. A write past libc's functions fails with EPERM: the seals see to it.
//
// stdio writes inside of libc. So what stands in a stream's buffer is taken out of it by
// flush_sysctl_stream() before libc would write it, streams that fopen(3) makes are made by
// fopencookie(3), and standard output writes no line by itself while it is a sysctl's.
#pragma once

#include <cerrno>

#include "interpose/descriptors.h"

struct iovec;
struct _IO_FILE;  // FILE

namespace ipcell {

// The number of F_SETSIG; see core/ipc/mqueue_file.cc for those of queues.
constexpr long kSysctlMark = 64;

// A fresh descriptor of the sysctl: marks and remembers it.
void mark_sysctl(int fd, u32 number);
// Finds out by the name whether `fd` is one, opened through /proc/self/fd perhaps. Remembers it.
const DescriptorEntry* find_sysctl_descriptor(int fd);
// After a write that failed: the entry if it was one to a sysctl that wasn't known yet. If it
// was one to a file of /proc/sysvipc, errno is `proc_error` then. Linux:
// fs/proc/inode.c:proc_reg_write()
const DescriptorEntry* unseen_sysctl(int fd, long result, int proc_error = EIO);

// At the file's position, or at one that is given. Bytes or -errno.
constexpr i64 kAtPosition = -1;
long read_sysctl(const DescriptorEntry& entry, const iovec* pieces, int count,
                 i64 offset = kAtPosition);
long read_sysctl(const DescriptorEntry& entry, void* out, std::size_t size,
                 i64 offset = kAtPosition);
long write_sysctl(const DescriptorEntry& entry, const iovec* pieces, int count,
                  i64 offset = kAtPosition);
long write_sysctl(const DescriptorEntry& entry, const void* text, std::size_t size,
                  i64 offset = kAtPosition);
// As libc's own streams do it: until all is written, or nothing more can be. 0 or -errno.
long write_all(const DescriptorEntry& entry, const char* text, std::size_t size);
long seek_sysctl(const DescriptorEntry& entry, i64 offset, int whence);
long truncate_sysctl(const DescriptorEntry& entry, i64 size);

// What fopen(3) makes of a descriptor that may be written to; nullptr and errno.
_IO_FILE* open_sysctl_stream(int fd, const char* mode);
// Writes what stands in the stream's buffer, if it is a sysctl's; nullptr: in standard output's. 0
// or -errno.
long flush_sysctl_stream(_IO_FILE* stream);
// A descriptor has become a sysctl's, or is one no more.
void hold_lines_of(int fd);
void release_lines_of(int fd);

}  // namespace ipcell
