#include "interpose/open_semaphores.h"

#include <cerrno>
#include <sys/mman.h>

#include "core/base/atomic.h"
#include "core/base/sys.h"
#include "core/cell/futex.h"
#include "core/cell/layout.h"
#include "interpose/process.h"
#include "interpose/signals_blocked.h"

namespace ipcell {

namespace {

struct OpenSemaphore {
  SemaphoreId id;
  sem_t* at;
  // 0: the place is free. Stored last by who fills the place: a child forked meanwhile has none of
  // it, or all.
  u64 references;
};

// Pages are never given back.
struct TablePage {
  TablePage* next;
  OpenSemaphore entries[(kPage - sizeof(void*)) / sizeof(OpenSemaphore)];
};
static_assert(sizeof(TablePage) <= kPage);

TablePage* g_pages;  // guarded by TableLock, as are the entries

// For the time of a function. No handler may come in between, which may open semaphores as well.
class TableLock {
 public:
  TableLock() : word_(word_of_this_process()) {
    u32 free = 0;
    if (compare_exchange(word_, free, kTaken)) return;
    while (exchange(word_, kContended) != 0) (void)futex_wait(word_, kContended, kPatientNs);
  }
  ~TableLock() {
    if (exchange(word_, 0u) == kContended) futex_wake(word_, 1);
  }
  TableLock(const TableLock&) = delete;
  TableLock& operator=(const TableLock&) = delete;

 private:
  static constexpr u32 kTaken = 1, kContended = 2;
  const WithoutSignals blocked_;
  u32& word_;
};

// An address or -errno.
long map(u64 size, int flags, long fd) {
  return sys::map(0, size, PROT_READ | PROT_WRITE, flags, fd);
}

// The first entry that `is_it` accepts, or nullptr.
template <class IsIt>
OpenSemaphore* find(IsIt is_it) {
  for (TablePage* page = g_pages; page != nullptr; page = page->next) {
    for (OpenSemaphore& entry : page->entries) {
      if (is_it(entry)) return &entry;
    }
  }
  return nullptr;
}

bool is_same(const SemaphoreId& a, const SemaphoreId& b) {
  return a.inode == b.inode && a.device == b.device && a.slashes == b.slashes;
}

// nullptr: there is no memory for it.
OpenSemaphore* free_entry() {
  OpenSemaphore* entry = find([](const OpenSemaphore& e) { return e.references == 0; });
  if (entry != nullptr) return entry;
  const long address = map(kPage, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (sys::is_error(address)) return nullptr;
  auto* page = reinterpret_cast<TablePage*>(address);
  page->next = g_pages;
  store_release(g_pages, page);
  return &page->entries[0];
}

}  // namespace

long map_semaphore(long fd) { return map(sizeof(sem_t), MAP_SHARED, fd); }

void unmap_semaphore(sem_t* semaphore) {
  sys::call(SYS_munmap, sys::arg(semaphore), static_cast<long>(sizeof *semaphore));
}

long use_semaphore(const SemaphoreId& id, long fd, sem_t* fresh, sem_t** semaphore) {
  const TableLock lock;
  OpenSemaphore* entry =
      find([&](const OpenSemaphore& e) { return e.references != 0 && is_same(e.id, id); });
  if (entry != nullptr) {
    // Another thread was faster to open what this one has made.
    if (fresh != nullptr) unmap_semaphore(fresh);
    ++entry->references;
    *semaphore = entry->at;
    return 0;
  }
  entry = free_entry();
  const long address = fresh != nullptr ? sys::arg(fresh) : map_semaphore(fd);
  if (entry == nullptr || sys::is_error(address)) {
    if (!sys::is_error(address)) unmap_semaphore(reinterpret_cast<sem_t*>(address));
    return entry == nullptr ? -ENOMEM : address;
  }
  entry->id = id;
  entry->at = reinterpret_cast<sem_t*>(address);
  store_release(entry->references, 1);
  *semaphore = entry->at;
  return 0;
}

bool drop_semaphore(sem_t* semaphore) {
  if (load_acquire(g_pages) == nullptr) return false;
  const TableLock lock;
  OpenSemaphore* entry =
      find([&](const OpenSemaphore& e) { return e.references != 0 && e.at == semaphore; });
  if (entry == nullptr) return false;
  store_release(entry->references, entry->references - 1);
  if (entry->references == 0) unmap_semaphore(semaphore);
  return true;
}

}  // namespace ipcell
