// The calls that change the process's mappings, or copy them into a child.
#pragma once

#include "core/cell/cell.h"

namespace ipcell {

// shmat(2) for libc's callers.
void* attach_segment(int id, const void* address, int flags);

// A system call that changes mappings, by its number: its result, or -errno. Attachments that it
// meets follow. One of any other number is just made.
long change_mappings(long number, long a, long b, long c, long d, long e, long f);

// mlockall(2) with MCL_CURRENT, for all that is mapped but the cell itself. 0 or -errno.
long lock_all_but_cell(const Cell& cell, long flags);

// Around a call that makes a child with a copy of this process's memory: what is attached is
// counted for the child before there is one. 0, or -errno: there is to be no child.
int begin_fork();
// After the call, in the parent: the child's pid; -1 if there is none; 0: it is not known.
// `is_task`: the child calls end_fork_in_child().
void end_fork_in_parent(int child, bool is_task);
void end_fork_in_child();
// The same for a child that can't become a task: of clone(2).
void end_fork_in_clone();
// From now on forks inside of libc are noticed: the process has attached something.
void watch_forks();

}  // namespace ipcell
