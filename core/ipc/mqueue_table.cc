#include <cerrno>

#include "core/ipc/mqueue.h"
#include "core/ipc/reap.h"

namespace ipcell {

namespace {

// --------------------------------------------------------------------------- the table

using BucketLink = u64 MqueueRec::*;

void enter_bucket(Journal& journal, u64& bucket, u64 offset, MqueueRec& queue, BucketLink next) {
  journal.set_if_changed(queue.*next, bucket);
  journal.set(bucket, offset);
}

bool leave_bucket(Journal& journal, const Cell& cell, u64& bucket, u64 offset, BucketLink next) {
  u64* link = &bucket;
  for (u32 steps = 0; *link != 0 && steps <= mqueue_table(cell).count; ++steps) {
    MqueueRec* queue = mqueue_at(cell, *link);
    if (queue == nullptr) break;
    if (*link == offset) {
      journal.set(*link, queue->*next);
      return true;
    }
    link = &(queue->*next);
  }
  cell.poison("a bucket of message queues is broken");
  return false;
}

u64& name_bucket(const Cell& cell, u32 hash) {
  return mqueue_table(cell).names[hash % kMqueueBuckets];
}
u64& inode_bucket(const Cell& cell, u64 inode) {
  return mqueue_table(cell).inodes[inode % kMqueueBuckets];
}

// Takes the unlinked queue out of the table, in the open transaction.
bool leave_table(Journal& journal, const Cell& cell, u64 offset, MqueueRec& queue) {
  MqueueTable& table = mqueue_table(cell);
  if (!leave_bucket(journal, cell, inode_bucket(cell, queue.inode), offset,
                    &MqueueRec::inode_next)) {
    return false;
  }
  MqueueRec* next = mqueue_at(cell, queue.next);
  MqueueRec* prev = mqueue_at(cell, queue.prev);
  if (next != nullptr) journal.set(next->prev, queue.prev);
  if (prev != nullptr) {
    journal.set(prev->next, queue.next);
  } else {
    journal.set(table.first, queue.next);
  }
  journal.set(table.count, table.count - 1);
  journal.set(table.unlinked, table.unlinked - 1);
  return true;
}

}  // namespace

// --------------------------------------------------------------------------- finding

u32 hash_mqueue_name(const char* name, u64 length) {
  u32 hash = 2166136261u;
  for (u64 n = 0; n < length; ++n) hash = (hash ^ static_cast<u8>(name[n])) * 16777619u;
  return hash;
}

u64 find_mqueue_locked(const Cell& cell, const char* name, u64 length) {
  const u32 hash = hash_mqueue_name(name, length);
  u32 steps = 0;
  for (u64 offset = name_bucket(cell, hash); offset != 0; ++steps) {
    const MqueueRec* queue = mqueue_at(cell, offset);
    if (queue == nullptr || steps > mqueue_table(cell).count) {
      cell.poison("a bucket of message queues is broken");
      return 0;
    }
    const char* text = mqueue_name(cell, *queue);
    if (queue->name_hash == hash &&
        __builtin_memcmp(text, name, static_cast<std::size_t>(length + 1)) == 0)
      return offset;
    offset = queue->name_next;
  }
  return 0;
}

u64 find_mqueue_inode_locked(const Cell& cell, u64 inode) {
  u32 steps = 0;
  for (u64 offset = inode_bucket(cell, inode); offset != 0; ++steps) {
    const MqueueRec* queue = mqueue_at(cell, offset);
    if (queue == nullptr || steps > mqueue_table(cell).count) {
      cell.poison("a bucket of message queues is broken");
      return 0;
    }
    if (queue->inode == inode) return offset;
    offset = queue->inode_next;
  }
  return 0;
}

const char* mqueue_name(const Cell& cell, const MqueueRec& queue) {
  // As long as the longest, for those who compare with a name of that length.
  static constexpr char kNone[kMqNameMax + 1] = {};
  // A block is never nearer to the heap's end than the longest name.
  const u64* block = cell.at<u64>(queue.name);
  return block != nullptr ? reinterpret_cast<const char*>(block + 1) : kNone;
}

// --------------------------------------------------------------------------- entering and leaving

void enter_mqueue_table(Journal& journal, const Cell& cell, u64 offset, MqueueRec& queue) {
  MqueueTable& table = mqueue_table(cell);
  enter_bucket(journal, name_bucket(cell, queue.name_hash), offset, queue, &MqueueRec::name_next);
  enter_bucket(journal, inode_bucket(cell, queue.inode), offset, queue, &MqueueRec::inode_next);
  MqueueRec* first = mqueue_at(cell, table.first);
  if (first != nullptr) journal.set(first->prev, offset);
  queue.next = table.first;
  queue.prev = 0;
  journal.set(table.first, offset);
  journal.set(table.count, table.count + 1);
}

bool leave_mqueue_names(Journal& journal, const Cell& cell, u64 offset, MqueueRec& queue) {
  MqueueTable& table = mqueue_table(cell);
  if (!leave_bucket(journal, cell, name_bucket(cell, queue.name_hash), offset,
                    &MqueueRec::name_next)) {
    return false;
  }
  journal.set(queue.is_linked, 0u);
  journal.set(table.unlinked, table.unlinked + 1);
  return true;
}

bool remove_closed_mqueue_locked(Task& task, u64 offset) {
  LockedMqueue queue(task, offset);
  if (!queue || queue->is_linked != 0) return false;
  // A thread may sleep on a descriptor that another has closed.
  if (find_sleeper(task, queue->receivers) != kNoSlot ||
      find_sleeper(task, queue->senders) != kNoSlot) {
    return false;
  }
  Journal journal(task);
  if (queue->is_going == 0) {
    if (!is_mqueue_file_closed(task, queue->serial)) return false;
    // From here on it does not matter what is at its path.
    journal.set(queue->is_going, 1u);
    journal.commit();
  }
  remove_mqueue_file(task, queue->serial);
  if (!leave_table(journal, *task.cell, offset, *queue)) {
    roll_back_journal(*task.cell, *task.rec);
    return false;
  }
  const u32 told = end_notify(journal, task, *queue, -ECANCELED);
  journal.set(queue->live, 0u);
  journal.set(task.rec->destroying, offset);
  journal.commit();
  if (told != kNoSlot) queue.wakes().publish(told);
  return true;
}

void free_closed_mqueues(Task& task) {
  const Cell& cell = *task.cell;
  if (load_acquire(mqueue_table(cell).unlinked) == 0) return;
  for (bool is_more = true; is_more && !cell.is_poisoned();) {
    is_more = false;
    {
      Locked locked(task, mqueue_table(cell).lock);
      for_each_mqueue_locked(cell, [&](u64 offset, const MqueueRec& queue) {
        is_more = queue.is_linked == 0 && remove_closed_mqueue_locked(task, offset);
        return !is_more;
      });
    }
    if (is_more) tear_down_mqueue(task);
  }
}

void tear_down_mqueue(Task& task) {
  u64& destroying = task.rec->destroying;
  for (bool is_more = true; is_more;) {
    {
      LockedMqueue queue(task, destroying);
      if (!queue) return;
      finish_all(task, queue->receivers, -EBADF, queue.wakes());
      finish_all(task, queue->senders, -EBADF, queue.wakes());
      if (task.cell->is_poisoned()) return;
      Journal journal(task);
      const u64 messages = remove_run(journal, task, *queue);
      is_more = messages != 0;
      journal.set_if_changed(task.rec->garbage, messages);
      if (!is_more) {
        journal.set_if_changed(task.rec->loose, static_cast<u64>(queue->name));
        journal.set_if_changed(queue->name, 0);
        journal.set_if_changed(queue->load, 0);
      }
      journal.commit();
    }
    if (task.rec->loose != 0) free_block(task, task.rec->loose);
    free_garbage(task, task.rec->garbage);
    if (task.cell->is_poisoned()) return;
  }
  free_block(task, destroying);
}

long sys_mq_find(Task& task, int fd, MqueueDescriptor* found) {
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  const Cell& cell = *task.cell;
  if (cell.is_poisoned()) return -EIO;
  MqueueMode mode;
  if (load_acquire(mqueue_table(cell).count) == 0 || !read_mqueue_mode(fd, &mode)) return -EBADF;
  const u64 inode = mqueue_inode_of(task, fd);
  if (inode == 0) return -EBADF;
  Locked locked(task, mqueue_table(cell).lock);
  const u64 offset = find_mqueue_inode_locked(cell, inode);
  const MqueueRec* queue = mqueue_at(cell, offset);
  if (queue == nullptr) return -EBADF;
  LockedMqueue locked_queue(task, offset);
  if (!locked_queue || !read_mqueue_mode(fd, &mode)) return -EBADF;
  *found = {offset,      queue->serial,       queue->max_size,    fd,
            mode.access, queue->mode_changes, mode.is_nonblocking};
  return 0;
}

void sys_mq_closed(Task& task) {
  const Critical critical(task);
  if (leave_outer_wait(task) != 0 || task.cell->is_poisoned()) return;
  free_closed_mqueues(task);
  reap_met(task);
}

}  // namespace ipcell
