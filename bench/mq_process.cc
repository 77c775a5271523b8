// POSIX message queues between processes: hand-off, waking, contention, a server that polls.
//
// The row's own process is the one that is timed. An empty message ends a peer.
#include <benchmark/benchmark.h>
#include <sys/epoll.h>

#include "cpus.h"
#include "message.h"
#include "peers.h"
#include "posix_queue.h"
#include "row.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

template <class Api>
int echo(int from, int to) {
  Message message;
  long size = 0;
  while ((size = Api::mq_receive(from, message.text, sizeof message.text)) > 0) {
    if (Api::mq_send(to, message.text, kSmall, 0) < 0) return 1;
  }
  return size == 0 ? 0 : 1;
}

// The same by a server that sleeps in epoll_wait(2).
template <class Api>
int serve(int from, int to) {
  const int instance = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event = {};
  event.events = EPOLLIN;
  if (epoll_ctl(instance, EPOLL_CTL_ADD, from, &event) != 0) return 1;
  Message message;
  for (;;) {
    if (epoll_wait(instance, &event, 1, -1) < 0) return 1;
    const long size = Api::mq_receive(from, message.text, sizeof message.text);
    if (size <= 0) return size == 0 ? 0 : 1;
    if (Api::mq_send(to, message.text, kSmall, 0) < 0) return 1;
  }
}

template <class Api>
int send_until(int queue, const volatile bool& is_over) {
  const Message message;
  while (!is_over) {
    if (Api::mq_send(queue, message.text, kSmall, 0) < 0) return 1;
  }
  return 0;
}

template <class Api>
void receive(const Peers& peers, int queue, Message& message) {
  const auto call = [&] { return Api::mq_receive(queue, message.text, sizeof message.text); };
  check(with_living(peers, call), "mq_receive");
}

template <class Api>
void ping_pong(State& state, Api, const Placement& placement, int (*peer)(int, int)) {
  const ScopedAffinity pinned(placement.ours);
  const Mqueue<Api> there, back;
  Peers peers;
  peers.add(placement.theirs, [&] { return peer(there.id(), back.id()); });
  {
    const Ticker ticker;
    Message message;
    for (auto _ : state) {
      check(Api::mq_send(there.id(), message.text, kSmall, 0), "mq_send");
      receive<Api>(peers, back.id(), message);
    }
  }
  check(Api::mq_send(there.id(), "", 0, 0), "mq_send");
  peers.finish();
}

// One iteration is one message received, of what `senders` processes send as fast as they can.
template <class Api>
void stream(State& state, Api, const Placement& placement, int senders) {
  const ScopedAffinity pinned(placement.ours);
  const Mqueue<Api> queue;
  Peers peers;
  const bool is_over = false;
  for (int sender = 0; sender < senders; ++sender)
    peers.add(placement.theirs, [&] { return send_until<Api>(queue.id(), is_over); });
  {
    const Ticker ticker;
    Message message;
    for (auto _ : state) receive<Api>(peers, queue.id(), message);
  }
  peers.kill();
}

auto ping_pong_on(Placement (*placement)()) {
  return [placement](State& state, auto api) {
    ping_pong(state, api, placement(), &echo<decltype(api)>);
  };
}
auto served_on(Placement (*placement)()) {
  return [placement](State& state, auto api) {
    ping_pong(state, api, placement(), &serve<decltype(api)>);
  };
}

}  // namespace

std::vector<Row> mq_process_rows() {
  return {
      versus_kernel("mq/ping_pong/two_cpus", 5.0, ping_pong_on(two_cpus)),
      versus_kernel("mq/ping_pong/one_cpu", 1.0, ping_pong_on(one_cpu)),
      versus_kernel("mq/epoll_server/two_cpus", 1.0, served_on(two_cpus)),
      versus_kernel("mq/stream/two_cpus", 1.0,
                    [](State& state, auto api) { stream(state, api, two_cpus(), 1); }),
      versus_kernel("mq/four_senders/two_cpus", 1.0,
                    [](State& state, auto api) { stream(state, api, anywhere_on_two(), 4); }),
  };
}

}  // namespace ipcell::bench
