// The cell file, version by version the same for every process that maps it.
//
//   page 0        Header, and the bitmap of table pages that have memory behind them
//   ...           IPC registries (one each for messages, semaphores, shared memory)
//   ...           processes whose end takes something back
//   ...           POSIX message queues by name
//   ...           heap: lock, free lists by class, chunk watermark
//   ...           task states, then a TaskPage for each task
//   kHeapOffset   the heap's chunks
//   kCellSize     pages of shared memory segments, to the end of the file; see segment_file.h
//
// The file is sparse. Nothing in it is touched before Cell::ensure() (tables) or the heap's carving
// has put memory behind it, so that a full filesystem is an error return and never a SIGBUS.
// Every change of this file bumps kLayoutVersion; sizes and offsets are hashed into
// kLayoutSignature.
#pragma once

#include <initializer_list>

#include "core/cell/fault_rule.h"
#include "core/cell/rel_ptr.h"

namespace ipcell {

constexpr u32 kLayoutVersion = 6;
constexpr char kMagic[8] = {'i', 'p', 'c', 'e', 'l', 'l', '\r', '\n'};
constexpr u64 kPage = 4096;

// ---------------------------------------------------------------- locks and the journal

// See lock.h. 0 is free; else kLockWaiters, if somebody sleeps, and the owner's slot + 1.
struct LockWord {
  u32 word;
};
constexpr u32 kLockWaiters = 0x80000000u;

// See journal.h. One store to shared state: where, how many bytes, and what stood there.
struct JournalEntry {
  u64 place;  // offset from the cell's start, shifted left by 4, or'ed with the size (4 or 8)
  u64 old_value;
};
constexpr u32 kJournalEntries = 192;
// Longer journals go on in blocks of the heap, that the task takes before it begins.
constexpr u32 kJournalBlocks = 4;
constexpr u32 kJournalBlockEntries = 512;
constexpr u32 kJournalEntriesMax = kJournalEntries + kJournalBlocks * kJournalBlockEntries;

// ---------------------------------------------------------------- heap

// Blocks of a class are all of one size, and a chunk that serves a class serves it for ever: a
// stale offset to a queue record always meets a queue record's lock word (as SLAB_TYPESAFE_BY_RCU).
enum class BlockClass : u32 {
  // Message texts, arrays, lists of operations: the smallest that fits.
  Bytes64,
  Bytes128,
  Bytes256,
  Bytes512,
  Bytes1024,
  Bytes2048,
  Bytes4096,
  Bytes8256,
  MsgQueue,
  SemSet,
  Segment,
  Mqueue,
  MqRun,
  Process,
  Undo,
  Attach,
  Count
};
constexpr u32 kBlockClasses = static_cast<u32>(BlockClass::Count);
constexpr u32 kBlockSize[kBlockClasses] = {64,  128, 256, 512, 1024, 2048, 4096, 8256,
                                           256, 256, 256, 512, 64,   128,  256,  128};
// How many blocks of a class a task keeps for itself at most; half of it is moved at a time.
constexpr u32 kCacheLimit[kBlockClasses] = {32, 32, 32, 16, 16, 8, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4};

constexpr u64 kChunkSize = 64 * 1024;
constexpr u64 kChunks = 24 * 1024;  // 1.5 GiB: over 1 GiB of message text, whatever its sizes
constexpr u64 kHeapSize = kChunks * kChunkSize;
constexpr u64 kLargestBlock = 8256;

// A free block. The link stands at offset 0 of every block and belongs to the heap alone, in use or
// not: a record's lock word behind it stays valid, and a block that was taken can be put back by
// restoring the list's head.
struct FreeBlock {
  u64 next;  // offset of the next free block of the class; guarded by the list's owner
};

struct FreeList {
  u64 head;   // first free block
  u64 count;  // blocks in the list
};

struct ClassHeap {
  FreeList free;  // guarded by Heap::lock
  u64 bump;       // offset of the next block never handed out; guarded by Heap::lock
  u64 bump_end;   // end of the chunk that `bump` is in
};

struct Heap {
  LockWord lock;
  u32 chunks_used;  // chunks below this have memory behind them; guarded by lock
  ClassHeap classes[kBlockClasses];
  u8 chunk_class[kChunks];  // BlockClass + 1 of each chunk used, for check(); guarded by lock
};

// ---------------------------------------------------------------- tasks

constexpr u32 kTaskSlots = 16384;
// The last slots are only for tasks that first reap the dead, when all the others are taken.
constexpr u32 kReservedSlots = 16;
constexpr u32 kReadySlots = 4;  // so many of these have memory from the start
constexpr u32 kNoSlot = 0;      // slots are stored + 1; 0 is none

// Slot states (task_states[]): who is allowed to touch the slot's TaskRec.
//   0                                    free
//   kTaskClaiming | tid | pid namespace  the thread `tid` is setting it up, no token yet
//   kTaskLive                            in use; dead when its token says so; freed by reap()
constexpr u64 kTaskClaiming = 1ull << 62;
constexpr u64 kTaskLive = 2ull << 62;

// A process-shared robust mutex that only the slot's thread takes, and holds for life; the kernel
// sets FUTEX_OWNER_DIED in its first word at the thread's death by any cause. See liveness.h.
struct Token {
  u32 word;  // the futex: tid | FUTEX_WAITERS, or FUTEX_OWNER_DIED
  u8 rest[60];
};

enum class WaitKind : u32 { None, Receiver, Sender, Semop, Notice };

// A sleeper's wait word. Waker: exchange(kWaitDone); futex_wake if it was kWaitSleeping.
// kWaitNext: it was told that its turn is near, and spins. kWaitPoked: it is to look again.
constexpr u32 kWaitIdle = 0, kWaitSpinning = 1, kWaitSleeping = 2, kWaitDone = 3, kWaitNext = 4,
              kWaitPoked = 5;

// wait.result before the operation was finished by a waker.
constexpr i64 kWaitPending = 1;
// The waker asks the sleeper to start over (the kernel's -EAGAIN to a sleeping receiver).
constexpr i64 kWaitRetry = 2;

// Linux: struct sembuf.
struct SemOp {
  u16 num;
  std::int16_t op;
  u16 flags;
  u16 pad;
};

// How a process wants to be told of a message in an empty POSIX queue.
enum class MqNotifyKind : u32 { None, Nothing, Signal, Thread };

// A POSIX queue that a task watches: its record may be another's by now.
struct PolledQueue {
  u64 queue;  // offset; 0: none
  u64 serial;
};

// What a blocked semop(2) is about.
struct SemWait {
  u64 ops;       // block with the operations, if there are several; the node's own
  u64 undo;      // the process's UndoRec for the set; 0 without SEM_UNDO
  SemOp op;      // the operation, if there is one
  u32 count;     // operations
  u32 alters;    // 1: one of them is not a wait for zero
  u32 blocking;  // index of the one that could not be made when last tried
  u32 spins;     // 1: the sleeper would like to be told when its turn is near
};

// A blocked operation. The fields but `word` are guarded by the object's lock while `linked`.
struct WaitNode {
  u32 word;        // futex; written by the sleeper, and by a waker under the object's lock
  WaitKind kind;   // which list the node is in
  u32 linked;      // 1 while it is in the object's list
  u32 next, prev;  // neighbours' slots + 1
  u32 mode;        // receiver: SEARCH_*
  u64 object;      // offset of the record that it waits on
  i64 result;      // kWaitPending, kWaitRetry, 0, or -errno
  u64 message;     // receiver: the message handed over; sender: the message to be sent
  i64 type;        // receiver: type searched for; POSIX queues: scheduling priority, 0 the highest
  // Up to here it is one cache line: all that a waker writes.
  i64 max_size;  // receiver: largest text taken; sender: text size
  u64 perm_seq;  // the object's perm_seq when the sleeper was allowed in
  SemWait sem;
};

// The place of the recovery lock among the intents; the others nest four deep at most.
constexpr u32 kRecoveryIntent = 4;

// So many POSIX queues in one poll(2) are given back when it ends; more stay watched.
constexpr u32 kPolledQueues = 4;

struct TaskRec {
  Token token;
  i32 pid;  // thread group, in the pid namespace `pid_namespace`
  i32 tid;
  u64 start_time;     // of the thread group: /proc/PID/stat field 22
  u64 pid_namespace;  // inode of /proc/self/ns/pid, 0 if unknown
  // Locks that this task holds or is about to take, as offsets, outermost first. Written by the
  // task before the lock word, cleared after it: a reaper finds here what is still to be freed.
  u64 intents[kRecoveryIntent + 1];
  WaitNode wait;
  u64 in_flight;   // message being built or copied out: freed by the reaper
  u64 garbage;     // messages of a removed queue, being freed: finished by the reaper
  u64 destroying;  // object removed but not yet torn down: finished by the reaper
  u64 array;       // array being built, or freed: freed by the reaper
  u64 loose;       // block that nothing hangs on, being freed: freed by the reaper
  u64 doomed;      // segment that may be removed, nobody is attached any more: by the reaper
  u64 unborn;      // ProcessRec of a child that is about to be forked; see ipc/shm_fork.cc
  PolledQueue polled[kPolledQueues];   // that the task is in poll(2) for
  u64 journal_blocks[kJournalBlocks];  // where a long journal goes on; freed by the reaper
  u64 cache[kBlockClasses];  // first of the free blocks that this task keeps for itself, by class
  u32 image;                 // of the process's memory, a number of its own; changed by exec(2)
  u32 is_execing;            // 1: in execve(2): if the task dies in it, its image is over
  u32 journal_count;         // entries in force; 0 = committed
  u32 has_joined;            // 1: what is its process's is known to be; see attach_task()
  JournalEntry journal[kJournalEntries];
};
static_assert(sizeof(TaskRec) <= kPage);
static_assert(offsetof(TaskRec, wait) % 64 == 0 && offsetof(WaitNode, max_size) <= 64);

// A cache line longer than a page: else the tokens, which are looked at one after the other, would
// all fall into the same set of a CPU's cache.
struct alignas(64) TaskPage {
  TaskRec rec;
  u8 spread[kPage + 64 - sizeof(TaskRec)];
};
static_assert(sizeof(TaskPage) == kPage + 64);

// ---------------------------------------------------------------- registries (ipc/registry.h)

constexpr u32 kMaxIds = 32768;  // Linux: ipc/util.h:IPCMNI
constexpr u32 kKeyBuckets = 4096;

struct RegistryEntry {
  u64 record;    // offset of the object's record, 0 if the index is free
  i32 key;       // copy of the record's key, for the key chain
  u32 key_next;  // next index + 1 in the key's bucket
};

// Linux: ipc/util.h:struct ipc_ids. Guarded by lock, but for entries[].record, which may be read
// without it: the record's own lock and id then decide.
struct Registry {
  LockWord lock;
  i32 in_use;
  i32 seq;
  i32 last_idx;                         // index given last, -1 at first
  i32 next_idx;                         // where the cyclic search goes on (idr_next)
  i32 max_idx;                          // highest index in use, -1 if none
  i32 next_id;                          // {msg,sem,shm}_next_id, -1 if unset; ipc/sysctl.cc
  i64 total;                            // semaphores in all sets (used_sems); pages of segments
  u64 used_summary[kMaxIds / 64 / 64];  // bit set: the word of `used` is full
  u64 used[kMaxIds / 64];               // bit set: the index is in use
  u32 key_buckets[kKeyBuckets];         // first index + 1 of each bucket
  RegistryEntry entries[kMaxIds];
};

// ---------------------------------------------------------------- limits (ipc/limits.h)

// The namespace's sysctls; single words, read and written without a lock, and outside of a journal:
// a writer that dies has stored one or not, and no other word has to fit it. See ipc/sysctl.cc.
struct Limits {
  u32 msgmax;  // bytes of a message's text
  u32 msgmnb;  // bytes of a fresh queue
  u32 msgmni;  // queues
  // The four of kernel.sem, in its order. The first three may be negative.
  u32 semmsl;              // semaphores of a set
  u32 semmns;              // semaphores in all
  u32 semopm;              // operations of a call
  u32 semmni;              // sets
  u32 shmmni;              // segments
  u64 shmmax;              // bytes of a segment
  u64 shmall;              // pages of all segments
  u32 shm_rmid_forced;     // 1: segments end with their last attachment, or their maker
  u32 mq_queues_max;       // POSIX message queues
  u32 mq_msg_max;          // messages of one
  u32 mq_msgsize_max;      // bytes of a message
  u32 mq_msg_default;      // messages of a queue that is made without attributes
  u32 mq_msgsize_default;  // bytes of a message of it
  u32 spare[14];
};

// ---------------------------------------------------------------- processes (ipc/holds.h)

constexpr u32 kProcessBuckets = 512;

// The processes whose end takes something back, by pid. buckets[] may be read without the lock, to
// see that there are none.
struct ProcessTable {
  LockWord lock;
  u32 pad;
  u64 buckets[kProcessBuckets];  // first ProcessRec of each
};

// ---------------------------------------------------------------- POSIX queues (ipc/mqueue.h)

constexpr u32 kMqueueBuckets = 1024;

// The namespace's POSIX message queues. Linux: struct ipc_namespace, mq_*
struct MqueueTable {
  LockWord lock;
  u32 count;        // queues, those included that have lost their name
  u64 next_serial;  // of the queue that is made next
  u64 first;        // the newest queue of all
  u32 unlinked;     // queues without a name, whose last descriptor is still to be closed
  u32 pad;
  u64 names[kMqueueBuckets];   // first queue of each bucket, by name
  u64 inodes[kMqueueBuckets];  // by the inode number of its pipe
};

// ---------------------------------------------------------------- segments (ipc/segment_space.h)

// Pages of one allocation unit and offset; the memory of all segments stands in the file behind the
// heap. Guarded by the lock of the shared memory's registry.
struct SegmentSpace {
  u64 first;      // SegmentRec with the lowest pages
  u64 cursor;     // the one behind which pages were given out last; 0: none
  u64 promised;   // pages of segments that are paid for when touched
  u64 abandoned;  // segments whose pages could not be given back
  u64 marked;     // living segments with SHM_DEST
  // One task at a time asks what there is room for, and takes it.
  LockWord memory_lock;
  u32 pad;
  u64 allowance;  // pages that may be promised without asking again; guarded by memory_lock
  i64 asked_ns;   // when that was; CLOCK_MONOTONIC
  u64 untouched;  // promised pages without memory, as counted at counted_ns; guarded by memory_lock
  i64 counted_ns;
};

// What a file is made with, if the filesystem takes it: 4 TiB. Halved until it does.
constexpr u64 kSegmentPages = 1ull << 30;

// ---------------------------------------------------------------- fault rules (ipc/fault.h)

constexpr u32 kFaultRules = 64;
constexpr u32 kFaultCounters = 16384;  // a power of two
constexpr u32 kFaultSites = 8192;      // a power of two

// A part has no memory until it is needed: see ipc/fault.cc.
struct FaultTable {
  LockWord lock;
  u32 next_serial;                // guarded by lock
  u64 seed;                       // of the rules' chances; atomic
  u32 records;                    // kRecord...; atomic
  u32 lost_counters, lost_sites;  // there was no room for so many; atomic
  u32 cursor;                     // where the search for a free rule begins; guarded by lock
  FaultRec rules[kFaultRules];
  FaultCounter counters[kFaultCounters];
  FaultSite sites[kFaultSites];
};

// ---------------------------------------------------------------- the whole

enum : u32 { kFamilyMsg, kFamilySem, kFamilyShm, kFamilies };

struct Header {
  char magic[8];
  u32 version;
  u32 mode;        // the file's permission bits as it was created with
  u64 signature;   // kLayoutSignature
  u64 file_size;   // bytes, the segments' pages included
  u8 boot_id[16];  // the boot that it belongs to: pids and tokens of another are void
  u64 created;     // seconds since the epoch
  u32 poisoned;    // 1: an invariant was found broken, every call fails; atomic
  u32 orphaned;    // 1: `ipcell run` has ended and the last process out removes the folder; atomic
  u32 transient;   // 1: made by `ipcell run` without --name
  u32 claim_cursor;    // where the search for a task slot starts; a hint, atomic
  u32 slots_high;      // no slot at or above this was ever claimed, but reserved ones; only grows,
                       // atomic
  u32 namespaces;      // 1: programs in it have made IPC namespaces; atomic
  u32 mounts;          // changes of the list of mounts (kMountsFile) so far; atomic
  u32 was_mounted;     // 1: its /proc/PID/ns/ipc was given a place by mount --bind; atomic
  LockWord reap_lock;  // one reaper at a time; outermost lock
  LockWord recovery_lock;  // one recoverer of a dead task's locks at a time; innermost, see lock.cc
  char poison_reason[128];
  Limits limits;
  u64 segment_pages;   // of shared memory, behind kCellSize
  u64 user_namespace;  // inode number of the one that it belongs to, 0 if unknown; atomic
  u64 pid_namespace;   // the same of the process that made it
  u32 faults;          // which calls there are fault rules about, or all are recorded; ipc/fault.h
  u32 pad;
};

constexpr u64 kTablePagesMax = 32768;  // 128 MiB of tables

struct TablePages {
  u64 has_memory[kTablePagesMax / 64];  // bit set: the page is backed; only grows, atomic
};

struct CellLayout {
  alignas(kPage) Header header;
  alignas(kPage) TablePages table_pages;
  alignas(kPage) Heap heap;
  alignas(kPage) Registry registries[kFamilies];
  alignas(kPage) ProcessTable processes;
  alignas(kPage) MqueueTable mqueues;
  alignas(kPage) SegmentSpace segment_space;
  alignas(kPage) u64 task_states[kTaskSlots];
  alignas(kPage) TaskPage tasks[kTaskSlots];
  alignas(kPage) FaultTable faults;
};

// The same in 32- and 64-bit processes, which share cells; kLayoutSignature says it of all records.
static_assert(sizeof(Header) == 384 && sizeof(TaskRec) == 3608 && sizeof(WaitNode) == 112 &&
              sizeof(Registry) == 544872 && sizeof(Heap) == 25096 &&
              sizeof(CellLayout) == 71909376);

constexpr u64 kHeapOffset = align_up(sizeof(CellLayout), kChunkSize);
constexpr u64 kCellSize = kHeapOffset + kHeapSize;
static_assert(kHeapOffset / kPage <= kTablePagesMax);

// FNV-1a over what two builds could disagree about.
constexpr u64 hash_layout(std::initializer_list<u64> values) {
  unsigned long long hash = 14695981039346656037ull;
  for (u64 value : values) {
    for (int shift = 0; shift < 64; shift += 8)
      hash = (hash ^ ((value >> shift) & 0xff)) * 1099511628211ull;
  }
  return hash;
}

}  // namespace ipcell
