// Objects (queues, semaphore sets, segments) that do not outlive their row, nor the program when a
// signal ends it.
#pragma once

#include <cerrno>
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

// From now on SIGHUP, SIGINT and SIGTERM remove all objects before they end the program.
void remove_objects_on_signals();
// Undoes it, for a forked peer: the objects are its parent's.
void leave_objects_to_parent();

using Remover = long (*)(int id);

class Object {
 public:
  // `make` returns the id; `remover` is its kind's and its side's own.
  template <class Make>
  Object(Make make, Remover remover) : remover_(remover) {
    const SignalsHeld held;
    id_ = static_cast<int>(make());
    note();
  }
  ~Object() { remove(); }
  Object(Object&& other) noexcept : id_(std::exchange(other.id_, -1)), remover_(other.remover_) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  int id() const { return id_; }

  // Wakes whoever sleeps on it with EIDRM.
  void remove();

 private:
  void note();

  int id_ = -1;
  Remover remover_;
};

// The exit status of a peer, by the call that ended it: removal gives EIDRM if it slept, EINVAL if
// it came afterwards.
inline int status_of_end(long result) { return result == -EIDRM || result == -EINVAL ? 0 : 1; }

// A key that names nothing: `lookup(key)` is the kind's and the side's own get.
template <class Lookup>
key_t unused_key(Lookup lookup) {
  key_t key = 0x1bc00000;
  while (lookup(key) != -ENOENT) ++key;
  return key;
}

}  // namespace ipcell::bench
