// The same of a C++ program that brings a C++ library of its own along: threads, exceptions
// through handlers of ours and theirs, and what is thread-local with a destructor.
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <sys/msg.h>
#include <thread>
#include <vector>

namespace {

int queue;

struct Text {
  long type;
  char text[64];
};

void send(long type) {
  const Text text = {type, "x"};
  if (msgsnd(queue, &text, sizeof text.text, 0) != 0)
    throw std::runtime_error("msgsnd " + std::to_string(errno));
}

void receive(long type) {
  Text text;
  if (msgrcv(queue, &text, sizeof text.text, type, IPC_NOWAIT) != sizeof text.text)
    throw std::runtime_error("msgrcv " + std::to_string(errno));
}

// Sends when its thread ends.
struct AtEnd {
  bool is_used = false;
  ~AtEnd() {
    if (is_used) send(99);
  }
};
thread_local AtEnd t_at_end;

void work(long type) {
  t_at_end.is_used = true;
  for (int i = 0; i < 200; ++i) {
    try {
      send(type);
      receive(type);
      receive(type);
    } catch (const std::runtime_error& error) {
      if (error.what() != "msgrcv " + std::to_string(ENOMSG)) throw;
    }
  }
}

}  // namespace

int main() {
  queue = msgget(IPC_PRIVATE, 0600);
  std::vector<std::thread> threads;
  for (long n = 1; n <= 4; ++n) threads.emplace_back(work, n);
  for (std::thread& thread : threads) thread.join();
  for (int n = 0; n < 4; ++n) receive(99);
  std::puts("fine");
}
