#include <cerrno>

#include "core/ipc/mqueue.h"
#include "core/ipc/reap.h"

namespace ipcell {

namespace {

// The bits of poll(2), the same everywhere.
constexpr long kPollIn = 0x41, kPollOut = 0x104;

void give_back(Task& task, PolledQueue& polled) {
  LockedMqueue queue(task, polled.queue);
  if (!queue) return;
  Journal journal(task);
  if (queue.is(polled.serial) && (queue->watched & kWatchedPollers) != 0)
    journal.set(queue->watched, queue->watched - 1);
  journal.set(polled.queue, 0);
  journal.commit();
}

bool wants(MqueueWatch how, MqueueWatch edges) {
  return (static_cast<u32>(how) & static_cast<u32>(edges)) == static_cast<u32>(edges);
}

PolledQueue* free_place(Task& task) {
  for (PolledQueue& polled : task.rec->polled) {
    if (polled.queue == 0) return &polled;
  }
  return nullptr;
}

}  // namespace

// Linux: ipc/mqueue.c:mqueue_poll_file()
long sys_mq_ready(Task& task, const MqueueDescriptor& of) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  LockedMqueue queue(task, of.queue);
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  const u32 messages = mq_messages(queue->load);
  return (messages != 0 ? kPollIn : 0) | (messages < queue->max_messages ? kPollOut : 0);
}

long sys_mq_watch(Task& task, const MqueueDescriptor& of, MqueueWatch how) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  LockedMqueue queue(task, of.queue);
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  Journal journal(task);
  PolledQueue* const place = how == MqueueWatch::Call ? free_place(task) : nullptr;
  if (place != nullptr) {
    journal.set(place->serial, of.serial);
    journal.set(place->queue, of.queue);
    journal.set(queue->watched, queue->watched + 1);
  } else {
    const u32 edges = (wants(how, MqueueWatch::InEdges) ? kWatchedForInEdges : 0) |
                      (wants(how, MqueueWatch::OutEdges) ? kWatchedForOutEdges : 0);
    journal.set_if_changed(queue->watched, queue->watched | kWatchedByEpoll | edges);
  }
  journal.commit();
  show_mqueue(*queue, of.fd);
  return 0;
}

long sys_mq_show(Task& task, const MqueueDescriptor& of) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  LockedMqueue queue(task, of.queue);
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  store_relaxed(queue->is_unsure, 1u);
  show_mqueue(*queue, of.fd);
  return 0;
}

void sys_mq_unwatch(Task& task) {
  const Critical critical(task);
  for (PolledQueue& polled : task.rec->polled) {
    if (polled.queue != 0 && !task.cell->is_poisoned()) give_back(task, polled);
  }
  reap_met(task);
}

void reap_mqueues(Task& reaper, TaskRec& dead) {
  for (PolledQueue& polled : dead.polled) {
    if (polled.queue != 0 && !reaper.cell->is_poisoned()) give_back(reaper, polled);
  }
}

}  // namespace ipcell
