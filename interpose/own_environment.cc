#include "interpose/own_environment.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "interpose/child_environment.h"
#include "interpose/signals_blocked.h"

namespace ipcell {

namespace {

// What `environ` is while it is lent. Never unmapped: other threads read environments without any
// lock. So the same serves as long as the program's own does not change.
struct Loan {
  u32 lock;
  u32 users;
  char** before;
  ChildEnvironment* lent;
};
Loan g_loan;

class LockedLoan {
 public:
  LockedLoan() {
    u32 expected = 0;
    while (!compare_exchange(g_loan.lock, expected, 1u)) {
      expected = 0;
      sys::call(SYS_sched_yield);
    }
  }
  ~LockedLoan() { store_release(g_loan.lock, 0u); }
  LockedLoan(const LockedLoan&) = delete;
  LockedLoan& operator=(const LockedLoan&) = delete;

 private:
  const WithoutSignals blocked_;
};

char** entries_of(const ChildEnvironment& environment) {
  return const_cast<char**>(environment.get());
}

// The next entry, but for the fork path, which is each child's own.
char* const* next_lasting(char* const* entries) {
  while (*entries != nullptr &&
         strncmp(*entries, kFaultPathVariable, sizeof kFaultPathVariable - 1) == 0)
    ++entries;
  return entries;
}

bool is_same(char* const* entries, char* const* others) {
  for (;; ++entries, ++others) {
    entries = next_lasting(entries);
    others = next_lasting(others);
    if (*entries == nullptr || *others == nullptr) return *entries == *others;
    if (*entries != *others && strcmp(*entries, *others) != 0) return false;
  }
}

ChildEnvironment* make_lasting() {
  const long room = sys::map(0, align_up(sizeof(ChildEnvironment), kPage), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS);
  return sys::is_error(room) ? nullptr : new (room) ChildEnvironment(environ);
}

bool is_lent() { return g_loan.users > 0 && environ == entries_of(*g_loan.lent); }

}  // namespace

LentEnvironment::LentEnvironment() {
  const ChildEnvironment wanted(environ);
  const bool is_needed = wanted.is_changed() || has_fault_path();
  if (!is_needed && load_relaxed(g_loan.users) == 0) return;
  const LockedLoan locked;
  if (!is_lent()) {
    if (!is_needed) return;
    if (g_loan.lent == nullptr || !is_same(wanted.get(), g_loan.lent->get())) {
      ChildEnvironment* const fresh = make_lasting();
      if (fresh == nullptr) return;
      g_loan.lent = fresh;
    }
    g_loan.users = 0;
    g_loan.before = environ;
    environ = entries_of(*g_loan.lent);
  }
  // In place: who reads it meanwhile reads the path of one of two children.
  g_loan.lent->add_fault_path(FaultHeir::Child);
  environ = entries_of(*g_loan.lent);
  ++g_loan.users;
  is_lent_ = true;
}

LentEnvironment::~LentEnvironment() {
  if (!is_lent_) return;
  const LockedLoan locked;
  // Somebody may have set a variable: then libc has made an environment of this one.
  if (!is_lent()) return;
  if (--g_loan.users == 0) environ = g_loan.before;
}

}  // namespace ipcell
