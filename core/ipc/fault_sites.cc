// What calls are made, and from where: for `ipcell sweep`.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "core/ipc/fault_call.h"

namespace ipcell {

namespace {

void copy_text(char* out, std::size_t size, const char* text) {
  std::size_t n = 0;
  for (; n + 1 < size && text[n] != '\0'; ++n) out[n] = text[n];
  out[n] = '\0';
}

// Which of the process's calls of that operation it is, from 1.
u64 number_of_call(const Cell& cell, FaultOp op, u64 process) {
  FaultCounter* counter = fault_counter(cell, mix_fault_hash(process, 1000 + static_cast<u64>(op)));
  return counter != nullptr ? __atomic_add_fetch(&counter->matched, 1, __ATOMIC_RELAXED) : 0;
}

u32 kind_of(FaultFacts& facts) {
  const FaultArgs& args = facts.args();
  const u32 flags = facts.flags();
  u32 seen = (flags & IPC_NOWAIT) != 0 ? kSiteNowait : kSiteWaits;
  if (args.ops != nullptr) {
    if ((flags & SEM_UNDO) != 0) seen |= kSiteUndo;
    if (args.number > 1) seen |= kSiteMany;
  }
  if (args.op == FaultOp::MqNotify && args.number != 0) return seen | kSiteCreates;
  const bool is_open = args.op == FaultOp::MqOpen;
  if (!is_get(args.op) && !is_open) return seen;
  const u32 create = is_open ? static_cast<u32>(O_CREAT) : static_cast<u32>(IPC_CREAT);
  const u32 exclude = is_open ? static_cast<u32>(O_EXCL) : static_cast<u32>(IPC_EXCL);
  if ((flags & create) != 0 || args.key == 0) seen |= kSiteCreates;
  if ((flags & create) != 0 && (flags & exclude) != 0) seen |= kSiteExclusive;
  return seen;
}

FaultSite* claim(FaultTable& table, u64 key, bool* is_new) {
  if (key == 0) key = 1;
  constexpr u32 kTries = 256;
  for (u32 n = 0; n < kTries; ++n) {
    FaultSite& site = table.sites[(key + n) % kFaultSites];
    u64 present = load_acquire(site.key);
    if (present == 0 && compare_exchange(site.key, present, key)) {
      *is_new = true;
      return &site;
    }
    if (present == key) return &site;
  }
  __atomic_fetch_add(&table.lost_sites, 1, __ATOMIC_RELAXED);
  return nullptr;
}

}  // namespace

FaultSite* record_fault_site(FaultFacts& facts) {
  const Cell& cell = *facts.task().cell;
  FaultTable& table = cell.layout().faults;
  const u32 records = load_relaxed(table.records);
  if (records == kRecordNothing) return nullptr;
  const FaultArgs& args = facts.args();
  const FaultHost* host = facts.task().fault_host;
  const char* path = host != nullptr ? host->path : "0";
  const char* caller = facts.caller();
  u64 key = hash_fault_text(caller, __builtin_strlen(caller));
  key = mix_fault_hash(key, facts.caller_offset());
  key = mix_fault_hash(mix_fault_hash(key, static_cast<u64>(args.op)),
                       static_cast<u64>(args.command) + 1);
  u64 number = 0;
  if (records == kRecordCalls) {
    const u64 process = hash_fault_text(path, __builtin_strlen(path));
    number = number_of_call(cell, args.op, process);
    key = mix_fault_hash(mix_fault_hash(key, process), number);
  }
  bool is_new = false;
  FaultSite* site = claim(table, key, &is_new);
  if (site == nullptr) return nullptr;
  if (is_new) {
    site->op = args.op;
    site->command = args.command;
    site->number = number;
    site->offset = facts.caller_offset();
    copy_text(site->caller, sizeof site->caller, caller);
    copy_text(site->program, sizeof site->program, host != nullptr ? host->program : "");
    copy_text(site->process, sizeof site->process, path);
    store_release(site->is_ready, 1u);
  }
  __atomic_fetch_add(&site->count, 1, __ATOMIC_RELAXED);
  mark_fault_site(site, kind_of(facts));
  return site;
}

void mark_fault_site(FaultSite* site, u32 seen) {
  if (site != nullptr) __atomic_fetch_or(&site->seen, seen, __ATOMIC_RELAXED);
}

}  // namespace ipcell
