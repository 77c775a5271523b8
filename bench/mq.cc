// POSIX message queues in one process: no other process contends, nothing sleeps.
#include <benchmark/benchmark.h>
#include <sys/epoll.h>

#include <array>

#include "cpus.h"
#include "message.h"
#include "posix_queue.h"
#include "row.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

template <class Api>
void time_send_receive(State& state, int queue, std::size_t size) {
  const ScopedAffinity pinned(one_cpu().ours);
  Message message;
  for (auto _ : state) {
    check(Api::mq_send(queue, message.text, size, 0), "mq_send");
    check(Api::mq_receive(queue, message.text, sizeof message.text), "mq_receive");
  }
}

auto send_receive_of(std::size_t size) {
  return [size](State& state, auto api) {
    const Mqueue<decltype(api)> queue;
    time_send_receive<decltype(api)>(state, queue.id(), size);
  };
}

// The queue always holds one message of each of eight priorities; each iteration sends one more and
// receives the highest.
template <class Api>
void eight_priorities(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Mqueue<Api> queue;
  Message message;
  constexpr unsigned kPriorities = 8;
  for (unsigned priority = 0; priority < kPriorities; ++priority)
    check(Api::mq_send(queue.id(), message.text, kSmall, priority), "mq_send");
  unsigned priority = 0;
  for (auto _ : state) {
    check(Api::mq_send(queue.id(), message.text, kSmall, priority++ % kPriorities), "mq_send");
    check(Api::mq_receive(queue.id(), message.text, sizeof message.text), "mq_receive");
  }
}

// Somebody watches the queue, and is not asked what he has seen.
template <class Api>
void with_epoll(State& state, Api, unsigned events) {
  const Mqueue<Api> queue;
  const int instance = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event = {};
  event.events = events;
  check(epoll_ctl(instance, EPOLL_CTL_ADD, queue.id(), &event), "epoll_ctl");
  time_send_receive<Api>(state, queue.id(), kSmall);
  close(instance);
}

template <class Api>
void open_close(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SignalsHeld held;  // The name of the moment is not noted.
  const long queue = check(Api::mq_open(kMqueueName, O_CREAT | O_RDWR, 0600, nullptr), "mq_open");
  for (auto _ : state)
    close(static_cast<int>(check(Api::mq_open(kMqueueName, O_RDWR, 0, nullptr), "mq_open")));
  check(Api::mq_unlink(kMqueueName), "mq_unlink");
  close(static_cast<int>(queue));
}

template <class Api>
void whole_life(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SignalsHeld held;
  for (auto _ : state) const Mqueue<Api> queue;
}

template <class Api>
void getattr(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Mqueue<Api> queue;
  mq_attr attributes;
  for (auto _ : state) check(Api::mq_getattr(queue.id(), &attributes), "mq_getattr");
}

}  // namespace

std::vector<Row> mq_rows() {
  return {
      versus_kernel("mq/send_receive/64", 6.0, send_receive_of(kSmall)),
      versus_kernel("mq/send_receive/1024", 4.0, send_receive_of(1024)),
      versus_kernel("mq/send_receive/8192", 3.0, send_receive_of(8192)),
      versus_kernel("mq/send_receive/8_priorities", 3.0,
                    [](State& state, auto api) { eight_priorities(state, api); }),
      versus_kernel("mq/send_receive/64_with_epoll", 1.0,
                    [](State& state, auto api) { with_epoll(state, api, EPOLLIN); }),
      versus_kernel("mq/send_receive/64_with_epoll_edges", {},
                    [](State& state, auto api) { with_epoll(state, api, EPOLLIN | EPOLLET); }),
      versus_kernel("mq/getattr", {}, [](State& state, auto api) { getattr(state, api); }),
      versus_kernel("mq/open_close", {}, [](State& state, auto api) { open_close(state, api); }),
      versus_kernel("mq/whole_life", {}, [](State& state, auto api) { whole_life(state, api); }),
  };
}

}  // namespace ipcell::bench
