// Liveness: is a task's thread still there?
//
// A task holds its token, a process-shared robust mutex, from claim to death; nobody else ever
// takes it. At the thread's death by any cause (and at its exec) the kernel stores FUTEX_OWNER_DIED
// in the token's first word, and wakes one waiter of it.
#pragma once

#include "core/cell/cell.h"
#include "core/cell/futex.h"

namespace ipcell {

// Makes the token and takes it for the calling thread. 0 or -errno.
int take_token(Token& token);
// The token of a thread that gets another tid, as exec(2) gives it.
void rename_token(Token& token, u32 tid);
// For tools that leave a cell again while their thread lives on.
void drop_token(Token& token);

inline bool is_token_dead(const Token& token) {
  const u32 word = load_acquire(token.word);
  return (word & kFutexOwnerDied) != 0 || (word & kFutexTidMask) == 0;
}

// True if the slot is in use and its thread is dead: the slot awaits reap().
inline bool is_dead(const Cell& cell, u32 slot) {
  const TaskRec* rec = cell.task(slot);
  return rec != nullptr && load_acquire(cell.layout().task_states[slot - 1]) == kTaskLive &&
         is_token_dead(rec->token);
}

}  // namespace ipcell
