#include "tests/unit/faults.h"

#include <cerrno>
#include <system_error>

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/base/usercopy.h"

namespace ipcell::test {

namespace {

void on_fault(int, siginfo_t*, void* context) {
  auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  auto& counter = machine.gregs[REG_RIP];
#elif defined(__i386__)
  auto& counter = machine.gregs[REG_EIP];
#else
  auto& counter = machine.pc;
#endif
  const std::uintptr_t next = recover_usercopy(static_cast<std::uintptr_t>(counter));
  if (next == 0) _exit(1);
  counter = static_cast<std::remove_reference_t<decltype(counter)>>(next);
}

}  // namespace

FaultHandler::FaultHandler() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &old_segv_);
  sigaction(SIGBUS, &action, &old_bus_);
}

FaultHandler::~FaultHandler() {
  sigaction(SIGSEGV, &old_segv_, nullptr);
  sigaction(SIGBUS, &old_bus_, nullptr);
}

GuardedPages::GuardedPages(std::size_t pages) : size_(pages * page_size()) {
  void* mapped = mmap(nullptr, size_ + page_size(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  start_ = static_cast<u8*>(mapped);
  mprotect(end(), page_size(), PROT_NONE);
}

GuardedPages::~GuardedPages() { munmap(start_, size_ + page_size()); }

std::size_t GuardedPages::page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace ipcell::test
