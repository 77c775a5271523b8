// Nanoseconds of a System V call by an inline instruction: msgsnd and msgrcv of 64 bytes, of one
// queue. bench/trap runs it on the kernel and under `ipcell run --trap`.
#include <sys/msg.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernel_call.h"

namespace ipcell::bench {
namespace {

struct Message {
  long type = 1;
  char text[64] = {};
};

void want(bool is_so, const char* what) {
  if (is_so) return;
  std::fprintf(stderr, "trap_cost: %s failed\n", what);
  std::exit(1);
}

double nanoseconds_of_calls(long queue, int rounds) {
  Message message;
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < rounds; ++n) {
    want(kernel_call(SYS_msgsnd, queue, kernel_arg(&message), sizeof message.text, 0) == 0,
         "msgsnd");
    want(kernel_call(SYS_msgrcv, queue, kernel_arg(&message), sizeof message.text, 0, 0) ==
             sizeof message.text,
         "msgrcv");
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
  return spent.count() / rounds / 2;
}

}  // namespace
}  // namespace ipcell::bench

int main() {
  using namespace ipcell::bench;
  constexpr int kRounds = 2000;
  constexpr int kTurns = 11;
  const long queue = kernel_call(SYS_msgget, IPC_PRIVATE, 0600);
  want(queue >= 0, "msgget");
  std::vector<double> turns;
  for (int n = 0; n < kTurns; ++n) turns.push_back(nanoseconds_of_calls(queue, kRounds));
  want(kernel_call(SYS_msgctl, queue, IPC_RMID, 0) == 0, "msgctl");
  std::sort(turns.begin(), turns.end());
  std::printf("%.0f\n", turns[kTurns / 2]);
}
