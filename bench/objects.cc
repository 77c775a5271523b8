#include "objects.h"

#include <array>
#include <atomic>
#include <stdexcept>

namespace ipcell::bench {
namespace {

constexpr std::array kEndingSignals = {SIGHUP, SIGINT, SIGTERM};
constexpr int kFree = -1;

// Written with the ending signals held back, and read by their handler.
struct Noted {
  std::atomic<int> id = kFree;
  std::atomic<Remover> remover = nullptr;
};
std::array<Noted, 2048> noted_objects;

void remove_noted_and_die(int signal) {
  for (Noted& noted : noted_objects) {
    if (noted.id != kFree) noted.remover.load()(noted.id);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

SignalsHeld::SignalsHeld() {
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : kEndingSignals) sigaddset(&ending, signal);
  sigprocmask(SIG_BLOCK, &ending, &before_);
}

SignalsHeld::~SignalsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

void remove_objects_on_signals() {
  for (const int signal : kEndingSignals) {
    struct sigaction action = {};
    action.sa_handler = remove_noted_and_die;
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

void leave_objects_to_parent() {
  for (const int signal : kEndingSignals) std::signal(signal, SIG_DFL);
}

void Object::note() {
  for (Noted& noted : noted_objects) {
    if (noted.id != kFree) continue;
    noted.remover = remover_;
    noted.id = id_;
    return;
  }
  remover_(id_);
  throw std::runtime_error("more objects than the benchmark can clean up");
}

void Object::remove() {
  if (id_ < 0) return;
  const SignalsHeld held;
  remover_(id_);
  for (Noted& noted : noted_objects) {
    if (noted.id != id_ || noted.remover != remover_) continue;
    noted.id = kFree;
    break;
  }
  id_ = -1;
}

}  // namespace ipcell::bench
