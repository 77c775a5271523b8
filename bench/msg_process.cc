// Message queues between processes: hand-off, waking and contention.
//
// The row's own process is the one that is timed. Its peers work until their queues are removed.
#include <benchmark/benchmark.h>

#include <vector>

#include "cpus.h"
#include "message.h"
#include "peers.h"
#include "queue.h"
#include "row.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

template <class Api>
int echo(int from, int to) {
  Message message;
  long result = 0;
  while (result >= 0) {
    result = Api::msgrcv(from, &message, kSmall, 0, 0);
    if (result >= 0) result = Api::msgsnd(to, &message, kSmall, 0);
  }
  return status_of_end(result);
}

template <class Api>
int send_for_ever(int queue) {
  const Message message;
  long result = 0;
  while (result >= 0) result = Api::msgsnd(queue, &message, kSmall, 0);
  return status_of_end(result);
}

template <class Api>
void receive(const Peers& peers, int queue, Message& message) {
  const auto call = [&] { return Api::msgrcv(queue, &message, kSmall, 0, 0); };
  check(with_living(peers, call), "msgrcv");
}

template <class Api>
void time_round_trips(State& state, const Peers& peers, int there, int back) {
  const Ticker ticker;
  Message message;
  for (auto _ : state) {
    check(Api::msgsnd(there, &message, kSmall, 0), "msgsnd");
    receive<Api>(peers, back, message);
  }
}

template <class Api>
void time_receives(State& state, const Peers& peers, int queue) {
  const Ticker ticker;
  Message message;
  for (auto _ : state) receive<Api>(peers, queue, message);
}

// One iteration is a message there and a message back.
template <class Api>
void ping_pong(State& state, Api, const Placement& placement) {
  const ScopedAffinity pinned(placement.ours);
  Queue<Api> there;
  Queue<Api> back;
  Peers peers;
  peers.add(placement.theirs, [&] { return echo<Api>(there.id(), back.id()); });
  time_round_trips<Api>(state, peers, there.id(), back.id());
  there.remove();
  back.remove();
  peers.finish();
}

// One iteration is one message received, of what `senders` processes send as fast as they can.
template <class Api>
void stream(State& state, Api, const Placement& placement, int senders) {
  const ScopedAffinity pinned(placement.ours);
  Queue<Api> queue;
  Peers peers;
  for (int sender = 0; sender < senders; ++sender)
    peers.add(placement.theirs, [&] { return send_for_ever<Api>(queue.id()); });
  time_receives<Api>(state, peers, queue.id());
  queue.remove();
  peers.finish();
}

}  // namespace

std::vector<Row> msg_process_rows() {
  return {
      versus_kernel("msg/ping_pong/two_cpus", 5.0,
                    [](State& state, auto api) { ping_pong(state, api, two_cpus()); }),
      versus_kernel("msg/ping_pong/one_cpu", 1.0,
                    [](State& state, auto api) { ping_pong(state, api, one_cpu()); }),
      versus_kernel("msg/stream/two_cpus", 1.0,
                    [](State& state, auto api) { stream(state, api, two_cpus(), 1); }),
      versus_kernel("msg/four_senders/two_cpus", 1.0,
                    [](State& state, auto api) { stream(state, api, anywhere_on_two(), 4); }),
  };
}

}  // namespace ipcell::bench
