#include "core/ipc/mqueue.h"

namespace ipcell {

namespace {

constexpr char kBrokenRuns[] = "a message queue's tree of priorities is broken";

MqRun* run_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::MqRun ? cell.at<MqRun>(offset) : nullptr;
}

// A place that names a run or is empty, and what stands there.
struct Place {
  u64* link;
  MqRun* run;
};

// The place of the priority's run, or where it is to be put. `link` is nullptr if the cell is
// damaged.
Place find_run(const Cell& cell, MqueueRec& queue, u32 priority) {
  u64* link = &queue.runs;
  for (u32 depth = 0; depth <= kMqPriorityBits; ++depth) {
    if (*link == 0) return {link, nullptr};
    MqRun* run = run_at(cell, *link);
    if (run == nullptr) break;
    if (run->priority == priority) return {link, run};
    const bool bit =
        depth < kMqPriorityBits && (priority >> (kMqPriorityBits - 1 - depth) & 1) != 0;
    link = bit ? &run->right : &run->left;
  }
  cell.poison(kBrokenRuns);
  return {nullptr, nullptr};
}

// All of a run's right side is above all of its left side; the run itself is anywhere.
Place find_highest(const Cell& cell, MqueueRec& queue) {
  Place best = {nullptr, nullptr};
  u64* link = &queue.runs;
  for (u32 depth = 0; depth <= kMqPriorityBits && *link != 0; ++depth) {
    MqRun* run = run_at(cell, *link);
    if (run == nullptr) break;
    if (best.run == nullptr || run->priority > best.run->priority) best = {link, run};
    link = run->right != 0 ? &run->right : &run->left;
  }
  if (best.run == nullptr) cell.poison(kBrokenRuns);
  return best;
}

// Takes the run out of the tree: any leaf below it can have its place.
bool unlink_run(Journal& journal, const Cell& cell, const Place& place) {
  u64* leaf_link = place.link;
  MqRun* leaf = place.run;
  for (u32 depth = 0; (leaf->left | leaf->right) != 0; ++depth) {
    leaf_link = leaf->right != 0 ? &leaf->right : &leaf->left;
    leaf = run_at(cell, *leaf_link);
    if (leaf == nullptr || depth > kMqPriorityBits) {
      cell.poison(kBrokenRuns);
      return false;
    }
  }
  const u64 offset = *leaf_link;
  journal.set(*leaf_link, 0);
  if (leaf == place.run) return true;
  journal.set_if_changed(leaf->left, place.run->left);
  journal.set_if_changed(leaf->right, place.run->right);
  journal.set(*place.link, offset);
  return true;
}

// Messages of one priority.
struct Chain {
  u32 priority;
  u64 first, last;
};

bool link_run(Journal& journal, Task& task, const Place& place, const ReservedBlock& block,
              const Chain& wanted) {
  MqRun* const run = block.as<MqRun>();
  // None was reserved: the tree has been scribbled over since.
  if (run == nullptr) {
    task.cell->poison(kBrokenRuns);
    return false;
  }
  // It still is the first of the task's free list, which its free_link holds together.
  run->priority = wanted.priority;
  run->first = wanted.first;
  run->last = wanted.last;
  run->left = run->right = 0;
  block.take(journal, task);
  journal.set(*place.link, block.offset());
  return true;
}

bool append(Journal& journal, const Cell& cell, u64& last, u64 offset) {
  MsgBlock* tail = cell.at<MsgBlock>(last);
  if (tail == nullptr) {
    cell.poison("a message is outside of the heap");
    return false;
  }
  journal.set(tail->next, offset);
  journal.set(last, offset);
  return true;
}

void set_top(Journal& journal, MqueueRec& queue, u32 priority, u64 first, u64 last) {
  journal.set_if_changed(queue.top_priority, priority);
  journal.set(queue.top_first, first);
  journal.set_if_changed(queue.top_last, last);
}

}  // namespace

bool wants_lower_run(const Cell& cell, const MqueueRec& queue, u32 priority) {
  return find_run(cell, const_cast<MqueueRec&>(queue), priority).run == nullptr;
}

bool insert_by_priority(Journal& journal, Task& task, MqueueRec& queue, u64 offset, u32 priority,
                        const ReservedBlock& block) {
  const Cell& cell = *task.cell;
  if (priority == queue.top_priority) return append(journal, cell, queue.top_last, offset);
  const bool is_higher = priority > queue.top_priority;
  const Place place = find_run(cell, queue, is_higher ? queue.top_priority : priority);
  if (place.link == nullptr) return false;
  if (is_higher) {
    if (place.run != nullptr) {
      cell.poison(kBrokenRuns);
      return false;
    }
    const Chain lower = {queue.top_priority, queue.top_first, queue.top_last};
    if (!link_run(journal, task, place, block, lower)) return false;
    set_top(journal, queue, priority, offset, offset);
    return true;
  }
  if (place.run != nullptr) return append(journal, cell, place.run->last, offset);
  return link_run(journal, task, place, block, {priority, offset, offset});
}

bool raise_run(Journal& journal, Task& task, MqueueRec& queue) {
  const Place highest = find_highest(*task.cell, queue);
  if (highest.run == nullptr) return false;
  const u64 offset = *highest.link;
  set_top(journal, queue, highest.run->priority, highest.run->first, highest.run->last);
  if (!unlink_run(journal, *task.cell, highest)) return false;
  journal.set(task.rec->loose, offset);
  return true;
}

u64 remove_run(Journal& journal, Task& task, MqueueRec& queue) {
  const u64 first = queue.top_first;
  if (first == 0) return 0;
  MsgBlock* last = task.cell->at<MsgBlock>(queue.top_last);
  if (last == nullptr) {
    task.cell->poison("a message is outside of the heap");
    return 0;
  }
  journal.set_if_changed(last->next, 0);
  if (queue.runs == 0) {
    journal.set(queue.top_first, 0);
  } else if (!raise_run(journal, task, queue)) {
    return 0;
  }
  return first;
}

}  // namespace ipcell
