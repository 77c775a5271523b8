// The core's facade: each function is the system call of its name. It takes the system call's
// arguments, the program's own pointers included, and returns >= 0 or -errno.
//
// Each needs a claimed Task (task_table.h) whose `cred` is current.
#pragma once

#include "core/base/sys.h"
#include "core/base/user_time.h"
#include "core/cell/task_table.h"

struct mq_attr;
struct sembuf;
struct sigevent;

namespace ipcell {

// msgget(2). Identifier; -EACCES, -EEXIST, -ENOENT, -ENOMEM, -ENOSPC.
long sys_msgget(Task& task, int key, int flags);
// msgsnd(2). 0; -EACCES, -EAGAIN, -EFAULT, -EIDRM, -EINTR, -EINVAL, -ENOMEM.
long sys_msgsnd(Task& task, int id, const void* message, std::size_t size, int flags);
// msgrcv(2). Bytes of text; -E2BIG, -EACCES, -EFAULT, -EIDRM, -EINTR, -EINVAL, -ENOMSG, -ENOMEM.
long sys_msgrcv(Task& task, int id, void* message, std::size_t size, long type, int flags);
// msgctl(2). `buffer` is a struct msqid_ds or msginfo. As the command says; -EACCES, -EFAULT,
// -EIDRM, -EINVAL, -EPERM.
long sys_msgctl(Task& task, int id, int command, void* buffer);

// semget(2). Identifier; -EACCES, -EEXIST, -EINVAL, -ENOENT, -ENOMEM, -ENOSPC.
long sys_semget(Task& task, int key, int nsems, int flags);
// semop(2), and semtimedop(2): `timeout` is relative, nullptr for none. 0; -E2BIG, -EACCES,
// -EAGAIN, -EFAULT, -EFBIG, -EIDRM, -EINTR, -EINVAL, -ENOMEM, -ERANGE.
long sys_semtimedop(Task& task, int id, const struct sembuf* ops, std::size_t count,
                    UserTime timeout);
// semctl(2). `argument` is a union semun as a word. As the command says; -EACCES, -EFAULT, -EIDRM,
// -EINVAL, -ENOMEM, -EPERM, -ERANGE.
long sys_semctl(Task& task, int id, int num, int command, unsigned long argument);
// unshare(2) with CLONE_SYSVSEM: the thread leaves what its process would undo. `is_alone`: it is
// the process's only thread, and that is undone now.
void sys_unshare_undo(Task& task, bool is_alone);

// shmget(2). Identifier; -EACCES, -EEXIST, -EINVAL, -ENOENT, -ENOMEM, -ENOSPC, -EPERM.
long sys_shmget(Task& task, int key, std::size_t size, int flags);
// shmat(2). The address; -EACCES, -EIDRM, -EINVAL, -ENOMEM, -EPERM.
long sys_shmat(Task& task, int id, const void* address, int flags);
// shmdt(2). 0; -EINVAL.
long sys_shmdt(Task& task, const void* address);
// Where the piece stands that names the attachment which shmdt(2) would end; ~0: there is none.
u64 sys_shmdt_finds(Task& task, const void* address);
// shmctl(2). `buffer` is a struct shmid_ds, shminfo or shm_info. As the command says; -EACCES,
// -EFAULT, -EIDRM, -EINVAL, -ENOMEM, -EPERM.
long sys_shmctl(Task& task, int id, int command, void* buffer);

// A descriptor of a POSIX message queue, as far as the caller knows.
struct MqueueDescriptor {
  u64 queue = 0;  // offset of the record; 0: the descriptor is no queue's
  u64 serial = 0;
  u64 max_size = 0;  // bytes of a message
  int fd = -1;
  u32 access = 0;  // O_RDONLY, O_WRONLY, O_RDWR, or 3: neither
  // O_NONBLOCK, as it was when the queue's mode_changes were so many. The core brings them up to
  // date.
  mutable u32 mode_changes = 0;
  mutable u32 is_nonblocking = 0;
};
struct MqueueOpen {
  const char* name;  // the kernel's: without the '/' that mq_open(3) wants
  int flags;
  u32 mode;
  const struct mq_attr* attributes;
  u32 real_uid;                // with O_CREAT: who pays
  u64 byte_limit;              // with O_CREAT: soft RLIMIT_MSGQUEUE
  bool closes_on_exec = true;  // FD_CLOEXEC, whatever the flags say
};
// mq_open(2). A descriptor; -EACCES, -EEXIST, -EFAULT, -EINVAL, -EMFILE, -ENAMETOOLONG, -ENFILE,
// -ENOENT, -ENOMEM, -ENOSPC.
long sys_mq_open(Task& task, const MqueueOpen& request, MqueueDescriptor* opened);
// open(2) of a path that leads to an open queue, named or not: /proc/self/fd/N. A descriptor;
// -EACCES, -EMFILE, -ENFILE, -ENOENT: it leads to none.
long sys_mq_reopen(Task& task, const char* link, int flags, bool closes_on_exec,
                   MqueueDescriptor* opened);
// mq_unlink(2). 0; -EACCES, -EFAULT, -ENAMETOOLONG, -ENOENT, -EPERM.
long sys_mq_unlink(Task& task, const char* name);
// mq_timedsend(2). 0; -EAGAIN, -EBADF, -EFAULT, -EINTR, -EINVAL, -EMSGSIZE, -ENOMEM, -ETIMEDOUT.
// -EINTR: a handler ran; the caller looks whether the call is to be made again.
long sys_mq_timedsend(Task& task, const MqueueDescriptor& to, const char* text, std::size_t size,
                      u32 priority, UserTime deadline);
// mq_timedreceive(2). Bytes of the message; -EAGAIN, -EBADF, -EFAULT, -EINTR, -EINVAL, -EMSGSIZE,
// -ETIMEDOUT.
long sys_mq_timedreceive(Task& task, const MqueueDescriptor& from, char* text, std::size_t size,
                         u32* priority, UserTime deadline);
// O_NONBLOCK of the open file. 0; -EBADF.
long sys_mq_set_nonblocking(Task& task, const MqueueDescriptor& of, bool is_nonblocking);
// mq_getsetattr(2). 0; -EBADF, -EFAULT, -EINVAL.
long sys_mq_getsetattr(Task& task, const MqueueDescriptor& of, const struct mq_attr* wanted,
                       struct mq_attr* old);
// mq_notify(2), of a sigevent that is in the core's memory; nullptr takes the registration away. 0;
// -EBADF, -EBUSY, -EINVAL. Not for SIGEV_THREAD.
long sys_mq_notify(Task& task, const MqueueDescriptor& of, const struct sigevent* event);
// What SIGEV_THREAD asks for, by a thread made for it: registers the process, calls
// `report(context, error)`, and sleeps until it is to be told: 1; or the registration is taken
// away: 0. -EBADF, -EBUSY.
long sys_mq_notify_thread(Task& task, const MqueueDescriptor& of,
                          void (*report)(void* context, long error), void* context);

// What `fd` is open on: 0, or -EBADF if that is none of the cell's queues.
long sys_mq_find(Task& task, int fd, MqueueDescriptor* found);
// Before close(2) of a descriptor, or of all of the queue's: the process's registration ends.
void sys_mq_flush(Task& task, u64 queue, u64 serial);
// Behind close(2): a queue without a name may have no descriptor left.
void sys_mq_closed(Task& task);
// True if the process is registered with a queue of the cell.
bool sys_mq_is_registered(Task& task);
// exec(2) has begun: of each queue where the process is registered asks whether a descriptor of it
// is closed by that. Or it has failed: nullptr.
void sys_mq_mark_exec(Task& task, bool (*closes)(u64 inode));
// POLLIN and POLLOUT as they are now, or -EBADF.
long sys_mq_ready(Task& task, const MqueueDescriptor& of);
// The task is about to sleep in poll(2) for it, and has done so; `how`: for a call, or for good.
enum class MqueueWatch : u32 { Call = 0, Epoll = 1, InEdges = 3, OutEdges = 5, Edges = 7 };
long sys_mq_watch(Task& task, const MqueueDescriptor& of, MqueueWatch how);
void sys_mq_unwatch(Task& task);
// Puts what poll(2) sees right, after somebody has read from the descriptor past us.
long sys_mq_show(Task& task, const MqueueDescriptor& of);
// The line that read(2) gives. Its length, or -EBADF; `out` has kMqueueLine bytes. `position`:
// where the program reads; at the line's end it sets no times.
constexpr std::size_t kMqueueLine = 80;
long sys_mq_line(Task& task, const MqueueDescriptor& of, i64 position, char* out);

// A queue as a file of /dev/mqueue.
struct MqueueStatus {
  u64 inode;
  i64 size;
  i64 atime, mtime, ctime;  // seconds since the epoch
  u32 mode, uid, gid;
  u32 links;
  u64 serial;
};
// By its name, or by the inode number of its pipe. 0; -ENOENT, -ENAMETOOLONG.
long sys_mq_stat_name(Task& task, const char* name, MqueueStatus* status);
long sys_mq_stat_inode(Task& task, u64 inode, MqueueStatus* status);
// Its name, or the one that it had before it was unlinked: 1 if it has it, else 0; -ENOENT. `name`
// has kMqueueNameRoom bytes.
constexpr std::size_t kMqueueNameRoom = 256;
long sys_mq_name(Task& task, u64 inode, char* name);
// chmod(2), chown(2) (-1: as it is), utimensat(2) and truncate(2) of a queue. 0; -EPERM, -ENOENT.
struct MqueueChange {
  bool sets_mode = false, sets_times = false, sets_size = false;
  u32 mode = 0;
  u32 uid = ~0u, gid = ~0u;
  i64 atime = -1, mtime = -1;  // -1: as it is
  bool sets_now = false;       // both times, to the present one: whoever may write may do so
  i64 size = 0;
};
long sys_mq_change(Task& task, u64 inode, const MqueueChange& change);
// access(2). `wanted`: R_OK, W_OK, X_OK. 0; -EACCES, -ENOENT.
long sys_mq_access(Task& task, u64 inode, u32 wanted);
// Names, the newest first: calls `visit(context, name, inode)` for each.
using MqueueVisit = void (*)(void* context, const char* name, u64 inode);
void sys_mq_list(Task& task, MqueueVisit visit, void* context);
// Removes the queues that nobody can reach any more, and what dead makers left in the folder.
void sys_mq_sweep(Task& task);

// The calls that change mappings, for addresses where something may be attached. They make the
// system call, and do to the attachments what the kernel does. Its result.
struct SystemCall {
  long number, a, b, c, d, e, f;

  long make() const { return sys::call(number, a, b, c, d, e, f); }
};
long sys_munmap(Task& task, u64 address, u64 size);
// mmap(2) with MAP_FIXED; `call.b` is the size.
long sys_mmap_fixed(Task& task, const SystemCall& call);
// A call that may give a part of a mapping, `call.b` bytes at `call.a`, other flags: see
// address_map.h, kPiece...
struct PieceFlags {
  u32 cleared, set;
};
long sys_change_mapping(Task& task, const SystemCall& call, const PieceFlags& flags);
// The thread leaves the namespace: to shm_rmid_forced the segments that it made are nobody's.
void sys_leave_segments(Task& task);
// What was attached in that range is gone by a call on something else.
void sys_forget_mapping(Task& task, u64 address, u64 size);
// Where the lowest piece begins that ends above `address`; ~0: there is none.
u64 sys_first_attached(Task& task, u64 address);
// Bytes of the attachment that begins at `address`; 0 if there is none.
u64 sys_attached_size(Task& task, u64 address);
// All mappings were given other flags.
void sys_note_all_mappings(Task& task, const PieceFlags& flags);
struct RemapCall {
  u64 old_address, old_size, new_size;
  int flags;
  u64 new_address;
};
long sys_mremap(Task& task, const RemapCall& call);
// How much mremap(2) moves before it stops at an attachment that begins at `address`; 0: it does
// not stop there.
u64 sys_remap_stop(const RemapCall& call, u64 address);

// fork(2) of a process that has something attached: before it, behind it in the parent, and when
// the child's pid is known. Between the first two the address map is locked. 0; -ENOMEM: there is
// to be no fork. `child`: its pid, -1 if there is none, 0 if it is not known. `is_task`: the child
// attaches its task before fork(2) returns.
struct ForkRecord {
  u64 heir = 0;  // ProcessRec of the child; 0: nothing was begun
  u64 serial = 0;
};
int sys_fork_begin(Task& task, ForkRecord& record);
void sys_fork_unlock(Task& task);
void sys_fork_end(Task& task, const ForkRecord& record, i32 child, bool is_task = false);
// clone(2) with CLONE_VM: another process will run in this memory, and may live longer.
void sys_share_memory(Task& task);

// Claims a slot of the cell for the calling thread, which then can call the above.
int attach_task(Task& task);
// For a signal handler that came while the task was blocked: takes the operation back. True if it
// was; false if it had already happened, and the handler has to wait for the operation's return.
bool interrupt_wait(Task& task);
// Reaps all tasks that are dead.
void reap_dead_tasks(Task& task);
// Does all that the dead have left to do: what the kernel does at the end of each process.
void sys_sweep(Task& task);

// Text of /proc/sysvipc/msg, written to `out` piece by piece: each call gives the lines from
// `*position` on that fit, and moves it on. Bytes written; 0 at the end.
std::size_t sys_proc_msg(Task& task, u32* position, char* out, std::size_t size);
// The same of /proc/sysvipc/sem.
std::size_t sys_proc_sem(Task& task, u32* position, char* out, std::size_t size);
// The same of /proc/sysvipc/shm.
std::size_t sys_proc_shm(Task& task, u32* position, char* out, std::size_t size);

// Sysctls, by their number in ipc/sysctl.h. The text that read(2) gives; `out` has kSysctlText
// bytes.
std::size_t sys_sysctl_print(Task& task, u32 number, char* out);
// True if the caller may open it for writing.
bool sys_sysctl_may_write(const Task& task, u32 number);
// write(2) at a position of `size` bytes, of which `text` has kSysctlWritten at most. Bytes that
// count as written; -EINVAL, -EIO, -EPERM, -ERANGE.
long sys_sysctl_write(Task& task, u32 number, const char* text, std::size_t size, i64 position);
// --- /proc/PID/maps: what stands there of the cell's file

// Addresses of one process that belong to one attachment, or to none.
struct MappedPart {
  u64 end;      // where it ends
  bool is_ipc;  // what follows is told of attachments alone
  i32 id;
  u32 key;     // that the segment was made with
  u64 offset;  // bytes of the segment before the part
};
// The part of [start, end) that begins at `start`, in this process. False if nothing is known.
bool sys_shm_own_part(Task& task, u64 start, u64 end, MappedPart* part);
// The same of another process, by the range's place in the cell's file.
bool sys_shm_part_at(Task& task, u64 start, u64 end, u64 file_offset, MappedPart* part);

}  // namespace ipcell
