// The other processes of a row.
//
// Each is forked with a handshake, and ends when its body returns; the bodies end when their
// objects are removed. A peer that does not end in time, or is left over when a row fails, is
// killed; it also dies with its parent.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cerrno>
#include <functional>
#include <vector>

namespace ipcell::bench {

class Peers {
 public:
  Peers() = default;
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Forks a process on `cpus` that runs `body` and exits with what that returns. Comes back when it
  // is about to, with its pid.
  pid_t add(const cpu_set_t& cpus, const std::function<int()>& body);
  bool are_alive() const;
  // Ends all by SIGKILL.
  void kill();
  // Waits until all have ended; throws unless each ended by itself with status 0.
  void finish();

 private:
  struct Peer {
    pid_t pid;
    int alive_fd;  // The read end of a pipe that hangs up when the peer is gone.
  };

  std::vector<Peer> peers_;
};

// Interrupts this process's blocked call every second with EINTR, so that it can look after its
// peers.
class Ticker {
 public:
  Ticker();
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
};

// Throws if a peer has died, or after ten ticks in vain.
void check_progress(const Peers& peers, int ticks);

// Repeats `call` while merely the Ticker interrupts it.
template <class Call>
long with_living(const Peers& peers, Call call) {
  long result = call();
  for (int ticks = 1; result == -EINTR; ++ticks) {
    check_progress(peers, ticks);
    result = call();
  }
  return result;
}

}  // namespace ipcell::bench
