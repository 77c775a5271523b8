// The core's facade: each function is the system call of its name. It takes the system call's
// arguments, the program's own pointers included, and returns >= 0 or -errno.
//
// Each needs a claimed Task (task_table.h) whose `cred` is current.
#pragma once

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

// Claims a slot of the cell for the calling thread, which then can call the above.
int attach_task(Task& task);
// For a signal handler that came while the task was blocked: takes the operation back. True if it
// was; false if it had already happened, and the handler has to wait for the operation's return.
bool interrupt_wait(Task& task);
// Reaps all tasks that are dead.
void reap_dead_tasks(Task& task);

// Text of /proc/sysvipc/msg, written to `out` piece by piece: each call gives the lines from
// `*position` on that fit, and moves it on. Bytes written; 0 at the end.
std::size_t sys_proc_msg(Task& task, u32* position, char* out, std::size_t size);
// The same of /proc/sysvipc/sem.
std::size_t sys_proc_sem(Task& task, u32* position, char* out, std::size_t size);

}  // namespace ipcell
