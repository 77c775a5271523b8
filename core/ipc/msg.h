// System V message queues: records, and what the files of this family share.
//
//   msg.cc        msgget, msgsnd, msgrcv
//   msg_ctl.cc    msgctl
//   msg_wait.cc   hand-off to receivers, admission of blocked senders, interruption, the dead
//   msg_text.cc   messages: building, copying, freeing
//
// One invariant carries the waiting: whenever the queue's lock is free, no waiting receiver matches
// a queued message and no waiting sender's message fits. Whoever changes the queue restores it
// before letting go (`unsettled` is set meanwhile: if the one who does it dies, the next to lock
// the queue goes on).
#pragma once

#include "core/ipc/msg_text.h"
#include "core/ipc/registry.h"
#include "core/ipc/wait.h"

namespace ipcell {

// Linux: include/uapi/linux/msg.h; libc's headers have them for some programs only.
constexpr int kMsgCopy = 040000;
constexpr int kMsgExcept = 020000;
constexpr int kMsgStatAny = 13;

// Queued text and messages; one word, so that one store changes both.
struct MsgLoad {
  u32 cbytes;  // bytes of text
  u32 qnum;    // messages
};

// Linux: ipc/msg.c:struct msg_queue. Guarded by lock.
struct MsgQueueRec {
  u64 free_link;  // FreeBlock::next
  LockWord lock;  // never initialised: it is valid in free records too (stale ids meet it)
  u32 live;       // 1 from creation to removal
  PermRec perm;
  u64 perm_seq;             // counts IPC_SETs: who was allowed in before must ask again
  i64 stime, rtime, ctime;  // seconds since the epoch
  u64 load;                 // MsgLoad: what is in the queue
  u64 qbytes;               // limit of its bytes, and of its number
  i32 lspid, lrpid;
  u64 first;  // oldest message, 0 if there is none
  u64 last;   // newest message; void if there is none
  WaitList receivers, senders;
  u32 unsettled;  // 1: the file head's invariant is to be restored by whoever has the lock
  // A message went past receivers whose buffers are too small, and they are still to be told: those
  // that match `refuse_type`, up to the one in slot `refuse_end`.
  u32 refusing;
  u32 refuse_end;
  u32 pad;
  u64 refuse_size;
  i64 refuse_type;

  MsgLoad held() const {
    return __builtin_bit_cast(MsgLoad, static_cast<unsigned long long>(load));
  }
};

constexpr u64 pack_load(u64 cbytes, u64 qnum) {
  return __builtin_bit_cast(unsigned long long,
                            MsgLoad{static_cast<u32>(cbytes), static_cast<u32>(qnum)});
}

static_assert(kHasObjectHead<MsgQueueRec>);
static_assert(sizeof(MsgQueueRec) <= kBlockSize[static_cast<u32>(BlockClass::MsgQueue)]);

// How a receiver searches. Linux: ipc/msg.c:SEARCH_*
enum MsgSearch : u32 {
  SEARCH_ANY = 1,
  SEARCH_EQUAL,
  SEARCH_NOTEQUAL,
  SEARCH_LESSEQUAL,
  SEARCH_NUMBER
};

inline Registry& msg_registry(const Cell& cell) { return cell.layout().registries[kFamilyMsg]; }

// --- msg_wait.cc; all with the queue's lock held

inline bool fits(const MsgQueueRec& queue, u64 size) {
  const MsgLoad held = queue.held();
  return size + held.cbytes <= queue.qbytes && held.qnum + 1ull <= queue.qbytes;
}

struct FoundMessage {
  u64 offset = 0;    // 0: none
  u64 previous = 0;  // message before it, 0 if it is the first
  MsgBlock* message = nullptr;
};
// Linux: ipc/msg.c:find_msg()
FoundMessage find_message(const Cell& cell, const MsgQueueRec& queue, i64 type, u32 mode);
// Takes the message out, in the caller's transaction.
void unlink_message(Journal& journal, const Cell& cell, MsgQueueRec& queue,
                    const FoundMessage& found);

// Sends the message: to the first waiting receiver that takes it, or into the queue. The caller's
// transaction already takes it from its owner; deliver() commits. Linux: ipc/msg.c:pipelined_send()
void deliver(Task& task, Journal& journal, MsgQueueRec& queue, u64 offset, i32 sender_pid,
             WakeList& wakes);
// Lets blocked senders in after room was made. Linux: ipc/msg.c:ss_wakeup()
void admit_senders(Task& task, MsgQueueRec& queue, WakeList& wakes);
// Restores the invariant, whatever was left undone.
void settle(Task& task, MsgQueueRec& queue, WakeList& wakes);

// Takes the sleeping task off its queue, for a signal handler. True if the operation was taken
// back; false if it was already finished.
bool cancel_msg_wait(Task& task);

// Tears the removed queue of task.rec->destroying down: sleepers get EIDRM, messages are freed.
void tear_down_queue(Task& task);
// What a task that died in msgsnd or msgrcv left in a queue's list.
void reap_msg_wait(Task& reaper, TaskRec& dead, u32 dead_slot);
// The messages that a dead task owned.
void reap_messages(Task& reaper, TaskRec& dead);

// A queue's record with its lock held.
class LockedQueue {
 public:
  LockedQueue(Task& task, u64 offset)
      : task_(task), queue_(class_of_block(*task.cell, offset) == BlockClass::MsgQueue
                                ? task.cell->at<MsgQueueRec>(offset)
                                : nullptr),
        wakes_(*task.cell) {
    if (queue_ == nullptr) [[unlikely]] {
      task.cell->poison("an identifier leads to no message queue");
      return;
    }
    lock(task_, queue_->lock);
    if (queue_->unsettled != 0) [[unlikely]]
      settle(task_, *queue_, wakes_);
  }
  ~LockedQueue() {
    if (queue_ != nullptr) unlock(task_, queue_->lock);
  }
  LockedQueue(const LockedQueue&) = delete;
  LockedQueue& operator=(const LockedQueue&) = delete;

  // False if the offset was no queue's; poisoned then, or 0.
  explicit operator bool() const { return queue_ != nullptr; }
  // True if it still is the object of that id.
  bool is(i32 id) const { return queue_->live != 0 && queue_->perm.id == id; }
  MsgQueueRec* operator->() const { return queue_; }
  MsgQueueRec& operator*() const { return *queue_; }
  WakeList& wakes() { return wakes_; }

 private:
  Task& task_;
  MsgQueueRec* queue_;
  WakeList wakes_;  // flushed when the lock is free again
};

}  // namespace ipcell
