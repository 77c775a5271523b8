#include "core/base/usercopy.h"
#include "core/ipc/msg.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// Linux: ipc/msg.c:testmsg()
bool matches(const MsgBlock& message, i64 type, u32 mode) {
  switch (mode) {
    case SEARCH_ANY:
    case SEARCH_NUMBER: return true;
    case SEARCH_LESSEQUAL: return message.type <= type;
    case SEARCH_EQUAL: return message.type == type;
    case SEARCH_NOTEQUAL: return message.type != type;
  }
  return false;
}

// False if the list is broken.
bool append_message(Journal& journal, const Cell& cell, MsgQueueRec& queue, u64 offset,
                    MsgBlock& message) {
  message.next = 0;  // nobody reaches the message before the commit
  kill_barrier();
  if (queue.first == 0) {
    journal.set(queue.first, offset);
  } else if (MsgBlock* last = cell.at<MsgBlock>(queue.last)) {
    journal.set(last->next, offset);
  } else {
    return false;
  }
  journal.set(queue.last, offset);
  const MsgLoad held = queue.held();
  journal.set(queue.load, pack_load(held.cbytes + message.size, held.qnum + 1ull));
  return true;
}

// The first receiver that takes the message; those before it whose buffers are too small are told
// E2BIG afterwards. Dead ones take nothing.
u32 find_receiver(Task& task, const MsgQueueRec& queue, const MsgBlock& message, bool* too_small) {
  const Cell& cell = *task.cell;
  u32 steps = 0;
  for (u32 slot = queue.receivers.first; slot != kNoSlot; ++steps) {
    TaskRec* rec = waiter_at(cell, slot, steps);
    if (rec == nullptr) return kNoSlot;
    if (is_token_dead(rec->token)) {
      task.dead_seen = slot;
    } else if (matches(message, rec->wait.type, rec->wait.mode)) {
      if (rec->wait.max_size >= static_cast<i64>(message.size)) return slot;
      *too_small = true;
    }
    slot = rec->wait.next;
  }
  return kNoSlot;
}

// Tells E2BIG to the receivers that a message went past; see MsgQueueRec::refusing.
void refuse_small_receivers(Task& task, MsgQueueRec& queue, WakeList& wakes) {
  MsgBlock shape = {};
  shape.type = queue.refuse_type;
  shape.size = queue.refuse_size;
  u32 slot = queue.receivers.first;
  for (u32 steps = 0; slot != kNoSlot && slot != queue.refuse_end; ++steps) {
    TaskRec* rec = waiter_at(*task.cell, slot, steps);
    if (rec == nullptr) return;
    const u32 next = rec->wait.next;
    if (matches(shape, rec->wait.type, rec->wait.mode) &&
        rec->wait.max_size < static_cast<i64>(shape.size) && !is_token_dead(rec->token)) {
      finish_waiter(task, queue.receivers, slot, -E2BIG, wakes);
    }
    slot = next;
  }
  Journal journal(task);
  journal.set(queue.refusing, 0u);
  journal.commit();
}

void move_to_end(Task& task, WaitList& list, u32 slot) {
  if (list.last == slot) return;
  Journal journal(task);
  if (!unlink_waiter(journal, *task.cell, list, slot)) {
    give_up(task, kBrokenWaiters);
    return;
  }
  link_waiter(journal, *task.cell, list, slot);
  journal.commit();
}

// Sends a blocked sender's message for it.
void admit(Task& task, MsgQueueRec& queue, u32 slot, WakeList& wakes) {
  WaitNode& node = task.cell->task(slot)->wait;
  const u64 offset = node.message;
  Journal journal(task);
  if (!unlink_waiter(journal, *task.cell, queue.senders, slot)) {
    give_up(task, kBrokenWaiters);
    return;
  }
  journal.set(node.result, 0);
  journal.set(node.message, 0);
  deliver(task, journal, queue, offset, task.cell->task(slot)->pid, wakes);
  if (!task.cell->is_poisoned()) wakes.publish(slot);
}

bool can_enter(Task& task, const MsgQueueRec& queue, u32 slot) {
  const TaskRec* rec = task.cell->task(slot);
  if (rec == nullptr) return false;
  if (is_token_dead(rec->token)) {
    task.dead_seen = slot;
    return false;
  }
  return fits(queue, static_cast<u64>(rec->wait.max_size));
}

void settle_receiver(Task& task, MsgQueueRec& queue, u32 slot, WakeList& wakes) {
  WaitNode& node = task.cell->task(slot)->wait;
  if (node.perm_seq != queue.perm_seq) {
    finish_waiter(task, queue.receivers, slot, kWaitRetry, wakes);
    return;
  }
  const FoundMessage found = find_message(*task.cell, queue, node.type, node.mode);
  if (found.message == nullptr) return;
  // Only a message too large for it can have been left beside a waiting receiver.
  finish_waiter(task, queue.receivers, slot,
                static_cast<i64>(found.message->size) > node.max_size ? -E2BIG : kWaitRetry, wakes);
}

void settle_receivers(Task& task, MsgQueueRec& queue, WakeList& wakes) {
  u32 slot = queue.receivers.first;
  for (u32 steps = 0; slot != kNoSlot; ++steps) {
    TaskRec* rec = waiter_at(*task.cell, slot, steps);
    if (rec == nullptr) return;
    const u32 next = rec->wait.next;
    if (is_token_dead(rec->token)) {
      task.dead_seen = slot;
    } else {
      settle_receiver(task, queue, slot, wakes);
    }
    slot = next;
  }
}

WaitList& list_of(MsgQueueRec& queue, const WaitNode& node) {
  return node.kind == WaitKind::Sender ? queue.senders : queue.receivers;
}

void enqueue_message(Task& task, Journal& journal, MsgQueueRec& queue, u64 offset,
                     MsgBlock& message) {
  if (append_message(journal, *task.cell, queue, offset, message)) {
    journal.commit();
  } else {
    give_up(task, "a queue's last message is outside of the heap");
  }
}

// Commits the message to a waiting receiver.
void hand_over(Task& task, Journal& journal, MsgQueueRec& queue, u64 offset, u32 taker, i64 seconds,
               WakeList& wakes) {
  TaskRec& receiver = *task.cell->task(taker);
  if (!unlink_waiter(journal, *task.cell, queue.receivers, taker)) {
    give_up(task, kBrokenWaiters);
    return;
  }
  journal.set(receiver.wait.result, 0);
  journal.set(receiver.wait.message, offset);
  // The kernel stores the thread here, and the thread group where nobody waited.
  journal.set_if_changed(queue.lrpid, receiver.tid);
  journal.set_if_changed(queue.rtime, seconds);
  journal.commit();
  wakes.publish(taker);
}

}  // namespace

FoundMessage find_message(const Cell& cell, const MsgQueueRec& queue, i64 type, u32 mode) {
  FoundMessage best;
  u64 previous = 0;
  u64 offset = queue.first;
  for (u64 index = 0; offset != 0; ++index) {
    MsgBlock* message = cell.at<MsgBlock>(offset);
    if (message == nullptr || index >= queue.held().qnum || index > kHeapSize / sizeof(MsgBlock)) {
      cell.poison("a queue's list of messages is broken");
      return {};
    }
    if (mode == SEARCH_NUMBER ? static_cast<i64>(index) == type : matches(*message, type, mode)) {
      best = {offset, previous, message};
      if (mode != SEARCH_LESSEQUAL || message->type == 1) return best;
      // The lowest type wins, and the first of it.
      // A type of a scribbled cell may be the least there is.
      type = static_cast<i64>(static_cast<u64>(message->type) - 1);
    }
    previous = offset;
    offset = message->next;
  }
  return best;
}

void unlink_message(Journal& journal, const Cell& cell, MsgQueueRec& queue,
                    const FoundMessage& found) {
  if (found.previous != 0) {
    journal.set(cell.at<MsgBlock>(found.previous)->next, static_cast<u64>(found.message->next));
  } else {
    journal.set(queue.first, static_cast<u64>(found.message->next));
  }
  if (queue.last == found.offset && found.previous != 0) journal.set(queue.last, found.previous);
  const MsgLoad held = queue.held();
  journal.set(queue.load, pack_load(held.cbytes - found.message->size, held.qnum - 1ull));
}

void deliver(Task& task, Journal& journal, MsgQueueRec& queue, u64 offset, i32 sender_pid,
             WakeList& wakes) {
  const Cell& cell = *task.cell;
  MsgBlock* message = cell.at<MsgBlock>(offset);
  if (message == nullptr) {
    give_up(task, "a message is outside of the heap");
    return;
  }
  const i64 seconds = now(task);
  journal.set_if_changed(queue.lspid, sender_pid);
  journal.set_if_changed(queue.stime, seconds);
  if (queue.receivers.first == kNoSlot) [[likely]] {
    enqueue_message(task, journal, queue, offset, *message);
    return;
  }
  bool too_small = false;
  const u32 taker = find_receiver(task, queue, *message, &too_small);
  // A caller that goes on afterwards has marked the queue already, and takes the mark off itself.
  const bool was_settled = queue.unsettled == 0;
  if (too_small) {
    journal.set(queue.refusing, 1u);
    journal.set(queue.refuse_end, taker != kNoSlot ? cell.task(taker)->wait.next : kNoSlot);
    journal.set(queue.refuse_size, static_cast<u64>(message->size));
    journal.set(queue.refuse_type, static_cast<i64>(message->type));
    if (was_settled) journal.set(queue.unsettled, 1u);
  }
  if (taker == kNoSlot) {
    enqueue_message(task, journal, queue, offset, *message);
  } else {
    hand_over(task, journal, queue, offset, taker, seconds, wakes);
  }
  if (!too_small || cell.is_poisoned()) return;
  refuse_small_receivers(task, queue, wakes);
  if (!was_settled) return;
  journal.set(queue.unsettled, 0u);
  journal.commit();
}

// The kernel wakes every sender whose message fits by itself, after moving the others to the end;
// those that find no room any more when they run go to the end as well.
void admit_senders(Task& task, MsgQueueRec& queue, WakeList& wakes) {
  const Cell& cell = *task.cell;
  u32 total = 0, fitting = 0;
  for (u32 slot = queue.senders.first; slot != kNoSlot; ++total) {
    const TaskRec* rec = waiter_at(cell, slot, total);
    if (rec == nullptr) return;
    if (can_enter(task, queue, slot)) ++fitting;
    slot = rec->wait.next;
  }
  if (fitting == 0) return;
  u32 slot = queue.senders.first;
  for (u32 n = 0; n < total && fitting != total; ++n) {
    const TaskRec* rec = waiter_at(cell, slot, n);
    if (rec == nullptr) return;
    const u32 next = rec->wait.next;
    if (!can_enter(task, queue, slot)) move_to_end(task, queue.senders, slot);
    slot = next;
  }
  bool ask_again = false;
  for (u32 n = 0; n < fitting && queue.senders.first != kNoSlot; ++n) {
    slot = queue.senders.first;
    const TaskRec* rec = waiter_at(cell, slot, n);
    if (rec == nullptr) return;
    // One whose permission may have gone is only woken, to ask again; those behind it must not get
    // before it, and are woken after it.
    if (rec->wait.perm_seq != queue.perm_seq) ask_again = true;
    if (ask_again) {
      finish_waiter(task, queue.senders, slot, kWaitRetry, wakes);
    } else if (can_enter(task, queue, slot)) {
      admit(task, queue, slot, wakes);
    } else {
      move_to_end(task, queue.senders, slot);
    }
    if (cell.is_poisoned()) return;
  }
}

void settle(Task& task, MsgQueueRec& queue, WakeList& wakes) {
  if (queue.refusing != 0) refuse_small_receivers(task, queue, wakes);
  settle_receivers(task, queue, wakes);
  admit_senders(task, queue, wakes);
  Journal journal(task);
  journal.set(queue.unsettled, 0u);
  journal.commit();
}

bool cancel_msg_wait(Task& task) {
  WaitNode& node = task.rec->wait;
  {
    LockedQueue queue(task, node.object);
    if (!queue) node.result = -EIO;
    if (!queue || node.linked == 0) {
      store_release(node.word, kWaitDone);
      return false;
    }
    Journal journal(task);
    if (!unlink_waiter(journal, *task.cell, list_of(*queue, node), task.slot)) {
      give_up(task, kBrokenWaiters);
      node.result = -EIO;
      store_release(node.word, kWaitDone);
      return false;
    }
    journal.set(node.result, -EINTR);
    journal.commit();
    store_release(node.word, kWaitIdle);
  }
  if (node.message != 0) free_message(task, node.message);
  return true;
}

void tear_down_queue(Task& task) {
  u64& destroying = task.rec->destroying;
  {
    LockedQueue queue(task, destroying);
    if (!queue) return;
    finish_all(task, queue->receivers, -EIDRM, queue.wakes());
    finish_all(task, queue->senders, -EIDRM, queue.wakes());
    if (task.cell->is_poisoned()) return;
    Journal journal(task);
    journal.set(task.rec->garbage, static_cast<u64>(queue->first));
    journal.set(queue->first, 0);
    journal.set(queue->load, 0);
    journal.commit();
  }
  free_garbage(task, task.rec->garbage);
  free_block(task, destroying);
}

void reap_msg_wait(Task& reaper, TaskRec& dead, u32 dead_slot) {
  LockedQueue queue(reaper, dead.wait.object);
  if (!queue || dead.wait.linked == 0) return;
  Journal journal(reaper);
  if (!unlink_waiter(journal, *reaper.cell, list_of(*queue, dead.wait), dead_slot)) {
    give_up(reaper, kBrokenWaiters);
    return;
  }
  journal.commit();
}

void reap_messages(Task& reaper, TaskRec& dead) {
  u64& own = reaper.rec->in_flight;
  for (u64* owner : {&dead.wait.message, &dead.in_flight}) {
    if (*owner == 0) continue;
    adopt(reaper, *owner, own);
    free_message(reaper, own);
  }
  free_garbage(reaper, dead.garbage);
}

}  // namespace ipcell
