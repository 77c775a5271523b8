// Messages: building them of a program's text, copying them out, freeing them.
#pragma once

#include "core/base/usercopy.h"
#include "core/cell/heap.h"

namespace ipcell {

// A message in the queue, or on its way. The text follows; what does not fit goes on in `more`.
struct MsgBlock {
  u64 free_link;  // FreeBlock::next, the heap's
  u64 next;       // next message of the queue
  u64 more;       // next piece of a long text
  u64 size;       // bytes of the whole text
  i64 type;       // right before the text, as in a program's struct msgbuf

  u8* text() { return reinterpret_cast<u8*>(this + 1); }
};
static_assert(sizeof(MsgBlock) == 40);
// Bytes of text in the largest block.
constexpr u64 kPieceText = kBlockSize[static_cast<u32>(BlockClass::Bytes8256)] - sizeof(MsgBlock);
constexpr BlockClass class_for_text(u64 size) { return class_for(sizeof(MsgBlock) + size); }

// Frees a list of messages, one after the other through the task's own in_flight.
void free_garbage(Task& task, u64& garbage);
// Frees the message that `owner` (a field of the task's own TaskRec) names.
void free_message(Task& task, u64& owner);
// A message that was built and has no place yet: in the task's free list (a ReservedBlock) while it
// fits into one block, else in its in_flight.
class BuiltMessage {
 public:
  // Builds a message of the text at `buffer`, a struct msgbuf. 0, -EFAULT, -EINVAL (type), -ENOMEM.
  int build(Task& task, const void* buffer, u64 size);
  // Builds one with the text at `text`. 0, -EFAULT, -ENOMEM.
  IPCELL_ALWAYS_INLINE int build_text(Task& task, i64 type, const void* text, u64 size) {
    if (size > kPieceText) [[unlikely]]
      return build_long(task, type, static_cast<const u8*>(text), size);
    if (const int error = reserve(task, size)) return error;
    message_->type = type;
    return copy_from_user(message_->text(), text, static_cast<std::size_t>(size));
  }
  // The same in any case in the task's in_flight.
  int build_untyped(Task& task, const void* text, u64 size);
  // Takes over the message that a wait gave back.
  void adopt_from_wait(Task& task);
  // Takes the message from where it is, in the transaction that gives it its place.
  void take(Journal& journal, Task& task) {
    if (is_in_flight_) [[unlikely]] {
      journal.set(task.rec->in_flight, 0);
    } else {
      block_.take(journal, task);
    }
  }
  void discard(Task& task) {
    if (is_in_flight_) free_message(task, task.rec->in_flight);
  }
  u64 offset() const { return offset_; }
  MsgBlock& message() const { return *message_; }

 private:
  IPCELL_ALWAYS_INLINE int reserve(Task& task, u64 size) {
    if (const int error = block_.reserve(task, class_for_text(size))) return error;
    message_ = block_.as<MsgBlock>();
    offset_ = block_.offset();
    message_->more = 0;
    message_->size = size;
    return 0;
  }
  int build_long(Task& task, i64 type, const u8* text, u64 size);

  ReservedBlock block_;
  MsgBlock* message_ = nullptr;
  u64 offset_ = 0;
  bool is_in_flight_ = false;
};

// Copies the text out to the program. 0 or -EFAULT.
int store_message(Task& task, MsgBlock& message, void* text, u64 size);
// Copies message `from` into `to`, which was built with room for it. Linux:
// ipc/msgutil.c:copy_msg()
int copy_message(const Cell& cell, MsgBlock& to, MsgBlock& from);

}  // namespace ipcell
