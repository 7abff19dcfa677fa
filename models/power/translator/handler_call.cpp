// SPDX-License-Identifier: Apache-2.0
#include "power/translator/handler_call.h"

// The canonical frame address is the stack pointer before translated code was called.
asm(R"(
    .text
    .p2align 4
    .globl  pefsim_call_handler
    .hidden pefsim_call_handler
    .type   pefsim_call_handler, @function
pefsim_call_handler:
    .cfi_startproc
    .cfi_def_cfa rsp, 8 + 6 * 8 + 16 + 8
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    call    *%rax
    ret
    .cfi_endproc
    .size   pefsim_call_handler, . - pefsim_call_handler
)");
