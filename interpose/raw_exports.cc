// syscall(2): programs that make IPC calls by number get the cell as well.
//
// Only our numbers (by_number.h) go to C++ code. All others run the few instructions that libc's
// own syscall() is, in place: a vfork(2) or clone(2) made by number must not return into a frame of
// ours.
#include <sys/syscall.h>

#include "interpose/by_number.h"
#include "interpose/errno.h"
#include "interpose/memory.h"

extern "C" {

__attribute__((visibility("hidden"), used)) bool ipcell_copies_memory(const void* arguments,
                                                                      unsigned long size) {
  return ipcell::copies_memory(arguments, size);
}

__attribute__((visibility("hidden"), used)) long ipcell_syscall_failed(long result) {
  return ipcell::to_libc(result);
}
}

#if defined(__x86_64__)

asm(R"(
        .pushsection .text
        .globl syscall
        .type syscall, @function
        .p2align 4
syscall:
        .cfi_startproc
        endbr64
        cmpq $512, %rdi
        jae 1f
        cmpq $56, %rdi
        je 3f
        cmpq $435, %rdi
        je 4f
        btq %rdi, ipcell_our_numbers(%rip)
        jc ipcell_our_syscall
1:      movq %rdi, %rax
        movq %rsi, %rdi
        movq %rdx, %rsi
        movq %rcx, %rdx
        movq %r8, %r10
        movq %r9, %r8
        movq 8(%rsp), %r9
        syscall
        cmpq $-4095, %rax
        jae 2f
        ret
2:      movq %rax, %rdi
        jmp ipcell_syscall_failed
        # clone(2): a child in the same memory, or on another stack, can't return through a frame.
3:      testl $0x100, %esi
        jnz 1b
        testq %rdx, %rdx
        jnz 1b
        jmp ipcell_our_syscall
        # clone3(2): the same, by its struct.
4:      pushq %rdi
        pushq %rsi
        pushq %rdx
        pushq %rcx
        pushq %r8
        pushq %r9
        subq $8, %rsp
        .cfi_adjust_cfa_offset 56
        movq %rsi, %rdi
        movq %rdx, %rsi
        call ipcell_copies_memory
        addq $8, %rsp
        popq %r9
        popq %r8
        popq %rcx
        popq %rdx
        popq %rsi
        popq %rdi
        .cfi_adjust_cfa_offset -56
        testb %al, %al
        jz 1b
        jmp ipcell_our_syscall
        .cfi_endproc
        .size syscall, .-syscall
        .popsection
)");

#elif defined(__i386__)

// The arguments stand on the stack, for us as for whom we jump to.
asm(R"(
        .pushsection .text
        .globl syscall
        .type syscall, @function
        .p2align 4
syscall:
        .cfi_startproc
        movl 4(%esp), %eax
        cmpl $512, %eax
        jae 1f
        cmpl $120, %eax
        je 3f
        cmpl $435, %eax
        je 4f
        call 6f
5:      addl $ipcell_our_numbers-5b, %edx
        btl %eax, (%edx)
        jc ipcell_our_syscall
1:      pushl %ebp
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset ebp, 0
        pushl %ebx
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset ebx, 0
        pushl %esi
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset esi, 0
        pushl %edi
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset edi, 0
        movl 24(%esp), %ebx
        movl 28(%esp), %ecx
        movl 32(%esp), %edx
        movl 36(%esp), %esi
        movl 40(%esp), %edi
        movl 44(%esp), %ebp
        int $0x80
        popl %edi
        .cfi_adjust_cfa_offset -4
        .cfi_restore edi
        popl %esi
        .cfi_adjust_cfa_offset -4
        .cfi_restore esi
        popl %ebx
        .cfi_adjust_cfa_offset -4
        .cfi_restore ebx
        popl %ebp
        .cfi_adjust_cfa_offset -4
        .cfi_restore ebp
        cmpl $-4095, %eax
        jae 2f
        ret
2:      pushl %eax
        .cfi_adjust_cfa_offset 4
        call ipcell_syscall_failed
        addl $4, %esp
        .cfi_adjust_cfa_offset -4
        ret
        # clone(2): a child in the same memory, or on another stack, can't return through a frame.
3:      testl $0x100, 8(%esp)
        jnz 1b
        cmpl $0, 12(%esp)
        jne 1b
        jmp ipcell_our_syscall
        # clone3(2): the same, by its struct.
4:      pushl 12(%esp)
        .cfi_adjust_cfa_offset 4
        pushl 12(%esp)
        .cfi_adjust_cfa_offset 4
        call ipcell_copies_memory
        addl $8, %esp
        .cfi_adjust_cfa_offset -8
        testb %al, %al
        movl 4(%esp), %eax
        jz 1b
        jmp ipcell_our_syscall
6:      movl (%esp), %edx
        ret
        .cfi_endproc
        .size syscall, .-syscall
        .popsection
)");

#elif defined(__aarch64__)

// The kernel looks at 32 bits of the number. The hint is where indirect branches may land.
asm(R"(
        .pushsection .text
        .globl syscall
        .type syscall, %function
        .p2align 4
syscall:
        .cfi_startproc
        hint #34
        mov w0, w0
        cmp w0, #512
        b.hs 1f
        cmp w0, #220
        b.eq 3f
        cmp w0, #435
        b.eq 4f
        adrp x9, ipcell_our_numbers
        add x9, x9, :lo12:ipcell_our_numbers
        lsr w10, w0, #6
        ldr x9, [x9, w10, uxtw #3]
        lsr x9, x9, x0
        tbnz x9, #0, 5f
1:      mov w8, w0
        mov x0, x1
        mov x1, x2
        mov x2, x3
        mov x3, x4
        mov x4, x5
        mov x5, x6
        svc #0
        cmn x0, #4095
        b.hs 2f
        ret
2:      b ipcell_syscall_failed
        // clone(2): a child in the same memory, or on another stack, can't return through a frame.
3:      tbnz w1, #8, 1b
        cbnz x2, 1b
5:      b ipcell_our_syscall
        // clone3(2): the same, by its struct.
4:      stp x29, x30, [sp, #-64]!
        .cfi_adjust_cfa_offset 64
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov x29, sp
        stp x0, x1, [sp, #16]
        stp x2, x3, [sp, #32]
        stp x4, x5, [sp, #48]
        mov x0, x1
        mov x1, x2
        bl ipcell_copies_memory
        and w9, w0, #0xff
        ldp x0, x1, [sp, #16]
        ldp x2, x3, [sp, #32]
        ldp x4, x5, [sp, #48]
        ldp x29, x30, [sp], #64
        .cfi_adjust_cfa_offset -64
        .cfi_restore x29
        .cfi_restore x30
        cbz w9, 1b
        b ipcell_our_syscall
        .cfi_endproc
        .size syscall, .-syscall
        .popsection
)");

#endif
