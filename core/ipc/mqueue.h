// POSIX message queues: records, and what the files of this family share.
//
//   mqueue.cc         mq_open, mq_unlink, mq_getsetattr; queues by name and by descriptor; their
//   mqueue_io.cc      mq_timedsend, mq_timedreceive; hand-off, sleepers, interruption, the dead
//   mqueue_runs.cc    the messages in the order of their priorities
//   mqueue_file.cc    the named pipe that descriptors are open on, and what poll(2) sees of it
//   mqueue_notify.cc  mq_notify
//   mqueue_poll.cc    poll(2) and its like
//   mqueue_folder.cc  what /dev/mqueue and read(2) tell
//
// One invariant carries the waiting, as for System V queues: whenever the queue's lock is free, no
// receiver waits beside a message and no sender beside room. Each operation restores it in the
// transaction in which it changes the queue. docs/locking.md, "POSIX message queues".
#pragma once

#include "core/ipc/mqueue_file.h"
#include "core/ipc/msg_text.h"
#include "core/ipc/wait.h"
#include "core/syscalls.h"

namespace ipcell {

// Linux: include/linux/ipc_namespace.h, ipc/mqueue.c
constexpr u32 kMqPriorities = 32768;  // MQ_PRIO_MAX
constexpr i64 kHardMsgMax = 65536;
constexpr i64 kHardMsgSizeMax = 16 * 1024 * 1024;
constexpr u64 kMqNameMax = 255;
// sizeof(struct msg_msg), sizeof(struct posix_msg_tree_node): what the kernel charges beside texts.
constexpr u64 kMqMessageCost = 48, kMqTreeNodeCost = 48;
constexpr i64 kMqFileSize = 80;  // FILENT_SIZE, what stat(2) tells at first

// Messages of one priority, oldest first. The run of the highest priority stands in the queue's own
// record; the others are nodes of a tree, in which the bits of the priority tell the way: at depth
// d the d-th bit from above. So it is never deeper than a priority has bits, and is never balanced.
struct MqRun {
  u64 free_link;  // FreeBlock::next
  u32 priority;
  u32 pad;
  u64 first, last;  // `next` of the last message is void
  u64 left, right;
};
static_assert(sizeof(MqRun) <= kBlockSize[static_cast<u32>(BlockClass::MqRun)]);
constexpr u32 kMqPriorityBits = 15;

// Closes: a descriptor of the queue, which ends the registration. Silences: none; it stays, but the
// new program is told nothing.
enum class MqNotifyExec : u32 { None, Closes, Silences };

// The process that a message in the empty queue is told to. Linux: struct mqueue_inode_info, notify
struct MqNotify {
  MqNotifyKind kind;  // None: nobody is registered
  i32 pid;
  u64 start_time;
  u64 pid_namespace;
  u32 witness;  // slot + 1 of the thread that registered, or that waits to be told
  i32 signal;
  u64 value;          // sigev_value
  u32 image;          // of the process; another one after exec(2) is told nothing
  MqNotifyExec exec;  // what exec(2), which has begun, will do to it
};

// Linux: ipc/mqueue.c:struct mqueue_inode_info. Guarded by lock, but for the last part.
struct MqueueRec {
  u64 free_link;  // FreeBlock::next
  LockWord lock;  // never initialised: it is valid in free records too
  u32 live;       // 1 from creation to its end
  u64 serial;     // no other queue of the cell ever has it; the name of its pipe
  u64 load;       // mq_load(): what is in the queue
  WaitList receivers, senders;
  u32 max_messages;
  u32 watched;    // who wants to know by poll(2); see kWatched...
  u64 top_first;  // the next message to be received; 0 if there is none
  // Up to here it is one cache line: all that a hand-over writes.
  u64 top_last;  // of the same priority
  u64 runs;      // MqRuns of the lower priorities
  u64 max_size;  // bytes of a message
  u32 top_priority;
  u32 mode_changes;         // counts changes of O_NONBLOCK of any open file
  i64 atime, mtime, ctime;  // seconds since the epoch
  u32 tokens;     // bytes in the pipe; a hint if is_unsure. Written as docs/locking.md tells
  u32 is_unsure;  // 1: `tokens` is to be asked for
  u32 mode;       // permission bits
  u32 uid, gid;
  u32 pad;
  MqNotify notify;
  i64 file_size;  // what stat(2) tells

  // Guarded by the table's lock.
  u64 inode;      // of the pipe
  u64 name;       // block with the name; kept when it is unlinked
  u32 is_linked;  // 1: the name leads to it
  u32 name_hash;
  u64 name_next, inode_next;  // in their buckets
  u64 next, prev;             // in the list of all
  u64 cost;                   // bytes that are charged to `payer`
  u32 payer;                  // real user id of who made it
  u32 is_going;               // 1: no descriptor is left; the pipe is being removed
};
static_assert(sizeof(MqueueRec) <= kBlockSize[static_cast<u32>(BlockClass::Mqueue)]);
static_assert(offsetof(MqueueRec, top_last) == 64);

// Messages and their bytes; one word, so that one store changes both.
constexpr u32 kMqLoadBits = 20;  // of the number
constexpr u64 mq_load(u64 messages, u64 bytes) { return bytes << kMqLoadBits | messages; }
constexpr u32 mq_messages(u64 load) { return static_cast<u32>(load & ((1u << kMqLoadBits) - 1)); }
constexpr u64 mq_bytes(u64 load) { return load >> kMqLoadBits; }
static_assert(kHardMsgMax < 1 << kMqLoadBits);

// Bits of MqueueRec::watched: tasks in poll(2), and whether it was given to an epoll instance (for
// good), one that wants edges of POLLIN or POLLOUT at that.
constexpr u32 kWatchedPollers = (1u << 24) - 1;
constexpr u32 kWatchedByEpoll = 1u << 29;
constexpr u32 kWatchedForInEdges = 1u << 30;
constexpr u32 kWatchedForOutEdges = 1u << 31;
constexpr u32 kWatchedForEdges = kWatchedForInEdges | kWatchedForOutEdges;

inline MqueueRec* mqueue_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::Mqueue ? cell.at<MqueueRec>(offset) : nullptr;
}

// A queue's record with its lock held.
class LockedMqueue {
 public:
  LockedMqueue(Task& task, u64 offset)
      : task_(task), queue_(mqueue_at(*task.cell, offset)), wakes_(*task.cell) {
    if (queue_ == nullptr) [[unlikely]] {
      task.cell->poison("a descriptor leads to no message queue");
      return;
    }
    lock(task_, queue_->lock);
  }
  ~LockedMqueue() {
    if (queue_ != nullptr) unlock(task_, queue_->lock);
  }
  LockedMqueue(const LockedMqueue&) = delete;
  LockedMqueue& operator=(const LockedMqueue&) = delete;

  explicit operator bool() const { return queue_ != nullptr; }
  // True if it still is that queue.
  bool is(u64 serial) const { return queue_->live != 0 && queue_->serial == serial; }
  MqueueRec* operator->() const { return queue_; }
  MqueueRec& operator*() const { return *queue_; }
  WakeList& wakes() { return wakes_; }

 private:
  Task& task_;
  MqueueRec* queue_;
  WakeList wakes_;  // flushed when the lock is free again
};

// --- mqueue_table.cc

inline MqueueTable& mqueue_table(const Cell& cell) { return cell.layout().mqueues; }
// Offset of the linked queue of that name, 0 if there is none. The table is locked.
u64 find_mqueue_locked(const Cell& cell, const char* name, u64 length);
// The same of the queue whose pipe has that inode number, linked or not.
u64 find_mqueue_inode_locked(const Cell& cell, u64 inode);
// Calls `visit(offset, queue)` for each queue, the newest first, until it returns false. The table
// is locked.
template <class Visit>
void for_each_mqueue_locked(const Cell& cell, Visit visit) {
  const MqueueTable& table = mqueue_table(cell);
  u32 steps = 0;
  for (u64 offset = table.first; offset != 0; ++steps) {
    MqueueRec* queue = mqueue_at(cell, offset);
    if (queue == nullptr || steps >= table.count) {
      cell.poison("the list of message queues is broken");
      return;
    }
    const u64 here = offset;
    offset = queue->next;
    if (!visit(here, *queue)) return;
  }
}
// The text of a name; with its zero byte.
const char* mqueue_name(const Cell& cell, const MqueueRec& queue);
// Removes unlinked queues that no descriptor is open on. The task holds no lock.
void free_closed_mqueues(Task& task);
// Puts the new queue into the table, in the open transaction. Table and queue are locked.
void enter_mqueue_table(Journal& journal, const Cell& cell, u64 offset, MqueueRec& queue);
// Takes its name away, in the open transaction. False if the cell is damaged. The same.
bool leave_mqueue_names(Journal& journal, const Cell& cell, u64 offset, MqueueRec& queue);
u32 hash_mqueue_name(const char* name, u64 length);
// If the queue has no name, and no descriptor leads to it: what is left of it is the task's
// `destroying`. The table is locked. False if it is in use.
bool remove_closed_mqueue_locked(Task& task, u64 offset);
// Frees what is left of the queue in task.rec->destroying.
void tear_down_mqueue(Task& task);

// --- mqueue.cc

// True if a call on the descriptor is not to sleep. The queue is locked. -EBADF.
int is_nonblocking(const MqueueRec& queue, const MqueueDescriptor& descriptor);
// Linux: fs/namei.c:generic_permission(). `wanted`: 4 to read, 2 to write. The queue is locked.
bool may_access_mqueue(const Cred& cred, const MqueueRec& queue, u32 wanted);

// --- mqueue_runs.cc; with the queue's lock held, in the caller's transaction

// True if a message of this priority wants a node that is not there.
bool wants_lower_run(const Cell& cell, const MqueueRec& queue, u32 priority);
inline bool wants_run(const Cell& cell, const MqueueRec& queue, u32 priority) {
  if (queue.top_first == 0 || priority == queue.top_priority) [[likely]]
    return false;
  return priority > queue.top_priority || wants_lower_run(cell, queue, priority);
}
// Puts a message into a queue that is not empty. `run`: a reserved MqRun, if wants_run(). False:
// the cell is damaged.
bool insert_by_priority(Journal& journal, Task& task, MqueueRec& queue, u64 offset, u32 priority,
                        const ReservedBlock& run);
// Takes the last message of the queue's own run out; the highest of the others takes its place. A
// node that it leaves empty is the task's `loose` then. False: the cell is damaged.
bool raise_run(Journal& journal, Task& task, MqueueRec& queue);
// The messages of a queue that is gone, run by run: a list for task.rec->garbage; 0 at the end.
u64 remove_run(Journal& journal, Task& task, MqueueRec& queue);

// The usual cases: the queue is empty, or has messages of that priority as its highest.
IPCELL_ALWAYS_INLINE bool insert_message(Journal& journal, Task& task, MqueueRec& queue, u64 offset,
                                         const MsgBlock& message, const ReservedBlock& run) {
  const u32 priority = static_cast<u32>(message.type);
  journal.set(queue.load,
              mq_load(mq_messages(queue.load) + 1ull, mq_bytes(queue.load) + message.size));
  if (queue.top_first == 0) {
    journal.set_if_changed(queue.top_priority, priority);
    journal.set(queue.top_first, offset);
    journal.set_if_changed(queue.top_last, offset);
    return true;
  }
  return insert_by_priority(journal, task, queue, offset, priority, run);
}
// Takes the next message out: its offset; 0 if the cell is damaged.
IPCELL_ALWAYS_INLINE u64 remove_message(Journal& journal, Task& task, MqueueRec& queue) {
  const u64 offset = queue.top_first;
  const MsgBlock* message = task.cell->at<MsgBlock>(offset);
  if (message == nullptr) [[unlikely]] {
    task.cell->poison("a message is outside of the heap");
    return 0;
  }
  journal.set(queue.load,
              mq_load(mq_messages(queue.load) - 1ull, mq_bytes(queue.load) - message->size));
  if (offset != queue.top_last) {
    journal.set(queue.top_first, static_cast<u64>(message->next));
  } else if (queue.runs == 0) [[likely]] {
    journal.set(queue.top_first, 0);
  } else if (!raise_run(journal, task, queue)) {
    return 0;
  }
  return offset;
}

// --- mqueue_io.cc

// Marks the queue's file as changed. In the caller's transaction.
IPCELL_ALWAYS_INLINE void touch_mqueue(Journal& journal, MqueueRec& queue, i64 seconds) {
  journal.set_if_changed(queue.atime, seconds);
  journal.set_if_changed(queue.mtime, seconds);
  journal.set_if_changed(queue.ctime, seconds);
}
// The same of a call that changes or tells what is not a message.
inline void touch_mqueue_state(Journal& journal, MqueueRec& queue, i64 seconds) {
  journal.set_if_changed(queue.atime, seconds);
  journal.set_if_changed(queue.ctime, seconds);
}
// The sleeper whose turn it is; the dead are passed over. kNoSlot if there is none. The queue is
// locked.
u32 find_sleeper(Task& task, const WaitList& list);
// Takes the sleeping task off its queue, for a signal handler. As cancel_msg_wait().
bool cancel_mqueue_wait(Task& task);
// What a task that died in a call left in a queue's list.
void reap_mqueue_wait(Task& reaper, TaskRec& dead, u32 dead_slot);

// --- mqueue_notify.cc

// A message is about to come into the empty queue: tells who wants to know, and takes the
// registration off in the caller's transaction. A signal is sent before the commit: who gets it
// waits for the lock, and one too many finds an empty queue. The slot of a thread to be published
// behind the commit, or kNoSlot.
u32 note_arrival(Journal& journal, Task& task, MqueueRec& queue);
// Takes the registration off, in the caller's transaction; as note_arrival().
u32 end_notify(Journal& journal, Task& task, MqueueRec& queue, i64 result);
// Takes the registration away if its process is gone.
void drop_dead_notify(Task& task, LockedMqueue& queue);
// A thread that sleeps until it is told: takes it back. The queue is locked.
void leave_notice(Journal& journal, Task& task, MqueueRec& queue, u32 slot);

// --- mqueue_poll.cc

// What a dead task left beside the messages: that it polled.
void reap_mqueues(Task& reaper, TaskRec& dead);

}  // namespace ipcell
