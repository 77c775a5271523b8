#include "core/ipc/fault.h"

#include <cerrno>

#include "core/base/clock.h"
#include "core/cell/lock.h"
#include "core/ipc/text.h"

namespace ipcell {

namespace {

FaultTable& table_of(const Cell& cell) { return cell.layout().faults; }

bool is_same(const char* text, const char* other) {
  for (u32 n = 0; n < kFaultIdMax; ++n) {
    if (text[n] != other[n]) return false;
    if (text[n] == '\0') return true;
  }
  return true;
}

FaultRec* find_locked(const Cell& cell, const char* id) {
  FaultTable& table = table_of(cell);
  for (FaultRec& rec : table.rules) {
    if (rec.state == kFaultSet && is_same(rec.rule.id, id)) return &rec;
  }
  return nullptr;
}

// The places are taken in turn: who still follows a rule that is being removed will hardly find
// another one there.
FaultRec* find_free_locked(const Cell& cell) {
  FaultTable& table = table_of(cell);
  for (u32 n = 0; n < kFaultRules; ++n) {
    FaultRec& rec = table.rules[(table.cursor + n) % kFaultRules];
    if (rec.state == kFaultFree) return &rec;
  }
  return nullptr;
}

void give_id(FaultRule& rule, u32 serial) {
  TextWriter text(rule.id, kFaultIdMax);
  text.put_char('r');
  text.put_unsigned(serial, 0);
  text.put_char('\0');
}

u32 operations_of(const FaultRule& rule) {
  return static_cast<u32>(rule.ops) & ((1u << kFaultOps) - 1);
}

// What Header::faults has to say of what is in force.
u32 summary_locked(const FaultTable& table) {
  u32 summary = table.records != kRecordNothing ? kFaultsRecorded : 0;
  for (const FaultRec& rec : table.rules) {
    if (rec.state == kFaultSet) summary |= operations_of(rec.rule);
  }
  return summary;
}

// The part that every rule needs.
int ensure_rules(const Cell& cell) {
  const FaultTable& table = table_of(cell);
  return cell.ensure(&table, offsetof(FaultTable, counters));
}

bool needs_counters(const FaultRule& rule) {
  return rule.trigger.scope != FaultScope::Global || rule.trigger.chance < 1ull << 32;
}

// The stores of this file need no journal: each is a whole step, and in their order a death between
// two of them leaves bits in Header::faults, which costs time, and nothing else.

// Its counters stay: their key has the rule's serial number.
void remove_locked(Task& task, FaultRec& rec) {
  store_release(rec.state, static_cast<u32>(kFaultFree));
  kill_barrier();
  store_relaxed(task.cell->header().faults, summary_locked(table_of(*task.cell)));
}

u32 slot_of(u64 key, u32 slots) { return static_cast<u32>((key ^ key >> 29) % slots); }

}  // namespace

int add_fault_rule(Task& task, FaultRule& rule) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned()) return -EIO;
  FaultTable& table = table_of(cell);
  if (const int error = ensure_rules(cell)) return error;
  if (needs_counters(rule)) {
    if (const int error = cell.ensure(table.counters, sizeof table.counters)) return error;
  }
  const Locked locked(task, table.lock);
  FaultRec* rec = find_free_locked(cell);
  if (rec == nullptr) return -ENOSPC;
  const u32 serial = table.next_serial + 1;
  if (rule.id[0] == '\0') give_id(rule, serial);
  if (find_locked(cell, rule.id) != nullptr) return -EEXIST;
  // Nobody follows it before it is set.
  rec->serial = serial;
  rec->added_ns = nanoseconds_of(CLOCK_MONOTONIC);
  rec->matched = rec->fired = rec->refused = 0;
  rec->is_off = 0;
  __builtin_memcpy(&rec->rule, &rule, sizeof rule);
  kill_barrier();
  store_relaxed(table.next_serial, serial);
  store_relaxed(table.cursor, static_cast<u32>(rec - table.rules) + 1);
  kill_barrier();
  store_relaxed(cell.header().faults, summary_locked(table) | operations_of(rule));
  kill_barrier();
  store_release(rec->state, static_cast<u32>(kFaultSet));
  return 0;
}

int remove_fault_rule(Task& task, const char* id) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (!has_faults(*task.cell)) return -ENOENT;
  const Locked locked(task, table_of(*task.cell).lock);
  FaultRec* rec = find_locked(*task.cell, id);
  if (rec == nullptr) return -ENOENT;
  remove_locked(task, *rec);
  return 0;
}

int remove_fault_rules(Task& task, bool (*is_wanted)(const void* context, const FaultRule& rule),
                       const void* context) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (!has_faults(*task.cell)) return 0;
  FaultTable& table = table_of(*task.cell);
  const Locked locked(task, table.lock);
  int count = 0;
  for (FaultRec& rec : table.rules) {
    if (rec.state != kFaultSet || (is_wanted != nullptr && !is_wanted(context, rec.rule))) continue;
    remove_locked(task, rec);
    ++count;
  }
  return count;
}

int set_fault_seed(Task& task, u64 seed) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (const int error = ensure_rules(*task.cell)) return error;
  store_relaxed(table_of(*task.cell).seed, seed);
  return 0;
}

int record_fault_sites(Task& task, u32 records) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned()) return -EIO;
  FaultTable& table = table_of(cell);
  if (const int error = cell.ensure(&table, sizeof table)) return error;
  const Locked locked(task, table.lock);
  store_relaxed(table.records, records);
  kill_barrier();
  store_relaxed(cell.header().faults, summary_locked(table));
  return 0;
}

const FaultRec* fault_rule_at(const Cell& cell, u32 number) {
  if (number >= kFaultRules || !has_faults(cell)) return nullptr;
  const FaultRec& rec = table_of(cell).rules[number];
  return load_acquire(rec.state) == kFaultSet ? &rec : nullptr;
}

FaultCounter* fault_counter(const Cell& cell, u64 key) {
  FaultTable& table = table_of(cell);
  if (key == 0) key = 1;
  const u32 start = slot_of(key, kFaultCounters);
  constexpr u32 kTries = 256;
  for (u32 n = 0; n < kTries; ++n) {
    FaultCounter& counter = table.counters[(start + n) % kFaultCounters];
    u64 present = load_acquire(counter.key);
    if (present == 0 && compare_exchange(counter.key, present, key)) return &counter;
    if (present == key) return &counter;
  }
  __atomic_fetch_add(&table.lost_counters, 1, __ATOMIC_RELAXED);
  return nullptr;
}

}  // namespace ipcell
