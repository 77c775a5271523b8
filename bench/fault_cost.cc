// Nanoseconds of a call that need not wait, for bench/faults: three medians on a line, of msgsnd
// and msgrcv of 64 bytes, of semop, and of mq_send and mq_receive of 64 bytes.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

namespace {

constexpr int kPairs = 2000;
constexpr int kTurns = 201;
constexpr std::size_t kText = 64;

void want(bool is_so, const char* what) {
  if (is_so) return;
  std::fprintf(stderr, "fault_cost: %s failed\n", what);
  std::exit(1);
}

// Of one call in each pair.
double median_of(const std::function<void()>& pair) {
  std::vector<double> turns;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    for (int n = 0; n < kPairs; ++n) pair();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    turns.push_back(spent.count() / kPairs / 2);
  }
  std::nth_element(turns.begin(), turns.begin() + kTurns / 2, turns.end());
  return turns[kTurns / 2];
}

double messages() {
  struct {
    long type = 1;
    char text[kText] = {};
  } message;
  const int id = msgget(IPC_PRIVATE, 0600);
  want(id >= 0, "msgget");
  const double result = median_of([&] {
    want(msgsnd(id, &message, kText, 0) == 0, "msgsnd");
    want(msgrcv(id, &message, kText, 0, 0) == static_cast<ssize_t>(kText), "msgrcv");
  });
  msgctl(id, IPC_RMID, nullptr);
  return result;
}

double semaphores() {
  const int id = semget(IPC_PRIVATE, 1, 0600);
  want(id >= 0, "semget");
  struct sembuf up = {0, 1, 0}, down = {0, -1, 0};
  const double result = median_of([&] {
    want(semop(id, &up, 1) == 0, "semop");
    want(semop(id, &down, 1) == 0, "semop");
  });
  semctl(id, 0, IPC_RMID);
  return result;
}

double posix_messages() {
  struct mq_attr shape = {};
  shape.mq_maxmsg = 10;
  shape.mq_msgsize = kText;
  const mqd_t queue = mq_open("/fault_cost", O_CREAT | O_RDWR, 0600, &shape);
  want(queue >= 0, "mq_open");
  char text[kText] = {};
  const double result = median_of([&] {
    want(mq_send(queue, text, kText, 0) == 0, "mq_send");
    want(mq_receive(queue, text, kText, nullptr) == static_cast<ssize_t>(kText), "mq_receive");
  });
  mq_close(queue);
  mq_unlink("/fault_cost");
  return result;
}

}  // namespace

int main() { std::printf("%.2f %.2f %.2f\n", messages(), semaphores(), posix_messages()); }
