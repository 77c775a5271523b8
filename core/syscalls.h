// The core's facade: each function is the system call of its name. It takes the system call's
// arguments, the program's own pointers included, and returns >= 0 or -errno.
//
// Each needs a claimed Task (task_table.h) whose `cred` is current.
#pragma once

#include "core/base/sys.h"
#include "core/cell/task_table.h"

struct sembuf;

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
                    const struct timespec* timeout);
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
// shmctl(2). `buffer` is a struct shmid_ds, shminfo or shm_info. As the command says; -EACCES,
// -EFAULT, -EIDRM, -EINVAL, -ENOMEM, -EPERM.
long sys_shmctl(Task& task, int id, int command, void* buffer);

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
// All mappings were given other flags.
void sys_note_all_mappings(Task& task, const PieceFlags& flags);
struct RemapCall {
  u64 old_address, old_size, new_size;
  int flags;
  u64 new_address;
};
long sys_mremap(Task& task, const RemapCall& call);

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

}  // namespace ipcell
