#include "core/ipc/address_map.h"

#include <sys/mman.h>

#include "core/cell/futex.h"

namespace ipcell {

namespace {

constexpr u32 kFree = 0, kAwaited = 0x80000000u;

// Marks a change of the pieces for those who look without the lock.
class Changing {
 public:
  explicit Changing(u32& version) : version_(version) { step(); }
  ~Changing() { step(); }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

 private:
  void step() {
    __atomic_store_n(&version_, version_ + 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }
  u32& version_;
};

}  // namespace

void AddressMap::lock(u32 tid) {
  if ((load_relaxed(lock_) & ~kAwaited) == tid) {
    ++depth_;
    return;
  }
  u32 expected = kFree;
  u32 wanted = tid;
  while (!compare_exchange(lock_, expected, wanted)) {
    // From here on nobody knows how many wait: the next to have it wakes one more.
    wanted = tid | kAwaited;
    const u32 awaited = expected | kAwaited;
    if (expected == kFree) continue;
    if (expected == awaited || compare_exchange(lock_, expected, awaited))
      futex_wait(lock_, awaited, kRecheckNs);
    expected = kFree;
  }
  depth_ = 1;
}

bool AddressMap::is_locked_by(u32 tid) const { return (load_acquire(lock_) & ~kAwaited) == tid; }

void AddressMap::unlock() {
  if (--depth_ != 0) return;
  if ((exchange(lock_, kFree) & kAwaited) != 0) futex_wake(lock_, 1);
}

void AddressMap::reset_lock() {
  file.reset_lock();
  depth_ = 0;
  version_ &= ~1u;
  store_release(lock_, kFree);
}

bool AddressMap::may_meet(u64 start, u64 end) const {
  // Whoever changes the pieces waits for nothing meanwhile. But a child may have been forked just
  // then by means that nobody saw.
  constexpr int kTries = 1'000'000;
  for (int n = 0; n < kTries; ++n) {
    const u32 version = load_acquire(version_);
    if ((version & 1) != 0) {
      cpu_relax();
      if (n % 64 == 63) sys::call(SYS_sched_yield);
      continue;
    }
    const i32 lowest = count_ != 0 ? find_from(start) : -1;
    const bool meets = lowest >= 0 && pieces_[lowest].start < end;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (load_relaxed(version_) == version) return meets;
  }
  return true;
}

bool AddressMap::make_room(u32 more) {
  if (pieces_ == nullptr) {
    const long address = sys::map(0, kPieces * sizeof(Piece), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (sys::is_error(address)) return false;
    pieces_ = reinterpret_cast<Piece*>(address);
  }
  return count_ + more <= kPieces;
}

u32 AddressMap::lower_bound(u64 address) const {
  u32 first = 0, last = count_;
  while (first < last) {
    const u32 middle = first + (last - first) / 2;
    if (pieces_[middle].start >= address) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

void AddressMap::add(const Piece& piece) {
  const u32 index = lower_bound(piece.start);
  const Changing changing(version_);
  __builtin_memmove(pieces_ + index + 1, pieces_ + index, (count_ - index) * sizeof(Piece));
  pieces_[index] = piece;
  store_relaxed(count_, count_ + 1);
}

void AddressMap::erase(u32 index) {
  const Changing changing(version_);
  __builtin_memmove(pieces_ + index, pieces_ + index + 1, (count_ - index - 1) * sizeof(Piece));
  store_relaxed(count_, count_ - 1);
}

bool AddressMap::split(u64 address, u32* index) {
  const i32 found = find(address);
  if (found < 0 || pieces_[found].start == address || !make_room(1)) return false;
  Piece upper = pieces_[found];
  pieces_[found].end = address;
  upper.page += (address - upper.start) / kPage;
  upper.start = address;
  add(upper);
  *index = static_cast<u32>(found);
  return true;
}

void AddressMap::resize(u32 index, u64 start, u64 end) {
  const Changing changing(version_);
  Piece& piece = pieces_[index];
  piece.page = piece.page + start / kPage - piece.start / kPage;
  piece.start = start;
  piece.end = end;
}

void AddressMap::set_border(u32 upper, u64 address) {
  const Changing changing(version_);
  Piece& above = pieces_[upper];
  Piece& below = pieces_[upper + 1];
  above.page = below.page + (address - below.start) / kPage;
  above.start = below.end = address;
}

i32 AddressMap::find(u64 address) const {
  const u32 index = lower_bound(address + 1);
  return index < count_ && address < pieces_[index].end ? static_cast<i32>(index) : -1;
}

i32 AddressMap::find_from(u64 address) const {
  const i32 here = find(address);
  if (here >= 0) return here;
  // The one above all that start at or below the address.
  return static_cast<i32>(lower_bound(address + 1)) - 1;
}

}  // namespace ipcell
