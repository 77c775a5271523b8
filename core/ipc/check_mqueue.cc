#include "core/ipc/check_mqueue.h"

#include "core/ipc/check_sem.h"

namespace ipcell {

namespace {

constexpr int kSignals = 64;

// --------------------------------------------------------------------------- messages

// A queue's messages: of the highest priority, and in the tree of the others.
class RunsCheck {
 public:
  RunsCheck(CellCheck& check, const MqueueRec& queue, u64 offset)
      : check_(check), cell_(check.cell()), queue_(queue), offset_(offset) {}
  bool run();

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("mqueue ", queue_.serial, ": ", parts...);
  }
  bool check_chain(u64 first, u64 last, u32 priority);
  bool check_node(u64 offset, u32 depth, u32 prefix);

  CellCheck& check_;
  const Cell& cell_;
  const MqueueRec& queue_;
  u64 offset_;
  u64 messages_ = 0, bytes_ = 0;
  u32 above_[kMqPriorityBits + 1];  // priorities on the way from the root
};

bool RunsCheck::check_chain(u64 first, u64 last, u32 priority) {
  for (u64 offset = first;; ++messages_) {
    if (messages_ >= mq_messages(queue_.load)) return fail("has more messages than it says");
    if (offset == 0) return fail("the messages of priority ", priority, " end before the last");
    if (!check_message(check_, offset, true, BlockOwner::Queue, offset_)) return false;
    const auto& message = *cell_.at<MsgBlock>(offset);
    if (message.type != static_cast<i64>(priority))
      return fail("a message of priority ", message.type, " among those of ", priority);
    if (message.size > queue_.max_size) return fail("a message of ", message.size, " bytes");
    bytes_ += message.size;
    if (offset == last) break;
    offset = message.next;
  }
  ++messages_;
  return true;
}

// The first `depth` bits of all priorities from here on are `prefix`.
bool RunsCheck::check_node(u64 offset, u32 depth, u32 prefix) {
  if (offset == 0) return true;
  if (depth > kMqPriorityBits) return fail("the tree of priorities is too deep");
  if (!check_.claim(offset, BlockClass::MqRun, BlockOwner::Runs, offset_)) return false;
  const MqRun& node = *cell_.at<MqRun>(offset);
  if (node.priority >= queue_.top_priority)
    return fail("a run of priority ", node.priority, " below ", queue_.top_priority);
  if (node.priority >> (kMqPriorityBits - depth) != prefix)
    return fail("the run of priority ", node.priority, " is in another's place");
  for (u32 n = 0; n < depth; ++n) {
    if (above_[n] == node.priority) return fail("two runs of priority ", node.priority);
  }
  above_[depth] = node.priority;
  return check_chain(node.first, node.last, node.priority) &&
         check_node(node.left, depth + 1, prefix << 1) &&
         check_node(node.right, depth + 1, prefix << 1 | 1);
}

bool RunsCheck::run() {
  if (queue_.top_first == 0 && queue_.runs != 0) return fail("has priorities and no message");
  if (queue_.top_first != 0) {
    if (queue_.top_priority >= kMqPriorities)
      return fail("the highest priority is ", queue_.top_priority);
    if (!check_chain(queue_.top_first, queue_.top_last, queue_.top_priority)) return false;
    if (!check_node(queue_.runs, 0, 0)) return false;
  }
  if (messages_ == mq_messages(queue_.load) && bytes_ == mq_bytes(queue_.load)) return true;
  return fail("says ", mq_messages(queue_.load), " messages of ", mq_bytes(queue_.load),
              " bytes, they are ", messages_, " of ", bytes_);
}

// --------------------------------------------------------------------------- a queue

class MqueueCheck {
 public:
  MqueueCheck(CellCheck& check, u64 offset)
      : check_(check), cell_(check.cell()), offset_(offset), queue_(*cell_.at<MqueueRec>(offset)) {}

  // `is_object`: else it is out of the table, and being torn down.
  bool run(bool is_object, u32* waiters);

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("mqueue ", queue_.serial, ": ", parts...);
  }
  bool check_numbers();
  bool check_name();
  bool check_list(const WaitList& list, WaitKind kind, u32* waiters);
  bool check_waiter(u32 slot, const WaitNode& node, WaitKind kind);
  bool check_watched();
  bool check_notify(u32* waiters);

  CellCheck& check_;
  const Cell& cell_;
  u64 offset_;
  const MqueueRec& queue_;
};

bool MqueueCheck::check_numbers() {
  if (queue_.live != 1) return fail("is in the table and does not live");
  if (queue_.serial == 0 || queue_.serial > mqueue_table(cell_).next_serial)
    return fail("was never given its number");
  if (queue_.max_messages == 0 || queue_.max_messages > kHardMsgMax)
    return fail("takes ", queue_.max_messages, " messages");
  if (queue_.max_size == 0 || queue_.max_size > static_cast<u64>(kHardMsgSizeMax))
    return fail("takes messages of ", queue_.max_size, " bytes");
  if (mq_messages(queue_.load) > queue_.max_messages)
    return fail("has ", mq_messages(queue_.load), " messages, and takes ", queue_.max_messages);
  if (queue_.tokens > kTokensFull) return fail("has ", queue_.tokens, " tokens");
  if (queue_.is_linked > 1 || queue_.is_unsure > 1 || queue_.is_going > 1)
    return fail("has a mark that is neither 0 nor 1");
  return queue_.is_going == 0 || queue_.is_linked == 0 || fail("is going, and has a name");
}

bool MqueueCheck::check_name() {
  if (!check_.claim(queue_.name, BlockClass::Count, BlockOwner::Name, offset_)) return false;
  const char* text = mqueue_name(cell_, queue_);
  u64 length = 0;
  while (length <= kMqNameMax && text[length] != '\0') ++length;
  if (length == 0 || length > kMqNameMax) return fail("has a name of ", length, " bytes");
  if (class_of_block(cell_, queue_.name) != class_for(sizeof(u64) + length + 1))
    return fail("has its name in a block of another size");
  return queue_.name_hash == hash_mqueue_name(text, length) || fail("has another name's hash");
}

bool MqueueCheck::check_waiter(u32 slot, const WaitNode& node, WaitKind kind) {
  if (!check_.is_live(slot)) return fail("the waiter ", slot, " is no task");
  if (node.linked != 1) return fail("the waiter ", slot, " says that it is not linked");
  if (node.kind != kind) return fail("the waiter ", slot, " is in the wrong list");
  if (node.object != offset_) return fail("the waiter ", slot, " waits on ", node.object);
  if (node.result != kWaitPending)
    return fail("the waiter ", slot, " has the result ", node.result);
  const u32 word = load_acquire(node.word);
  if (word != kWaitSpinning && word != kWaitSleeping)
    return fail("the waiter ", slot, " has the wait word ", word);
  if (kind == WaitKind::Receiver) {
    if (node.message != 0) return fail("the waiting receiver ", slot, " has a message");
    return queue_.top_first == 0 || fail("receiver ", slot, " waits beside a message");
  }
  if (node.message == 0) return fail("the waiting sender ", slot, " has no message");
  if (!check_message(check_, node.message, true, BlockOwner::Waiter, slot)) return false;
  const auto& message = *cell_.at<MsgBlock>(node.message);
  if (message.size > queue_.max_size || message.type < 0 || message.type >= i64{kMqPriorities})
    return fail("sender ", slot, "'s message is none for this queue");
  return mq_messages(queue_.load) >= queue_.max_messages ||
         fail("sender ", slot, " waits beside room");
}

bool MqueueCheck::check_list(const WaitList& list, WaitKind kind, u32* waiters) {
  u32 previous = kNoSlot;
  for (u32 slot = list.first; slot != kNoSlot; ++*waiters) {
    if (slot > cell_.header().slots_high) return fail("the waiter ", slot, " is no slot");
    if (*waiters >= kTaskSlots) return fail("the list of waiters is a ring");
    const WaitNode& node = cell_.task(slot)->wait;
    if (node.prev != previous) return fail("the waiter ", slot, " has the predecessor ", node.prev);
    if (!check_waiter(slot, node, kind)) return false;
    if (previous != kNoSlot && cell_.task(previous)->wait.type > node.type)
      return fail("the waiter ", slot, " has a higher priority than the one before it");
    previous = slot;
    slot = node.next;
  }
  return list.last == previous ||
         fail("the last waiter is ", previous, ", the list says ", list.last);
}

bool MqueueCheck::check_watched() {
  u32 pollers = 0;
  for (u32 slot = 1; slot <= cell_.header().slots_high; ++slot) {
    if (!check_.is_live(slot)) continue;
    for (const PolledQueue& polled : cell_.task(slot)->polled) {
      if (polled.queue == offset_ && polled.serial == queue_.serial) ++pollers;
    }
  }
  const u32 counted = queue_.watched & ~(kWatchedByEpoll | kWatchedForEdges);
  return counted == pollers || fail("counts ", counted, " pollers, they are ", pollers);
}

bool MqueueCheck::check_notify(u32* waiters) {
  const MqNotify& notify = queue_.notify;
  if (notify.kind > MqNotifyKind::Thread) return fail("tells a process by an unknown way");
  if (notify.kind == MqNotifyKind::None) return true;
  if (notify.exec > MqNotifyExec::Silences) return fail("has an unknown mark of exec(2)");
  if (notify.witness == kNoSlot || notify.witness > cell_.header().slots_high)
    return fail("has slot ", notify.witness, " as the witness of who is told");
  if (notify.signal < 0 || notify.signal > kSignals)
    return fail("tells by the signal ", notify.signal);
  if (notify.kind != MqNotifyKind::Thread) return true;
  const WaitNode& node = cell_.task(notify.witness)->wait;
  if (!check_.is_live(notify.witness) || node.kind != WaitKind::Notice || node.linked != 1 ||
      node.object != offset_ || node.message != 0) {
    return fail("slot ", notify.witness, " does not wait to be told");
  }
  ++*waiters;
  return true;
}

bool MqueueCheck::run(bool is_object, u32* waiters) {
  bool held;
  if (!check_.check_lock(queue_.lock, "a message queue's lock", offset_, &held)) return false;
  if (held) return true;
  if (is_object) {
    return check_numbers() && check_name() && RunsCheck(check_, queue_, offset_).run() &&
           check_list(queue_.receivers, WaitKind::Receiver, waiters) &&
           check_list(queue_.senders, WaitKind::Sender, waiters) && check_watched() &&
           check_notify(waiters);
  }
  // Of one that is being torn down the messages go run by run, and `load` is not kept.
  return queue_.live == 0 || fail("is being torn down, and lives");
}

// --------------------------------------------------------------------------- torn down

// What is left of a removed queue: it has owners, and no order is asked of it.
class RuinCheck {
 public:
  RuinCheck(CellCheck& check, u64 offset)
      : check_(check), cell_(check.cell()), offset_(offset), queue_(*cell_.at<MqueueRec>(offset)) {}
  bool run() {
    if (queue_.name != 0 &&
        !check_.claim(queue_.name, BlockClass::Count, BlockOwner::Name, offset_)) {
      return false;
    }
    if (queue_.top_first == 0) return true;
    return claim_chain(queue_.top_first, queue_.top_last) && claim_node(queue_.runs, 0);
  }

 private:
  bool claim_chain(u64 first, u64 last) {
    for (u64 offset = first; offset != 0;) {
      if (!check_message(check_, offset, true, BlockOwner::Queue, offset_)) return false;
      if (offset == last) return true;
      offset = cell_.at<MsgBlock>(offset)->next;
    }
    return check_.report().fail("a removed message queue (", offset_, ") has lost messages");
  }
  bool claim_node(u64 offset, u32 depth) {
    if (offset == 0) return true;
    if (depth > kMqPriorityBits)
      return check_.report().fail("a removed message queue (", offset_, ") has a broken tree");
    if (!check_.claim(offset, BlockClass::MqRun, BlockOwner::Runs, offset_)) return false;
    const MqRun& node = *cell_.at<MqRun>(offset);
    return claim_chain(node.first, node.last) && claim_node(node.left, depth + 1) &&
           claim_node(node.right, depth + 1);
  }

  CellCheck& check_;
  const Cell& cell_;
  u64 offset_;
  const MqueueRec& queue_;
};

// --------------------------------------------------------------------------- the table

class TableCheck {
 public:
  explicit TableCheck(CellCheck& check)
      : check_(check), cell_(check.cell()), table_(mqueue_table(cell_)) {}
  bool run();

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("the message queues: ", parts...);
  }
  bool check_all();
  bool check_names();
  bool check_inodes();
  bool check_paths();

  CellCheck& check_;
  const Cell& cell_;
  const MqueueTable& table_;
  u32 linked_ = 0;
};

// The list, which is who owns their records.
bool TableCheck::check_all() {
  u32 count = 0;
  u64 previous = 0;
  for (u64 offset = table_.first; offset != 0; ++count) {
    if (count >= table_.count) return fail("count is ", table_.count, ", they are more");
    if (!check_.claim(offset, BlockClass::Mqueue, BlockOwner::Mqueues, 0)) return false;
    const MqueueRec& queue = *cell_.at<MqueueRec>(offset);
    if (queue.prev != previous) return fail("the list is broken at ", offset);
    if (queue.is_linked != 0) ++linked_;
    previous = offset;
    offset = queue.next;
  }
  if (count != table_.count) return fail("count is ", table_.count, ", they are ", count);
  return table_.unlinked == count - linked_ ||
         fail("unlinked is ", table_.unlinked, ", they are ", count - linked_);
}

bool TableCheck::check_names() {
  u32 count = 0;
  for (u32 bucket = 0; bucket < kMqueueBuckets; ++bucket) {
    for (u64 offset = table_.names[bucket]; offset != 0; ++count) {
      if (count >= linked_) return fail("the buckets of names hold too much");
      if (check_.owner_of(offset) != BlockOwner::Mqueues)
        return fail("a bucket of names holds what is no queue: ", offset);
      const MqueueRec& queue = *cell_.at<MqueueRec>(offset);
      if (queue.is_linked == 0 || queue.name_hash % kMqueueBuckets != bucket)
        return fail("the queue ", queue.serial, " is in a name's bucket that is not its own");
      offset = queue.name_next;
    }
  }
  return count == linked_ || fail("the buckets of names lack queues: ", linked_ - count);
}

bool TableCheck::check_inodes() {
  u32 count = 0;
  for (u32 bucket = 0; bucket < kMqueueBuckets; ++bucket) {
    for (u64 offset = table_.inodes[bucket]; offset != 0; ++count) {
      if (count >= table_.count) return fail("the buckets of inodes hold too much");
      if (check_.owner_of(offset) != BlockOwner::Mqueues)
        return fail("a bucket of inodes holds what is no queue: ", offset);
      const MqueueRec& queue = *cell_.at<MqueueRec>(offset);
      if (queue.inode % kMqueueBuckets != bucket)
        return fail("the queue ", queue.serial, " is in an inode's bucket that is not its own");
      offset = queue.inode_next;
    }
  }
  return count == table_.count || fail("the buckets of inodes lack queues: ", table_.count - count);
}

// Each name and each pipe leads to its own queue. (The pipe of one that is going may be removed,
// and its number another's.)
bool TableCheck::check_paths() {
  for (u64 offset = table_.first; offset != 0;) {
    const MqueueRec& queue = *cell_.at<MqueueRec>(offset);
    const char* name = mqueue_name(cell_, queue);
    u64 length = 0;
    while (length <= kMqNameMax && name[length] != '\0') ++length;
    if (queue.is_linked != 0 && find_mqueue_locked(cell_, name, length) != offset)
      return fail("the name of ", queue.serial, " does not lead to it");
    if (queue.is_going == 0 && find_mqueue_inode_locked(cell_, queue.inode) != offset)
      return fail("the pipe of ", queue.serial, " does not lead to it");
    offset = queue.next;
  }
  return true;
}

bool TableCheck::run() { return check_all() && check_names() && check_inodes() && check_paths(); }

}  // namespace

bool check_mqueues(CellCheck& check, u32* waiters) {
  bool held;
  if (!check.check_lock(mqueue_table(check.cell()).lock, "the lock of the message queues", 0,
                        &held)) {
    return false;
  }
  if (held) return true;
  if (!TableCheck(check).run()) return false;
  for (u32 chunk = 0; chunk < check.chunks_used(); ++chunk) {
    if (check.class_of_chunk(chunk) != BlockClass::Mqueue) continue;
    u64 offset;
    for (u32 n = 0; (offset = check.block_in_chunk(chunk, n)) != 0; ++n) {
      const BlockOwner owner = check.owner_of(offset);
      const bool is_ruin = owner == BlockOwner::Destroying;
      if (owner != BlockOwner::Mqueues && !is_ruin) {
        if (!check_free_record(check, offset)) return false;
        continue;
      }
      if (!MqueueCheck(check, offset).run(!is_ruin, waiters)) return false;
      if (is_ruin && !RuinCheck(check, offset).run()) return false;
    }
  }
  return true;
}

}  // namespace ipcell
