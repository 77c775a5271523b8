// sigsetjmp(3) and siglongjmp(3): the mask that they save and restore has a part that the kernel
// does not know. See signal_masks.h.
#include <setjmp.h>
#include <string.h>

#include "interpose/real.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

// Of the saved mask's room for 1,024 signals the last two words are ours.
constexpr u64 kHasHidden = 0x6d61736b'68696464;  // says that a jmp_buf was filled by us

struct SavedMask {
  u64 kernel;
  u64 unused[13];
  u64 mark;
  u64 hidden;
};
static_assert(sizeof(SavedMask) == sizeof(sigset_t));

// Before the mask is put back: what it blocks is never really blocked, what is pending is delivered
// with what the program has blocked then.
void restore_hidden(__jmp_buf_tag* place) {
  if (place->__mask_was_saved == 0 || kept_signals() == 0) return;
  SavedMask saved;
  memcpy(&saved, &place->__saved_mask, sizeof saved);
  inherit_hidden(saved.mark == kHasHidden ? saved.hidden : 0);
  hide_in(&saved.kernel);
  memcpy(&place->__saved_mask, &saved.kernel, sizeof saved.kernel);
}

using Jump = void(struct __jmp_buf_tag*, int);
constinit Real<Jump> real_siglongjmp("siglongjmp");
constinit Real<Jump> real_longjmp_chk("__longjmp_chk");

// A jump is made in handlers.
__attribute__((constructor)) void resolve_jumps() {
  real_siglongjmp.resolve();
  real_longjmp_chk.resolve();
}

}  // namespace

}  // namespace ipcell

// All three of libc's are one function.
IPCELL_EXPORT void siglongjmp(struct __jmp_buf_tag* place, int value) noexcept {
  ipcell::restore_hidden(place);
  ipcell::real_siglongjmp.get()(place, value);
  __builtin_unreachable();
}
IPCELL_EXPORT void longjmp(struct __jmp_buf_tag* place, int value) noexcept {
  siglongjmp(place, value);
}
IPCELL_EXPORT void _longjmp(struct __jmp_buf_tag* place, int value) noexcept {
  siglongjmp(place, value);
}
extern "C" [[noreturn]] void __longjmp_chk(struct __jmp_buf_tag* place, int value) noexcept;
IPCELL_EXPORT void __longjmp_chk(struct __jmp_buf_tag* place, int value) noexcept {
  ipcell::restore_hidden(place);
  ipcell::real_longjmp_chk.get()(place, value);
  __builtin_unreachable();
}

#if defined(__x86_64__) || defined(__aarch64__)

// These return twice, so there must be no frame of ours: the word is stored, and libc's go on in
// our place. A jmp_buf without a mask may be shorter.
extern "C" {
__attribute__((visibility("hidden"), used)) void* ipcell_real_sigsetjmp;
__attribute__((visibility("hidden"), used)) void* ipcell_resolve_sigsetjmp() {
  return ipcell_real_sigsetjmp = dlsym(RTLD_NEXT, "__sigsetjmp");
}
}

namespace {
__attribute__((constructor(101))) void resolve_setjmp() { ipcell_resolve_sigsetjmp(); }
}  // namespace

#endif

#if defined(__x86_64__)

static_assert(offsetof(__jmp_buf_tag, __saved_mask) == 72);

asm(R"(
        .pushsection .text
        .globl __sigsetjmp, setjmp
        .type __sigsetjmp, @function
        .type setjmp, @function
        .p2align 4
setjmp:
        .cfi_startproc
        endbr64
        movl $1, %esi
        jmp __sigsetjmp_here
        .cfi_endproc
        .size setjmp, .-setjmp
        .p2align 4
__sigsetjmp:
        .cfi_startproc
        endbr64
__sigsetjmp_here:
        testl %esi, %esi
        je 1f
        movabsq $0x6d61736b68696464, %rax
        movq %rax, 184(%rdi)
        movq ipcell_hidden_mask@gottpoff(%rip), %rax
        movq %fs:(%rax), %rax
        movq %rax, 192(%rdi)
1:      movq ipcell_real_sigsetjmp(%rip), %rax
        testq %rax, %rax
        je 2f
        jmp *%rax
        # A constructor that runs before ours.
2:      pushq %rdi
        pushq %rsi
        subq $8, %rsp
        .cfi_adjust_cfa_offset 24
        call ipcell_resolve_sigsetjmp
        addq $8, %rsp
        popq %rsi
        popq %rdi
        .cfi_adjust_cfa_offset -24
        jmp *%rax
        .cfi_endproc
        .size __sigsetjmp, .-__sigsetjmp
        .popsection
)");

#elif defined(__aarch64__)

static_assert(offsetof(__jmp_buf_tag, __saved_mask) == 184);

asm(R"(
        .pushsection .text
        .globl __sigsetjmp, setjmp
        .type __sigsetjmp, %function
        .type setjmp, %function
        .p2align 4
setjmp:
        .cfi_startproc
        hint #34
        mov w1, #1
        b __sigsetjmp_here
        .cfi_endproc
        .size setjmp, .-setjmp
        .p2align 4
__sigsetjmp:
        .cfi_startproc
        hint #34
__sigsetjmp_here:
        cbz w1, 1f
        movz x2, #0x6464
        movk x2, #0x6869, lsl #16
        movk x2, #0x736b, lsl #32
        movk x2, #0x6d61, lsl #48
        str x2, [x0, #296]
        adrp x2, :gottprel:ipcell_hidden_mask
        ldr x2, [x2, #:gottprel_lo12:ipcell_hidden_mask]
        mrs x3, tpidr_el0
        ldr x2, [x3, x2]
        str x2, [x0, #304]
1:      adrp x2, ipcell_real_sigsetjmp
        ldr x16, [x2, #:lo12:ipcell_real_sigsetjmp]
        cbz x16, 2f
        br x16
        // A constructor that runs before ours.
2:      stp x29, x30, [sp, #-32]!
        .cfi_adjust_cfa_offset 32
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov x29, sp
        stp x0, x1, [sp, #16]
        bl ipcell_resolve_sigsetjmp
        mov x16, x0
        ldp x0, x1, [sp, #16]
        ldp x29, x30, [sp], #32
        .cfi_adjust_cfa_offset -32
        .cfi_restore x29
        .cfi_restore x30
        br x16
        .cfi_endproc
        .size __sigsetjmp, .-__sigsetjmp
        .popsection
)");

#endif
