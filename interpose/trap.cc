// Inline system calls under `ipcell run --trap`: SIGSYS comes instead, and its handler makes the
// call as syscall(2) would. See core/base/trap.h.
#include <errno.h>
#include <linux/audit.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "core/base/sys.h"
#include "core/base/trap.h"
#include "core/base/usercopy.h"
#include "interpose/by_number.h"
#include "interpose/fault_host.h"
#include "interpose/signal_masks.h"
#include "interpose/signals.h"

namespace ipcell {

namespace {

constexpr int kSysSeccomp = 1;  // Linux: SYS_SECCOMP, the si_code

// The registers of a call, on each machine.
#if defined(__x86_64__)
constexpr u32 kOwnArchitecture = AUDIT_ARCH_X86_64;

class Registers {
 public:
  explicit Registers(ucontext_t& context) : all_(context.uc_mcontext.gregs) {}

  long argument(int n) const {
    constexpr int kPlaces[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    return all_[kPlaces[n]];
  }
  long result() const { return all_[REG_RAX]; }
  // Where the thread goes on.
  const void* next_instruction() const { return reinterpret_cast<const void*>(all_[REG_RIP]); }
  void set_result(long value) { all_[REG_RAX] = value; }
  void set_first(long value) { all_[REG_RDI] = value; }
  // The call is made again when the thread goes on.
  void repeat(long number) {
    all_[REG_RAX] = number;
    all_[REG_RIP] -= 2;
  }
  bool is_behind_call() const {
    u16 instruction = 0;
    const auto* const before = reinterpret_cast<const void*>(all_[REG_RIP] - 2);
    return copy_from_user(&instruction, before, sizeof instruction) == 0 && instruction == 0x050f;
  }
  // At the first instruction of a handler: what it interrupts, else nullptr. The kernel has put the
  // context right behind the return address.
  ucontext_t* interrupted() const {
    const bool is_entry =
        all_[REG_RDX] == all_[REG_RSP] + 8 && all_[REG_RSI] > all_[REG_RDX] && all_[REG_RAX] == 0;
    return is_entry ? reinterpret_cast<ucontext_t*>(all_[REG_RDX]) : nullptr;
  }

 private:
  greg_t* all_;
};
#elif defined(__i386__)
constexpr u32 kOwnArchitecture = AUDIT_ARCH_I386;

class Registers {
 public:
  explicit Registers(ucontext_t& context) : all_(context.uc_mcontext.gregs) {}

  long argument(int n) const {
    constexpr int kPlaces[] = {REG_EBX, REG_ECX, REG_EDX, REG_ESI, REG_EDI, REG_EBP};
    return all_[kPlaces[n]];
  }
  long result() const { return all_[REG_EAX]; }
  const void* next_instruction() const { return reinterpret_cast<const void*>(all_[REG_EIP]); }
  void set_result(long value) { all_[REG_EAX] = static_cast<greg_t>(value); }
  void repeat(long number) {
    all_[REG_EAX] = static_cast<greg_t>(number);
    all_[REG_EIP] -= 2;
  }
  // Behind `int $0x80`; the vDSO's sysenter goes on behind one as well.
  bool is_behind_call() const {
    u16 instruction = 0;
    const auto* const before = reinterpret_cast<const void*>(all_[REG_EIP] - 2);
    return copy_from_user(&instruction, before, sizeof instruction) == 0 && instruction == 0x80cd;
  }
  // Linux: arch/x86/include/asm/sigframe.h:struct rt_sigframe_ia32
  ucontext_t* interrupted() const {
    const bool is_entry = all_[REG_EDX] == all_[REG_ESP] + 16 && all_[REG_ECX] > all_[REG_EDX];
    return is_entry ? reinterpret_cast<ucontext_t*>(all_[REG_ECX]) : nullptr;
  }

 private:
  greg_t* all_;
};
#elif defined(__aarch64__)
constexpr u32 kOwnArchitecture = AUDIT_ARCH_AARCH64;

class Registers {
 public:
  explicit Registers(ucontext_t& context) : all_(context.uc_mcontext) {}

  long argument(int n) const { return static_cast<long>(all_.regs[n]); }
  long result() const { return static_cast<long>(all_.regs[0]); }
  const void* next_instruction() const { return reinterpret_cast<const void*>(all_.pc); }
  void set_result(long value) { all_.regs[0] = static_cast<u64>(value); }
  void set_first(long value) { all_.regs[0] = static_cast<u64>(value); }
  void repeat(long number) {
    all_.regs[8] = static_cast<u64>(number);
    all_.pc -= 4;
  }
  bool is_behind_call() const {
    u32 instruction = 0;
    const auto* const before = reinterpret_cast<const void*>(all_.pc - 4);
    return copy_from_user(&instruction, before, sizeof instruction) == 0 &&
           instruction == 0xd4000001;
  }
  // A handler without SA_SIGINFO is not told of the context. It lies behind the siginfo_t; the
  // frame has the interrupted code's registers 29 and 30 in it, and once more for those who unwind.
  // Linux: arch/arm64/kernel/signal.c:setup_return()
  ucontext_t* interrupted() const {
    if (all_.regs[0] - 1 >= 64) return nullptr;
    auto* const context = reinterpret_cast<ucontext_t*>(all_.sp + sizeof(siginfo_t));
    u64 kept[2], unwound[2];
    if (copy_from_user(kept, &context->uc_mcontext.regs[29], sizeof kept) != 0 ||
        copy_from_user(unwound, reinterpret_cast<const void*>(all_.regs[29]), sizeof unwound) != 0)
      return nullptr;
    return kept[0] == unwound[0] && kept[1] == unwound[1] ? context : nullptr;
  }

 private:
  mcontext_t& all_;
};
#endif

// A call that was stopped, and whose result the program waits for.
bool is_pending(const Registers& registers) {
  return registers.result() == -kTrapPending && registers.is_behind_call();
}

// A signal that comes meanwhile may change what is known of the thread's mask, and the kernel puts
// back the one of before the call.
void make_call(long number, ucontext_t& context, Registers& registers) {
  const HandlerMask mask(context, 0);
  const int saved_errno = errno;
  if (load_relaxed(*g_faults) != 0) [[unlikely]]
    note_caller(registers.next_instruction());
  const long result =
      call_by_number(number, registers.argument(0), registers.argument(1), registers.argument(2),
                     registers.argument(3), registers.argument(4), registers.argument(5));
  errno = saved_errno;
  registers.set_result(result);
}

// The signal was sent: others that came at the same time may stand between it and the call. Their
// handlers run first, and then the call is made again.
void make_sent_call(long number, [[maybe_unused]] const siginfo_t& info, ucontext_t& context) {
  constexpr int kMostHandlers = 64;
  ucontext_t* place = &context;
  for (int n = 0; n < kMostHandlers && place != nullptr; ++n) {
    Registers registers(*place);
    if (is_pending(registers)) {
#if defined(__LP64__)
      long first = 0;
      __builtin_memcpy(&first, reinterpret_cast<const char*>(&info) + kTrapFirstPlace,
                       sizeof first);
      registers.set_first(first);
#endif
      if (n == 0) {
        make_call(number, context, registers);
      } else {
        registers.repeat(number);
      }
      return;
    }
    place = registers.interrupted();
  }
}

bool serve(int, siginfo_t* info, ucontext_t& context) {
  if (info->si_code == kSysSeccomp) {
    Registers registers(context);
    if (info->si_arch == kOwnArchitecture) {
      make_call(info->si_syscall, context, registers);
    } else {
      registers.set_result(-ENOSYS);
    }
    return true;
  }
  const u32 value = static_cast<u32>(info->si_value.sival_int);
  if (info->si_code != SI_QUEUE || (value & kTrapSentMask) != kTrapSent) return false;
  make_sent_call(static_cast<long>(value & ~kTrapSentMask), *info, context);
  return true;
}

// Tells those who stop calls that this process can have the signal.
void put_mark() {
  for (const u64 place : kTrapMarkPlaces) {
    const long page = sys::map(place, kPage, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE);
    if (page == static_cast<long>(place)) {
      *reinterpret_cast<u64*>(page) = kTrapMark;
      sys::call(SYS_mprotect, page, static_cast<long>(kPage), PROT_READ);
      return;
    }
    if (!sys::is_error(page)) sys::call(SYS_munmap, page, static_cast<long>(kPage));
  }
}

__attribute__((constructor)) void serve_if_trapped() {
  if (sys::call(SYS_prctl, kTrapProbe, 0, 0, 0, 0) != -kTrapProbeAnswer) return;
  keep_signal(SIGSYS, serve);
  put_mark();
}

}  // namespace

}  // namespace ipcell
