// The file behind a message queue's descriptors: a named pipe in the cell's folder. The kernel
// keeps count of who has it open, wakes who polls it, and does dup(2), fork(2), SCM_RIGHTS and
// close(2).
//
// Every descriptor is open for reading and writing, does not block and is in packet mode: 0, 1 or 2
// bytes ("tokens") in a pipe of two packets show POLLOUT, POLLIN | POLLOUT, POLLIN. What the
// program believes of the open file (its access mode, O_NONBLOCK) stands where the kernel keeps it
// with the open file and nobody else uses it: in the number of F_SETSIG.
#pragma once

#include "core/cell/task.h"

namespace ipcell {

struct MqueueRec;

// The kernel sets its O_LARGEFILE for each open(2), and libc's is 0 where files are large anyway.
#ifdef __aarch64__
constexpr int kLargeFile = 0400000;
#else
constexpr int kLargeFile = 0100000;
#endif

// What the program is told of an open file.
struct MqueueMode {
  u32 access;  // O_RDONLY, O_WRONLY, O_RDWR, or 3: neither
  bool is_nonblocking;
  bool shows_cloexec;  // O_CLOEXEC was among the flags; F_GETFL tells it
  bool shows_large;    // the same of kLargeFile: opened by path. Not both

  bool may_read() const { return access == 0 || access == 2; }
  bool may_write() const { return access == 1 || access == 2; }
};

// Reads it of a descriptor: false if it is none of a queue's.
bool read_mqueue_mode(int fd, MqueueMode* mode);
// 0 or -errno.
int write_mqueue_mode(int fd, const MqueueMode& mode);

// Where a queue's pipe is: a folder's descriptor and a path from there.
class MqueuePath {
 public:
  MqueuePath(const Task& task, u64 serial);
  // A path that leads to an open descriptor of it.
  explicit MqueuePath(const char* link);
  MqueuePath(const MqueuePath&) = delete;
  MqueuePath& operator=(const MqueuePath&) = delete;
  long folder() const { return folder_; }
  const char* text() const { return path_; }

 private:
  long folder_;
  const char* path_;
  char text_[480];
};
// Makes the folder of the pipes. 0 or -errno.
int make_mqueue_folder(const Task& task);

// Makes the pipe of a new queue. `*mode` loses the bits of the program's umask. 0 or -errno;
// -EEXIST: another has that number.
int make_mqueue_file(const Task& task, u64 serial, u32* mode);
struct MqueueOpening {
  int flags;            // the program's
  bool closes_on_exec;  // FD_CLOEXEC, whatever they say
  u64 inode;            // of the pipe that it has to be; 0: any
};
// Opens a pipe: a descriptor or -errno. `*is_fresh`: no other was open, as far as its size tells.
long open_mqueue_file(const MqueuePath& path, const MqueueOpening& opening, bool* is_fresh);
void remove_mqueue_file(const Task& task, u64 serial);
// The inode number of what is there, 0 if nothing is.
u64 mqueue_file_inode(const Task& task, u64 serial);
// True if no descriptor is open on the pipe anywhere. False if there is no pipe.
bool is_mqueue_file_closed(const Task& task, u64 serial);
// The inode number of the queue that `fd` is open on, 0 if it is none of this cell's.
u64 mqueue_inode_of(const Task& task, int fd);
// The same of what a path leads to, symbolic links followed.
u64 mqueue_inode_at(const Task& task, int folder, const char* path);

// --- what poll(2) sees; the queue is locked, and `fd` open on its pipe

constexpr u32 kTokensEmpty = 0, kTokensSome = 1, kTokensFull = 2;

// Shows what the queue holds now, whatever is in the pipe.
void show_mqueue(const MqueueRec& queue, int fd);
// Shows that more is possible than was: before the commit that makes it so.
void show_mqueue_before(MqueueRec& queue, int fd, u32 messages);
// Shows what is not possible any more: after the commit, when there were `messages` before it.
// Wakes those who want edges.
void show_mqueue_after(MqueueRec& queue, int fd, u32 messages);

}  // namespace ipcell
