// IPCELL_FAULTS: rules of fault injection that a program's environment brings, where no `ipcell
// run` does. They are its cell's as long as the process lives that brought them; what it starts
// does not bring them again.
#pragma once

#include "core/cell/task.h"

namespace ipcell {

// Before the program's first instruction: true if there are such rules, and the cell is wanted.
bool has_faults_in_environment();
// Adds them, and takes them out of the environment. If one is malformed, standard error is told,
// and none is added.
void add_faults_of_environment(Task& task);

// A thread has joined the cell: what dead processes brought goes.
void remove_faults_of_dead(Task& task);
// The process ends.
void remove_own_faults(Task& task);

}  // namespace ipcell
