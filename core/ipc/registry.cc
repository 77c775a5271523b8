#include "core/ipc/registry.h"

namespace ipcell {

namespace {

// Linux: ipc/util.h:ipc_min_cycle (RADIX_TREE_MAP_SIZE)
constexpr i32 kMinCycle = 64;

u32 bucket_of(i32 key) { return static_cast<u32>(key) * 2654435761u >> 20 & (kKeyBuckets - 1); }

// The lowest free index in [from, end), -1 if there is none. Linux: lib/idr.c:idr_alloc_u32()
i32 find_free_idx(const Registry& registry, i32 from, i32 end) {
  for (i32 word = from / 64; word * 64 < end; ++word) {
    if (word % 64 == 0) {
      // Whole summaries of full words are skipped.
      while (word * 64 < end && registry.used_summary[word / 64] == ~0ull) word += 64;
      if (word * 64 >= end) return -1;
    }
    unsigned long long taken = registry.used[word];
    if (word == from / 64) taken |= (1ull << (from % 64)) - 1;
    if (taken == ~0ull) continue;
    const i32 idx = word * 64 + __builtin_ctzll(~taken);
    return idx < end ? idx : -1;
  }
  return -1;
}

i32 find_max_idx(const Registry& registry, i32 below) {
  for (i32 word = (below - 1) / 64; word >= 0 && below > 0; --word) {
    if (registry.used[word] != 0) return word * 64 + 63 - __builtin_clzll(registry.used[word]);
  }
  return -1;
}

void set_used(Journal& journal, Registry& registry, i32 idx, bool used) {
  const u32 word = static_cast<u32>(idx) / 64;
  const u64 bit = 1ull << (idx % 64);
  const u64 now = used ? registry.used[word] | bit : registry.used[word] & ~bit;
  journal.set(registry.used[word], now);
  const u64 summary_bit = 1ull << (word % 64);
  const u64 summary = registry.used_summary[word / 64];
  journal.set_if_changed(registry.used_summary[word / 64],
                         now == ~0ull ? summary | summary_bit : summary & ~summary_bit);
}

// Linux: lib/idr.c:idr_alloc_cyclic() with the end that ipc_idr_alloc() gives it.
i32 find_cyclic_idx(const Registry& registry) {
  i32 end = registry.in_use * 3 / 2;
  if (end < kMinCycle) end = kMinCycle;
  if (end > static_cast<i32>(kMaxIds)) end = kMaxIds;
  const bool is_inside = registry.next_idx >= 0 && registry.next_idx < end;
  i32 idx = is_inside ? find_free_idx(registry, registry.next_idx, end) : -1;
  if (idx < 0 && registry.next_idx != 0) idx = find_free_idx(registry, 0, end);
  return idx;
}

void enter_key(Journal& journal, Registry& registry, i32 idx, i32 key) {
  RegistryEntry& entry = registry.entries[idx];
  journal.set(entry.key, key);
  if (key == static_cast<i32>(Key::Private)) return;
  u32& bucket = registry.key_buckets[bucket_of(key)];
  journal.set(entry.key_next, bucket);
  journal.set(bucket, static_cast<u32>(idx) + 1);
}

void remove_key(Journal& journal, const Cell& cell, Registry& registry, i32 idx) {
  const i32 key = registry.entries[idx].key;
  if (key == static_cast<i32>(Key::Private)) return;
  u32* link = &registry.key_buckets[bucket_of(key)];
  for (u32 steps = 0; steps < kMaxIds && *link - 1 < kMaxIds; ++steps) {
    RegistryEntry& entry = registry.entries[*link - 1];
    if (*link == static_cast<u32>(idx) + 1) {
      journal.set(*link, entry.key_next);
      return;
    }
    link = &entry.key_next;
  }
  cell.poison("a registry's key chain is broken");
}

}  // namespace

Idx find_key_locked(const Cell& cell, const Registry& registry, Key key) {
  u32 next = registry.key_buckets[bucket_of(static_cast<i32>(key))];
  for (u32 steps = 0; next != 0; ++steps) {
    if (next > kMaxIds || steps == kMaxIds) {
      cell.poison("a registry's key chain is broken");
      break;
    }
    const RegistryEntry& entry = registry.entries[next - 1];
    if (entry.key == static_cast<i32>(key)) return static_cast<Idx>(next - 1);
    next = entry.key_next;
  }
  return Idx::None;
}

int add_id_locked(Journal& journal, const Cell& cell, Registry& registry, u64 offset, PermRec& perm,
                  i32 limit) {
  if (limit > static_cast<i32>(kMaxIds)) limit = kMaxIds;
  if (registry.in_use < 0 || registry.seq < 0 || registry.seq >= kMaxSeq) {
    return cell.poison("a registry's numbers are out of range");
  }
  if (registry.in_use >= limit) return -ENOSPC;
  i32 seq = registry.seq;
  i32 idx;
  if (registry.next_id < 0) {
    idx = find_cyclic_idx(registry);
    if (idx < 0) return -ENOSPC;
    // The sequence number grows each time that the search has come round.
    if (idx <= registry.last_idx && ++seq >= kMaxSeq) seq = 0;
  } else {
    seq = registry.next_id >> kIdxBits;
    idx = find_free_idx(registry, static_cast<i32>(idx_of(registry.next_id)), kMaxIds);
    if (idx < 0) return -ENOSPC;
  }
  // All up to the highest index, for those who look without the lock.
  const i32 first = idx > registry.max_idx ? registry.max_idx + 1 : idx;
  if (first < 0 || first > idx) return cell.poison("a registry's highest index is none");
  if (const int error = cell.ensure(&registry.entries[first],
                                    static_cast<u64>(idx - first + 1) * sizeof(RegistryEntry))) {
    return error;
  }
  if (registry.next_id < 0) {
    journal.set_if_changed(registry.seq, seq);
    journal.set(registry.last_idx, idx);
    journal.set(registry.next_idx, idx + 1);
  } else {
    journal.set(registry.next_id, -1);
  }
  journal.set(perm.id, seq * static_cast<i32>(kMaxIds) + idx);
  journal.set(registry.in_use, registry.in_use + 1);
  if (idx > registry.max_idx) journal.set(registry.max_idx, idx);
  set_used(journal, registry, idx, true);
  enter_key(journal, registry, idx, perm.key);
  journal.set(registry.entries[idx].record, offset);
  return perm.id;
}

void remove_id_locked(Journal& journal, const Cell& cell, Registry& registry, const PermRec& perm) {
  const i32 idx = static_cast<i32>(idx_of(perm.id));
  journal.set(registry.entries[idx].record, 0);
  remove_key(journal, cell, registry, idx);
  set_used(journal, registry, idx, false);
  journal.set(registry.in_use, registry.in_use - 1);
  if (idx == registry.max_idx) journal.set(registry.max_idx, find_max_idx(registry, idx));
}

void make_key_private_locked(Journal& journal, const Cell& cell, Registry& registry,
                             PermRec& perm) {
  const i32 idx = static_cast<i32>(idx_of(perm.id));
  remove_key(journal, cell, registry, idx);
  const i32 no_key = static_cast<i32>(Key::Private);
  journal.set_if_changed(registry.entries[idx].key, no_key);
  journal.set_if_changed(perm.key, no_key);
}

}  // namespace ipcell
