#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tests/fuzz/population.h"

namespace fuzz {

using ipcell::Journal;
using ipcell::Locked;
using ipcell::LockedMqueue;
using ipcell::MqueueDescriptor;

namespace {

namespace fs = std::filesystem;

MqueueDescriptor open(Player& player, const char* name, int flags = O_RDWR, long most = 1) {
  struct mq_attr shape = {};
  shape.mq_maxmsg = most;
  shape.mq_msgsize = sizeof buffer.text;
  MqueueDescriptor queue;
  const long fd = ipcell::sys_mq_open(player.task, {name, flags, 0600, &shape, 0, ~0ull}, &queue);
  require(fd >= 0, "mq_open");
  return queue;
}

void send(Player& player, const MqueueDescriptor& queue, ipcell::u32 priority, std::size_t size) {
  require(ipcell::sys_mq_timedsend(player.task, queue, buffer.text, size, priority, nullptr) == 0,
          "mq_send");
}

void watch(Player& player, const char* name) {
  const MqueueDescriptor queue = open(player, name);
  require(ipcell::sys_mq_watch(player.task, queue, ipcell::MqueueWatch::Call) == 0, "poll");
}

void register_at(Player& player, const MqueueDescriptor& queue) {
  struct sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  require(ipcell::sys_mq_notify(player.task, queue, &event) == 0, "mq_notify");
}

}  // namespace

void make_mqueues(Player& player) {
  player.cell.header().limits.mq_msg_max = 100;
  player.cell.header().limits.mq_msgsize_max = sizeof buffer.text;
  constexpr long kMost[kObjects] = {30, 2, 2, 1, 5};
  constexpr const char* kNames[kObjects] = {"m0", "m1", "m2", "m3", "m4"};
  MqueueDescriptor queues[kObjects];
  for (int n = 0; n < kObjects; ++n)
    queues[n] = open(player, kNames[n], O_RDWR | O_CREAT, kMost[n]);
  ipcell::u32 priority = 7;
  for (std::size_t size : {0, 10, 100, 1000, 8192, 20000}) {
    for (int twice = 0; twice < 2; ++twice) send(player, queues[0], priority, size);
    send(player, queues[4], priority, size / 4);
    priority = (priority * 5 + 3) % ipcell::kMqPriorities;
    if (size == 8192) break;
  }
  send(player, queues[3], 1, 50);
  register_at(player, queues[2]);
  watch(player, "m2");
  require(ipcell::sys_mq_unlink(player.task, "m4") == 0, "mq_unlink");
}

void receive_at_mqueue(Player& player) {
  ipcell::u32 priority;
  (void)ipcell::sys_mq_timedreceive(player.task, open(player, "m1"), buffer.text,
                                    sizeof buffer.text, &priority, nullptr);
}

void send_at_mqueue(Player& player) {
  (void)ipcell::sys_mq_timedsend(player.task, open(player, "m3"), buffer.text, 9000, 9, nullptr);
}

void wait_for_notice(Player& player) {
  (void)ipcell::sys_mq_notify_thread(
      player.task, open(player, "m1"), [](void*, long) {}, nullptr);
}

void die_polling(Player& player) {
  for (const char* name : {"m0", "m2", "m3"}) watch(player, name);
  register_at(player, open(player, "m0"));
}

// Its last descriptor is closed, and its record is out of the table.
void die_removing_mqueue(Player& player) {
  const MqueueDescriptor queue = open(player, "gone", O_RDWR | O_CREAT, 5);
  for (const ipcell::u32 priority : {5, 9, 5, 1}) send(player, queue, priority, 9000);
  Locked locked(player.task, ipcell::mqueue_table(player.cell).lock);
  {
    LockedMqueue record(player.task, queue.queue);
    Journal journal(player.task);
    require(ipcell::leave_mqueue_names(journal, player.cell, queue.queue, *record), "mq_unlink");
    journal.commit();
  }
  ::close(queue.fd);
  require(ipcell::remove_closed_mqueue_locked(player.task, queue.queue), "close");
}

// --------------------------------------------------------------------------- pipes

void keep_pipes(const std::string& folder) {
  fs::create_directory(folder + "/kept");
  for (const auto& entry : fs::directory_iterator(folder + "/mq"))
    fs::create_hard_link(entry.path(), folder + "/kept/" + entry.path().filename().string());
}

void restore_pipes(const std::string& folder) {
  const std::string kept = folder + "/kept/", mq = folder + "/mq/";
  mkdir(mq.c_str(), 0700);
  for (const auto& entry : fs::directory_iterator(mq)) {
    if (!fs::exists(kept + entry.path().filename().string())) fs::remove(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(kept)) {
    const std::string path = mq + entry.path().filename().string();
    if (!fs::exists(path)) fs::create_hard_link(entry.path(), path);
  }
}

}  // namespace fuzz
