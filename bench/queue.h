// A message queue that does not outlive its row, nor the program when a signal ends it.
#pragma once

#include <csignal>
#include <utility>

#include "api.h"

namespace ipcell::bench {

// Holds back the signals that end the program.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

using Remover = long (*)(int id);

// From now on SIGHUP, SIGINT and SIGTERM remove the noted queues before they end the program.
void remove_queues_on_signals();
// Undoes it, for a forked peer: the queues are its parent's.
void leave_queues_to_parent();

void note_queue(int id, Remover remover);
void forget_queue(int id, Remover remover);

template <class Api>
class Queue {
 public:
  explicit Queue(key_t key = IPC_PRIVATE) {
    const SignalsHeld held;
    id_ = static_cast<int>(check(Api::msgget(key, IPC_CREAT | IPC_EXCL | 0600), "msgget"));
    note_queue(id_, &remove_id);
  }
  ~Queue() { remove(); }
  Queue(Queue&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  int id() const { return id_; }

  // Wakes whoever sleeps on it with EIDRM.
  void remove() {
    if (id_ < 0) return;
    const SignalsHeld held;
    remove_id(id_);
    forget_queue(std::exchange(id_, -1), &remove_id);
  }

 private:
  static long remove_id(int id) { return Api::msgctl(id, IPC_RMID, nullptr); }

  int id_ = -1;
};

// A key that names no queue on this side.
template <class Api>
key_t unused_key() {
  key_t key = 0x1bc00000;
  while (Api::msgget(key, 0) != -ENOENT) ++key;
  return key;
}

}  // namespace ipcell::bench
