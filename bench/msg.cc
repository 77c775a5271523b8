// Message queues in one process: no other process contends, nothing sleeps.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "cpus.h"
#include "message.h"
#include "queue.h"
#include "row.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

template <class Api>
void time_send_receive(State& state, const Queue<Api>& queue, std::size_t size) {
  const ScopedAffinity pinned(one_cpu().ours);
  Message message;
  for (auto _ : state) {
    check(Api::msgsnd(queue.id(), &message, size, 0), "msgsnd");
    check(Api::msgrcv(queue.id(), &message, size, 0, 0), "msgrcv");
  }
}

template <class Api>
void send_receive(State& state, Api, std::size_t size) {
  const Queue<Api> queue;
  time_send_receive(state, queue, size);
}

// Uses one of 1,000 queues, from the middle of their making.
template <class Api>
void send_receive_among_many(State& state, Api) {
  constexpr std::size_t kQueues = 1000;
  std::vector<Queue<Api>> queues(kQueues);
  time_send_receive(state, queues[kQueues / 2], kSmall);
}

template <class Api>
void msgget_existing(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const key_t key = Queue<Api>::unused_key();
  const Queue<Api> queue(key);
  for (auto _ : state) check(Api::msgget(key, 0), "msgget");
}

template <class Api>
void msgget_rmid(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SignalsHeld held;  // The queue of the moment is not noted.
  const key_t key = Queue<Api>::unused_key();
  for (auto _ : state) {
    const long id = check(Api::msgget(key, IPC_CREAT | IPC_EXCL | 0600), "msgget");
    check(Api::msgctl(static_cast<int>(id), IPC_RMID, nullptr), "msgctl(IPC_RMID)");
  }
}

template <class Api>
void ipc_stat(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Queue<Api> queue;
  msqid_ds ds;
  for (auto _ : state) check(Api::msgctl(queue.id(), IPC_STAT, &ds), "msgctl(IPC_STAT)");
}

auto send_receive_of(std::size_t size) {
  return [size](State& state, auto api) { send_receive(state, api, size); };
}

// What 999 more queues cost a cell.
Row growth() {
  return {"msg/growth/1000_queues",
          Question::kCost,
          1.25,
          {"one_queue", true, [](State& state) { send_receive(state, Cell{}, kSmall); }},
          {"1000_queues", true, [](State& state) { send_receive_among_many(state, Cell{}); }}};
}

}  // namespace

std::vector<Row> msg_rows() {
  return {
      versus_kernel("msg/send_receive/64", 5.0, send_receive_of(kSmall)),
      versus_kernel("msg/send_receive/1024", 3.0, send_receive_of(1024)),
      versus_kernel("msg/send_receive/8192", 2.0, send_receive_of(8192)),
      versus_kernel("msg/send_receive/64_of_1000_queues", 5.0,
                    [](State& state, auto api) { send_receive_among_many(state, api); }),
      versus_kernel("msg/msgget_existing", 1.0,
                    [](State& state, auto api) { msgget_existing(state, api); }),
      versus_kernel("msg/msgget_rmid", 1.0,
                    [](State& state, auto api) { msgget_rmid(state, api); }),
      versus_kernel("msg/ipc_stat", 1.0, [](State& state, auto api) { ipc_stat(state, api); }),
      growth(),
  };
}

}  // namespace ipcell::bench
