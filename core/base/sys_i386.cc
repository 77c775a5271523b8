// i386's system call: six arguments in registers that all belong to somebody else.
#if defined(__i386__)

asm(R"(
        .pushsection .text
        .globl ipcell_system_call
        .hidden ipcell_system_call
        .type ipcell_system_call, @function
        .p2align 4
ipcell_system_call:
        .cfi_startproc
        pushl %ebp
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
        movl 20(%esp), %eax
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
        ret
        .cfi_endproc
        .size ipcell_system_call, .-ipcell_system_call
        .popsection
)");

#endif
