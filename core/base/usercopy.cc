#include "core/base/usercopy.h"

#include <errno.h>

#include "core/base/sys.h"

extern "C" {
extern const char ipcell_usercopy_end[] __attribute__((visibility("hidden")));
extern const char ipcell_usercopy_fault[] __attribute__((visibility("hidden")));
}

// No instruction before `ret` changes the stack pointer: the fault exit just returns.
#if defined(__x86_64__)
asm(R"(
        .pushsection .text
        .globl ipcell_usercopy, ipcell_usercopy_end, ipcell_usercopy_fault
        .hidden ipcell_usercopy, ipcell_usercopy_end, ipcell_usercopy_fault
        .type ipcell_usercopy, @function
        .p2align 5
ipcell_usercopy:
        .cfi_startproc
        cmpq $16, %rdx
        jb 3f
        cmpq $512, %rdx
        ja 5f
        # 16 bytes at a time, and the last 16 once more where they overlap
        movups -16(%rsi,%rdx), %xmm1
        leaq -16(%rdi,%rdx), %rax
1:      movups (%rsi), %xmm0
        movups %xmm0, (%rdi)
        addq $16, %rsi
        addq $16, %rdi
        cmpq %rax, %rdi
        jb 1b
        movups %xmm1, (%rax)
        xorl %eax, %eax
        ret
3:      cmpq $8, %rdx
        jb 6f
        movq (%rsi), %rax
        movq -8(%rsi,%rdx), %rcx
        movq %rax, (%rdi)
        movq %rcx, -8(%rdi,%rdx)
        xorl %eax, %eax
        ret
        # 4, 2 and 1 bytes: no two stores overlap, so that a struct sembuf can be read at once
6:      testb $4, %dl
        jz 7f
        movl (%rsi), %eax
        movl %eax, (%rdi)
        addq $4, %rsi
        addq $4, %rdi
7:      testb $2, %dl
        jz 8f
        movw (%rsi), %ax
        movw %ax, (%rdi)
        addq $2, %rsi
        addq $2, %rdi
8:      testb $1, %dl
        jz 4f
        movb (%rsi), %al
        movb %al, (%rdi)
4:      xorl %eax, %eax
        ret
5:      movq %rdx, %rcx
        rep movsb
        xorl %eax, %eax
        ret
ipcell_usercopy_end:
ipcell_usercopy_fault:
        movl $-14, %eax
        ret
        .cfi_endproc
        .size ipcell_usercopy, .-ipcell_usercopy
        .popsection
)");
#elif defined(__aarch64__)
asm(R"(
        .pushsection .text
        .globl ipcell_usercopy, ipcell_usercopy_end, ipcell_usercopy_fault
        .hidden ipcell_usercopy, ipcell_usercopy_end, ipcell_usercopy_fault
        .type ipcell_usercopy, %function
        .p2align 5
ipcell_usercopy:
        .cfi_startproc
1:      cmp x2, #16
        b.lo 2f
        ldp x3, x4, [x1], #16
        stp x3, x4, [x0], #16
        sub x2, x2, #16
        b 1b
2:      cbz x2, 3f
        ldrb w3, [x1], #1
        strb w3, [x0], #1
        sub x2, x2, #1
        b 2b
3:      mov w0, #0
        ret
ipcell_usercopy_end:
ipcell_usercopy_fault:
        mov w0, #-14
        ret
        .cfi_endproc
        .size ipcell_usercopy, .-ipcell_usercopy
        .popsection
)");
#elif defined(__i386__)
// %esi and %edi belong to the caller: bytes go by the scratch registers alone.
asm(R"(
        .pushsection .text
        .globl ipcell_usercopy, ipcell_usercopy_end, ipcell_usercopy_fault
        .hidden ipcell_usercopy, ipcell_usercopy_end, ipcell_usercopy_fault
        .type ipcell_usercopy, @function
        .p2align 5
ipcell_usercopy:
        .cfi_startproc
1:      movl 12(%esp), %edx
        cmpl $4, %edx
        jb 2f
        subl $4, 12(%esp)
        movl 8(%esp), %ecx
        movl (%ecx), %edx
        addl $4, 8(%esp)
        movl 4(%esp), %ecx
        movl %edx, (%ecx)
        addl $4, 4(%esp)
        jmp 1b
2:      testl %edx, %edx
        jz 3f
        subl $1, 12(%esp)
        movl 8(%esp), %ecx
        movb (%ecx), %dl
        addl $1, 8(%esp)
        movl 4(%esp), %ecx
        movb %dl, (%ecx)
        addl $1, 4(%esp)
        movl 12(%esp), %edx
        jmp 2b
3:      xorl %eax, %eax
        ret
ipcell_usercopy_end:
ipcell_usercopy_fault:
        movl $-14, %eax
        ret
        .cfi_endproc
        .size ipcell_usercopy, .-ipcell_usercopy
        .popsection
)");
#endif

namespace ipcell {

bool (*g_is_fault_blocked)();

namespace {

// struct iovec
struct Piece {
  void* start;
  std::size_t size;
};

// process_vm_readv(2) or process_vm_writev(2) of the process itself.
int copy_by_kernel(long number, void* mine, void* user, std::size_t size) {
  if (size == 0) return 0;
  const Piece local = {mine, size};
  const Piece remote = {user, size};
  const long pid = sys::call(SYS_getpid);
  const long done = sys::call(number, pid, sys::arg(&local), 1, sys::arg(&remote), 1, 0);
  if (done == static_cast<long>(size)) return 0;
  if (done >= 0 || done == -EFAULT) return -EFAULT;
  // A filter forbids it: the copy is made, and a bad pointer is what it is without us.
  return number == SYS_process_vm_readv ? ipcell_usercopy(mine, user, size)
                                        : ipcell_usercopy(user, mine, size);
}

}  // namespace

int copy_from_user_by_kernel(void* to, const void* user, std::size_t size) {
  return copy_by_kernel(SYS_process_vm_readv, to, const_cast<void*>(user), size);
}
int copy_to_user_by_kernel(void* user, const void* from, std::size_t size) {
  return copy_by_kernel(SYS_process_vm_writev, const_cast<void*>(from), user, size);
}

std::uintptr_t recover_usercopy(std::uintptr_t program_counter) {
  const auto start = reinterpret_cast<std::uintptr_t>(&ipcell_usercopy);
  const auto end = reinterpret_cast<std::uintptr_t>(ipcell_usercopy_end);
  if (program_counter < start || program_counter >= end) return 0;
  return reinterpret_cast<std::uintptr_t>(ipcell_usercopy_fault);
}

}  // namespace ipcell
