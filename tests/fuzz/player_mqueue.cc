#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/player.h"

namespace fuzz {

using ipcell::MqueueDescriptor;

namespace {

constexpr struct timespec kPast = {0, 0};

MqueueDescriptor& any_mqueue(Player& player, Rng& rng) {
  return player.mqueues[rng.below(std::size(player.mqueues))];
}

void any_name(Rng& rng, int count, char (&name)[16]) {
  std::snprintf(name, sizeof name, "m%d",
                static_cast<int>(rng.below(static_cast<std::uint64_t>(count) + 2)));
}

void close_it(Player& player, MqueueDescriptor& queue) {
  if (queue.queue == 0) return;
  ipcell::sys_mq_flush(player.task, queue.queue, queue.serial);
  if (queue.fd >= 0) ipcell::sys::call(SYS_close, queue.fd);
  queue = {};
  ipcell::sys_mq_closed(player.task);
}

void open_any(Player& player, Rng& rng, int count) {
  char name[16];
  any_name(rng, count, name);
  MqueueDescriptor& queue = any_mqueue(player, rng);
  close_it(player, queue);
  struct mq_attr shape = {};
  shape.mq_maxmsg = static_cast<long>(rng.below(5)) + 1;
  shape.mq_msgsize = rng.chance(50) ? 100 : 20000;
  const int flags = O_RDWR | (rng.chance(50) ? O_CREAT : 0) | (rng.chance(10) ? O_EXCL : 0);
  (void)ipcell::sys_mq_open(player.task, {name, flags, 0600, &shape, 0, ~0ull}, &queue);
}

void send_any(Player& player, Rng& rng) {
  constexpr std::size_t kSizes[] = {0, 1, 24, 25, 100, 1000, 8216, 20000};
  constexpr ipcell::u32 kPriorities[] = {0, 1, 5, 6, 7, 20000, 32767};
  (void)ipcell::sys_mq_timedsend(player.task, any_mqueue(player, rng), buffer.text,
                                 kSizes[rng.below(std::size(kSizes))],
                                 kPriorities[rng.below(std::size(kPriorities))], &kPast);
}

void receive_any(Player& player, Rng& rng) {
  ipcell::u32 priority;
  (void)ipcell::sys_mq_timedreceive(player.task, any_mqueue(player, rng), buffer.text,
                                    sizeof buffer.text, &priority, &kPast);
}

// No signal is sent, whatever the cell says: 0 asks whether the process is there.
void register_any(Player& player, Rng& rng) {
  struct sigevent event = {};
  event.sigev_notify = rng.chance(50) ? SIGEV_NONE : SIGEV_SIGNAL;
  (void)ipcell::sys_mq_notify(player.task, any_mqueue(player, rng),
                              rng.chance(60) ? &event : nullptr);
}

void watch_any(Player& player, Rng& rng) {
  constexpr ipcell::MqueueWatch kWays[] = {ipcell::MqueueWatch::Call, ipcell::MqueueWatch::Epoll,
                                           ipcell::MqueueWatch::Edges};
  const MqueueDescriptor& queue = any_mqueue(player, rng);
  if (queue.queue == 0) return;
  (void)ipcell::sys_mq_watch(player.task, queue, kWays[rng.below(std::size(kWays))]);
  (void)ipcell::sys_mq_ready(player.task, queue);
  // More often than not nobody knows that it ends.
  if (rng.chance(40)) ipcell::sys_mq_unwatch(player.task);
}

void look_at_any(Player& player, Rng& rng, int count) {
  const MqueueDescriptor& queue = any_mqueue(player, rng);
  char line[ipcell::kMqueueLine], name[16];
  any_name(rng, count, name);
  struct mq_attr attributes;
  ipcell::MqueueStatus status = {};
  MqueueDescriptor found;
  switch (rng.below(6)) {
    case 0:
      if (queue.queue != 0) (void)ipcell::sys_mq_line(player.task, queue, 0, line);
      break;
    case 1: (void)ipcell::sys_mq_getsetattr(player.task, queue, nullptr, &attributes); break;
    case 2: (void)ipcell::sys_mq_find(player.task, queue.fd, &found); break;
    case 3:
      (void)ipcell::sys_mq_stat_name(player.task, name, &status);
      (void)ipcell::sys_mq_access(player.task, status.inode, 6);
      break;
    case 4:
      ipcell::sys_mq_list(
          player.task, [](void*, const char*, ipcell::u64) {}, nullptr);
      break;
    case 5:
      ipcell::sys_mq_mark_exec(player.task, [](ipcell::u64 inode) { return inode % 2 == 0; });
      ipcell::sys_mq_mark_exec(player.task, nullptr);
      break;
  }
}

}  // namespace

void call_mqueue(Player& player, Rng& rng, int count) {
  char name[16];
  switch (rng.below(14)) {
    case 0:
    case 1:
    case 2: open_any(player, rng, count); break;
    case 3:
    case 4:
    case 5: send_any(player, rng); break;
    case 6:
    case 7:
    case 8: receive_any(player, rng); break;
    case 9: register_any(player, rng); break;
    case 10: watch_any(player, rng); break;
    case 11: look_at_any(player, rng, count); break;
    case 12: close_it(player, any_mqueue(player, rng)); break;
    case 13:
      any_name(rng, count, name);
      if (rng.chance(40)) (void)ipcell::sys_mq_unlink(player.task, name);
      if (rng.chance(20)) ipcell::sys_mq_sweep(player.task);
      break;
  }
}

void block_at_mqueue(Player& player, Rng& rng) {
  const int way = static_cast<int>(rng.below(3));
  // The empty one; the full one.
  const char* const names[] = {"m1", "m3", "m0"};
  MqueueDescriptor queue;
  if (ipcell::sys_mq_open(player.task, {names[way], O_RDWR, 0600, nullptr, 0, ~0ull}, &queue) < 0)
    return;
  ipcell::u32 priority;
  if (way == 0) {
    (void)ipcell::sys_mq_timedreceive(player.task, queue, buffer.text, sizeof buffer.text,
                                      &priority, nullptr);
  } else if (way == 1) {
    (void)ipcell::sys_mq_timedsend(player.task, queue, buffer.text, 30, 7, nullptr);
  } else {
    (void)ipcell::sys_mq_notify_thread(
        player.task, queue, [](void*, long) {}, nullptr);
  }
  close_it(player, queue);
}

}  // namespace fuzz
