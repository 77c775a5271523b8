#include "tests/fuzz/scribble.h"

#include <cstdio>
#include <cstring>

namespace fuzz {

using ipcell::CellLayout;

template <class T>
void Scribbler::add(const char* name, const T& place) {
  fields_.push_back({name, cell_.offset_of(&place), sizeof place});
}

void Scribbler::add_tables() {
  CellLayout& layout = cell_.layout();
  add("claim_cursor", layout.header.claim_cursor);
  add("slots_high", layout.header.slots_high);
  add("reap_lock", layout.header.reap_lock.word);
  add("recovery_lock", layout.header.recovery_lock.word);
  add("msgmax", layout.header.limits.msgmax);
  add("msgmnb", layout.header.limits.msgmnb);
  add("msgmni", layout.header.limits.msgmni);
  add("semmsl", layout.header.limits.semmsl);
  add("semmns", layout.header.limits.semmns);
  add("semopm", layout.header.limits.semopm);
  add("semmni", layout.header.limits.semmni);
  add("shmmni", layout.header.limits.shmmni);
  add("shmmax", layout.header.limits.shmmax);
  add("shmall", layout.header.limits.shmall);
  add("segment_pages", layout.header.segment_pages);
  add("space.first", layout.segment_space.first);
  add("space.cursor", layout.segment_space.cursor);
  add("space.promised", layout.segment_space.promised);
  add("space.abandoned", layout.segment_space.abandoned);
  add("processes.lock", layout.processes.lock.word);
  for (auto& bucket : layout.processes.buckets) {
    if (bucket != 0) add("process_bucket", bucket);
  }
  add("mqueues.lock", layout.mqueues.lock.word);
  add("mqueues.count", layout.mqueues.count);
  add("mqueues.next_serial", layout.mqueues.next_serial);
  add("mqueues.first", layout.mqueues.first);
  add("mqueues.unlinked", layout.mqueues.unlinked);
  for (ipcell::u32 n = 0; n < ipcell::kMqueueBuckets; ++n) {
    if (layout.mqueues.names[n] != 0) add("name_bucket", layout.mqueues.names[n]);
    if (layout.mqueues.inodes[n] != 0) add("inode_bucket", layout.mqueues.inodes[n]);
  }
  add("heap.lock", layout.heap.lock.word);
  add("chunks_used", layout.heap.chunks_used);
  for (ipcell::u32 n = 0; n < ipcell::kBlockClasses; ++n) {
    add("free.head", layout.heap.classes[n].free.head);
    add("free.count", layout.heap.classes[n].free.count);
    add("bump", layout.heap.classes[n].bump);
    add("bump_end", layout.heap.classes[n].bump_end);
  }
  for (ipcell::u32 n = 0; n < layout.heap.chunks_used + 2; ++n)
    add("chunk_class", layout.heap.chunk_class[n]);
}

// What rules are made of, but for what they do to a process and how long it takes: kill, stop,
// delay.
void Scribbler::add_faults() {
  ipcell::FaultTable& table = cell_.layout().faults;
  add("faults", cell_.layout().header.faults);
  add("faults.lock", table.lock.word);
  add("faults.records", table.records);
  add("faults.cursor", table.cursor);
  add("faults.next_serial", table.next_serial);
  for (ipcell::u32 n = 0; n < kFaultRulesMade; ++n) {
    ipcell::FaultRec& rec = table.rules[n];
    add("rec.state", rec.state);
    add("rec.serial", rec.serial);
    add("rec.is_off", rec.is_off);
    add("rule.id", rec.rule.id[0]);
    add("rule.ops", rec.rule.ops);
    add("rule.pred_count", rec.rule.pred_count);
    add("rule.action_count", rec.rule.action_count);
    add("rule.text_length", rec.rule.text_length);
    add("rule.is_illegal", rec.rule.is_illegal);
    add("trigger.first", rec.rule.trigger.first);
    add("trigger.step", rec.rule.trigger.step);
    add("trigger.times", rec.rule.trigger.times);
    add("trigger.chance", rec.rule.trigger.chance);
    add("trigger.scope", rec.rule.trigger.scope);
    for (int p : {0, 1, 2}) {
      ipcell::FaultPred& pred = rec.rule.preds[p];
      add("pred.field", pred.field);
      add("pred.compare", pred.compare);
      add("pred.value", pred.value);
      add("pred.text", pred.text);
      add("pred.ops", pred.ops);
    }
    add("action.point", rec.rule.actions[0].point);
    add("action.number", rec.rule.actions[0].number);
  }
}

void Scribbler::add_registry(ipcell::Registry& registry) {
  add("registry.lock", registry.lock.word);
  add("in_use", registry.in_use);
  add("seq", registry.seq);
  add("last_idx", registry.last_idx);
  add("next_idx", registry.next_idx);
  add("max_idx", registry.max_idx);
  add("next_id", registry.next_id);
  add("total", registry.total);
  add("used_summary", registry.used_summary[0]);
  add("used", registry.used[0]);
  for (ipcell::u32 n = 0; n < 8; ++n) {
    add("entry.record", registry.entries[n].record);
    add("entry.key", registry.entries[n].key);
    add("entry.key_next", registry.entries[n].key_next);
  }
  for (ipcell::u32& bucket : registry.key_buckets) {
    if (bucket != 0) add("key_bucket", bucket);
  }
}

void Scribbler::add_tasks() {
  CellLayout& layout = cell_.layout();
  // One more: the next to attach gets it.
  for (ipcell::u32 n = 0; n <= layout.header.slots_high && n < 40; ++n) {
    ipcell::TaskRec& rec = layout.tasks[n].rec;
    add("task_state", layout.task_states[n]);
    add("token", rec.token.word);
    for (auto& intent : rec.intents) add("intent", intent);
    add("wait.word", rec.wait.word);
    add("wait.kind", rec.wait.kind);
    add("wait.linked", rec.wait.linked);
    add("wait.next", rec.wait.next);
    add("wait.prev", rec.wait.prev);
    add("wait.object", rec.wait.object);
    add("wait.type", rec.wait.type);
    add("wait.max_size", rec.wait.max_size);
    add("wait.perm_seq", rec.wait.perm_seq);
    add("wait.result", rec.wait.result);
    add("wait.message", rec.wait.message);
    add("sem.ops", rec.wait.sem.ops);
    add("sem.undo", rec.wait.sem.undo);
    add("sem.op", rec.wait.sem.op);
    add("sem.count", rec.wait.sem.count);
    add("sem.alters", rec.wait.sem.alters);
    add("sem.blocking", rec.wait.sem.blocking);
    add("in_flight", rec.in_flight);
    add("garbage", rec.garbage);
    add("destroying", rec.destroying);
    add("array", rec.array);
    add("loose", rec.loose);
    add("doomed", rec.doomed);
    add("unborn", rec.unborn);
    add("polled.queue", rec.polled[0].queue);
    add("polled.serial", rec.polled[0].serial);
    add("image", rec.image);
    add("is_execing", rec.is_execing);
    add("has_joined", rec.has_joined);
    for (auto& block : rec.journal_blocks) add("journal_block", block);
    for (int c : {0, 1, 7, 8, 9, 10, 11, 12, 13, 14, 15}) add("cache", rec.cache[c]);
    add("journal_count", rec.journal_count);
    for (int entry : {0, 1, 2}) add("journal.place", rec.journal[entry].place);
  }
}

namespace {

struct RecordWords {
  const char* name;
  std::uint64_t count;
};

// Of plain memory: a message's head, an array's with its first elements or leaves, operations.
RecordWords words_of(ipcell::BlockClass block_class) {
  switch (block_class) {
    case ipcell::BlockClass::MsgQueue: return {"queue word", sizeof(ipcell::MsgQueueRec) / 8};
    case ipcell::BlockClass::SemSet: return {"set word", sizeof(ipcell::SemSetRec) / 8};
    case ipcell::BlockClass::Segment: return {"segment word", sizeof(ipcell::SegmentRec) / 8};
    case ipcell::BlockClass::Mqueue: return {"mqueue word", sizeof(ipcell::MqueueRec) / 8};
    case ipcell::BlockClass::MqRun: return {"run word", sizeof(ipcell::MqRun) / 8};
    case ipcell::BlockClass::Attach: return {"attachment word", sizeof(ipcell::HoldRec) / 8};
    case ipcell::BlockClass::Process: return {"process word", sizeof(ipcell::ProcessRec) / 8};
    case ipcell::BlockClass::Undo: return {"undo word", sizeof(ipcell::UndoRec) / 8};
    default: return {"memory word", sizeof(ipcell::MsgBlock) / 8 + 4};
  }
}

}  // namespace

// All words of records and of what stands first in a block of memory are worth it, and a free
// block's link.
void Scribbler::add_heap_records() {
  char text[64];
  ipcell::CellCheck blocks(cell_, ipcell::CheckMode::AfterReap, text, sizeof text);
  for (ipcell::u32 chunk = 0; chunk < blocks.chunks_used(); ++chunk) {
    const RecordWords words = words_of(blocks.class_of_chunk(chunk));
    std::uint64_t offset;
    for (ipcell::u32 n = 0; (offset = blocks.block_in_chunk(chunk, n)) != 0 && n < 16; ++n) {
      for (std::uint64_t word = 0; word < words.count; ++word)
        fields_.push_back({words.name, offset + word * 8, 8});
    }
  }
}

Scribbler::Scribbler(const ipcell::Cell& cell) : cell_(cell) {
  add_tables();
  add_faults();
  add_registry(ipcell::msg_registry(cell));
  add_registry(ipcell::sem_registry(cell));
  add_registry(ipcell::shm_registry(cell));
  add_tasks();
  add_heap_records();
}

std::uint64_t Scribbler::any_block(Rng& rng) const {
  const std::uint64_t chunk = rng.below(cell_.layout().heap.chunks_used % ipcell::kChunks + 2);
  constexpr std::uint64_t kSteps[] = {64, 64, 256, 8256, 8, 4, 1};
  const std::uint64_t step = kSteps[rng.below(std::size(kSteps))];
  return ipcell::kHeapOffset + chunk * ipcell::kChunkSize + rng.below(24) * step;
}

std::uint64_t Scribbler::any_value(Rng& rng) const {
  using namespace ipcell;
  const std::uint64_t edges[] = {0,
                                 1,
                                 2,
                                 3,
                                 5,
                                 8,
                                 64,
                                 ~std::uint64_t{0},
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 std::uint64_t{1} << 63,
                                 kTaskSlots,
                                 kTaskSlots + 1,
                                 kMaxIds,
                                 kMaxIds + 1,
                                 kSegmentPages,
                                 kSegmentPages - 1,
                                 kTaskLive,
                                 kTaskClaiming,
                                 kJournalEntries,
                                 kJournalEntries + 1};
  const std::uint64_t ends[] = {
      kHeapOffset,        kHeapOffset - 8,         kCellSize,        kCellSize - 8,
      kCellSize - 64,     kCellSize - 256,         kCellSize - 4096, kHeapOffset + kHeapSize / 2,
      kCellSize << 4 | 8, (kCellSize - 8) << 4 | 8};
  switch (rng.below(8)) {
    case 0:
    case 1: return edges[rng.below(std::size(edges))];
    case 2: return ends[rng.below(std::size(ends))];
    case 3:
    case 4: return any_block(rng);
    // A slot, with or without the waiters' bit.
    case 5: return rng.below(30) | (rng.chance(30) ? kLockWaiters : 0);
    case 6: return rng.below(kCellSize) & ~std::uint64_t{7};
    default: return rng.next();
  }
}

void Scribbler::store(std::uint64_t offset, unsigned size, std::uint64_t value) {
  std::memcpy(cell_.base() + offset, &value, size);
}

void Scribbler::scribble(Rng& rng, bool tells) {
  const Field& field = fields_[rng.below(fields_.size())];
  std::uint64_t value = 0;
  std::memcpy(&value, cell_.base() + field.offset, field.size);
  switch (rng.below(6)) {
    case 0: value ^= std::uint64_t{1} << rng.below(field.size * 8ull); break;
    case 1: value += rng.below(3) * 8 - 8; break;
    case 2: {
      // What stands at another such place: right in its form, and wrong.
      const Field& other = fields_[rng.below(fields_.size())];
      std::memcpy(&value, cell_.base() + other.offset, std::min(field.size, other.size));
      break;
    }
    default: value = any_value(rng);
  }
  store(field.offset, field.size, value);
  if (!tells) return;
  std::fprintf(stderr, "  %s at %#lx = %#lx\n", field.name,
               static_cast<unsigned long>(field.offset), static_cast<unsigned long>(value));
}

}  // namespace fuzz
