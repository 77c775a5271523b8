#include "core/ipc/msg_text.h"

#include <cerrno>

#include "core/base/usercopy.h"

namespace ipcell {

namespace {

// Allocates the piece behind `last`; the chain stays one message of in_flight.
int add_piece(Task& task, MsgBlock* last, u64 text_size, MsgBlock** piece) {
  ReservedBlock block;
  if (const int error = block.reserve(task, class_for_text(text_size))) return error;
  *piece = block.as<MsgBlock>();
  (*piece)->more = 0;
  Journal journal(task);
  block.take(journal, task);
  journal.set(last->more, block.offset());
  journal.commit();
  return 0;
}

int load_pieces(Task& task, MsgBlock* block, const u8* text, u64 size) {
  for (;;) {
    const u64 here = size < kPieceText ? size : kPieceText;
    if (copy_from_user(block->text(), text, static_cast<std::size_t>(here)) != 0) return -EFAULT;
    text += here;
    size -= here;
    if (size == 0) return 0;
    if (const int error = add_piece(task, block, size, &block)) return error;
  }
}

// The kernel reads the type, checks it, and reads the text; both at once are right unless one
// fails.
int explain_fault(const void* buffer) {
  long type;
  if (copy_from_user(&type, buffer, sizeof type) != 0) return -EFAULT;
  return type < 1 ? -EINVAL : -EFAULT;
}

}  // namespace

int BuiltMessage::build_long(Task& task, i64 type, const u8* text, u64 size) {
  if (const int error = reserve(task, size)) return error;
  message_->type = type;
  Journal journal(task);
  block_.take(journal, task);
  journal.set(task.rec->in_flight, offset_);
  journal.commit();
  is_in_flight_ = true;
  const int error = load_pieces(task, message_, text, size);
  if (error != 0) discard(task);
  return error;
}

int BuiltMessage::build(Task& task, const void* buffer, u64 size) {
  if (sizeof(long) == sizeof(i64) && size <= kPieceText) [[likely]] {
    if (const int error = reserve(task, size)) return error;
    if (copy_from_user(&message_->type, buffer, sizeof(long) + static_cast<std::size_t>(size)) != 0)
      return explain_fault(buffer);
    return message_->type < 1 ? -EINVAL : 0;
  }
  long type;
  if (copy_from_user(&type, buffer, sizeof type) != 0) return -EFAULT;
  if (type < 1) return -EINVAL;
  return build_long(task, type, static_cast<const u8*>(buffer) + sizeof type, size);
}

int BuiltMessage::build_untyped(Task& task, const void* text, u64 size) {
  return build_long(task, 0, static_cast<const u8*>(text), size);
}

void BuiltMessage::adopt_from_wait(Task& task) {
  TaskRec& own = *task.rec;
  Journal journal(task);
  journal.set(own.in_flight, static_cast<u64>(own.wait.message));
  journal.set(own.wait.message, 0);
  journal.commit();
  is_in_flight_ = true;
}

void free_garbage(Task& task, u64& garbage) {
  for (u64 n = 0; garbage != 0 && !task.cell->is_poisoned(); ++n) {
    const MsgBlock* message = task.cell->at<MsgBlock>(garbage);
    if (message == nullptr || n > kHeapSize / sizeof(MsgBlock)) {
      task.cell->poison("a queue's list of messages is broken");
      return;
    }
    const u64 next = message->next;
    Journal journal(task);
    journal.set(task.rec->in_flight, static_cast<u64>(garbage));
    journal.set(garbage, next);
    journal.commit();
    free_message(task, task.rec->in_flight);
  }
}

void free_message(Task& task, u64& owner) {
  // Each turn frees one piece and leaves the rest to the owner.
  for (u64 pieces = 0; owner != 0 && pieces <= kHeapSize / kPieceText; ++pieces) {
    const MsgBlock* block = task.cell->at<MsgBlock>(owner);
    if (block == nullptr) {
      task.cell->poison("a message is outside of the heap");
      return;
    }
    free_block(task, owner, block->more);
    if (task.cell->is_poisoned()) return;
  }
}

int store_message(Task& task, MsgBlock& message, void* text, u64 size) {
  u8* to = static_cast<u8*>(text);
  for (MsgBlock* block = &message; block != nullptr; block = task.cell->at<MsgBlock>(block->more)) {
    const u64 here = size < kPieceText ? size : kPieceText;
    if (copy_to_user(to, block->text(), static_cast<std::size_t>(here)) != 0) return -EFAULT;
    to += here;
    size -= here;
    if (size == 0) return 0;
  }
  return task.cell->poison("a message is shorter than it says");
}

int copy_message(const Cell& cell, MsgBlock& to, MsgBlock& from) {
  if (from.size > to.size) return -EINVAL;
  MsgBlock* source = &from;
  MsgBlock* target = &to;
  for (u64 left = from.size;;) {
    const u64 here = left < kPieceText ? left : kPieceText;
    // By the routine that survives a text that runs out of the cell.
    if (ipcell_usercopy(target->text(), source->text(), static_cast<std::size_t>(here)) != 0)
      return cell.poison("a message runs out of the cell");
    left -= here;
    if (left == 0) break;
    source = cell.at<MsgBlock>(source->more);
    target = cell.at<MsgBlock>(target->more);
    if (source == nullptr || target == nullptr)
      return cell.poison("a message is shorter than it says");
  }
  to.type = from.type;
  to.size = from.size;
  return 0;
}

}  // namespace ipcell
