// Faults of this library's own: in the copies from and to the program, and in a cell's mapping.
#include <sys/mman.h>

#include "core/base/sys.h"
#include "core/base/usercopy.h"
#include "interpose/process.h"
#include "interpose/signals.h"

namespace ipcell {

namespace {

std::uintptr_t program_counter(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__i386__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_EIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#endif
}

void set_program_counter(ucontext_t& context, std::uintptr_t value) {
#if defined(__x86_64__)
  context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(value);
#elif defined(__i386__)
  context.uc_mcontext.gregs[REG_EIP] = static_cast<greg_t>(value);
#elif defined(__aarch64__)
  context.uc_mcontext.pc = value;
#endif
}

// The cell's file was cut off under us. Zeros take the missing place, so that the operation ends by
// its own checks; the header's page is then zeros as well, or poisoned, and later calls fail.
bool replace_lost_page(const void* address) {
  const Cell* cell = nullptr;
  for_each_cell([&](u32, const ProcessCell& known) {
    if (known.cell.contains(address)) cell = &known.cell;
  });
  if (cell == nullptr) return false;
  const u64 page = reinterpret_cast<std::uintptr_t>(address) / kPage * kPage;
  sys::map(page, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
  // May fault in turn, if the header is lost as well.
  cell->poison("its file lost a page: somebody cut it off");
  return true;
}

bool recover(int signal, siginfo_t* info, ucontext_t& context) {
  if (info->si_code <= 0) return false;
  if (const std::uintptr_t target = recover_usercopy(program_counter(context))) {
    set_program_counter(context, target);
    return true;
  }
  return signal == SIGBUS && replace_lost_page(info->si_addr);
}

}  // namespace

void install_fault_handlers() {
  keep_signal(SIGSEGV, recover);
  keep_signal(SIGBUS, recover);
}

}  // namespace ipcell
