/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a bare-metal program begins: interrupt vectors, a stack for each CPU, and main().
 *
 * Every interrupt saves all general registers in a struct interrupt_frame (pefsim.h) and calls
 * handle_interrupt(vector, frame); when that returns, the interrupted program goes on as the frame says.
 * Registers: SPRG0 is for the vectors, SPRG1 holds the top of this CPU's stack for interrupts.
 */

#include "begin.S"
        .set    pir, 1023

        .macro  vector at
        .org    \at - 0x100
        mtspr   sprg0, 31
        li      31, \at
        b       interrupt
        .endm

        .section .vectors, "ax"
        .irp    at, 0x100, 0x200, 0x300, 0x380, 0x400, 0x480, 0x500, 0x600, 0x700, 0x800, 0x900, 0x980, 0xa00
        vector  \at
        .endr
        .irp    at, 0xc00, 0xd00, 0xe00, 0xe40, 0xf00, 0xf20, 0xf40, 0xf60, 0xf80
        vector  \at
        .endr

interrupt:
        save_and_handle_interrupt

        .text
        .globl  _start
_start:
        in_either_byte_order
        lis     2, .TOC.@ha
        addi    2, 2, .TOC.@l
        mfspr   3, pir                  /* main(cpu) */
        .set    stack_shift, 15         /* 32 KiB for each CPU, the upper half for interrupts */
        lis     4, stacks@ha
        addi    4, 4, stacks@l
        addi    5, 3, 1
        sldi    5, 5, stack_shift
        add     5, 4, 5
        mtspr   sprg1, 5
        addi    1, 5, -(1 << (stack_shift - 1)) - below_frame
        li      0, 0
        std     0, 0(1)
        bl      main
        nop
        bl      exit
        nop

/* long enter_secure(const void *device_tree): UV_ESM. The Ultravisor enters a guest that has become secure at an address
 * that it names, as it enters a kernel: with the device tree in R3, its own address in R4, and interrupts disabled. */
        .globl  enter_secure
enter_secure:
        mflr    0
        std     0, 16(1)
        stdu    1, -(18 * 8 + 32)(1)
        .irp    r, 14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        std     \r, (32 + (\r - 14) * 8)(1)
        .endr
        lis     6, stack_before@ha
        std     1, stack_before@l(6)
        mr      5, 3
        lis     4, secure@ha
        addi    4, 4, secure@l
        li      3, 0
        ori     3, 3, 0xf110            /* UV_ESM */
        sc      2
        b       2f                      /* it failed */
secure: lis     6, stack_before@ha
        ld      1, stack_before@l(6)
        lis     2, .TOC.@ha
        addi    2, 2, .TOC.@l
        li      3, 0
2:
        .irp    r, 14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld      \r, (32 + (\r - 14) * 8)(1)
        .endr
        addi    1, 1, 18 * 8 + 32
        ld      0, 16(1)
        mtlr    0
        blr

        .section .bss.stack_before, "aw", @nobits
        .balign 8
stack_before: .space 8

        .globl  max_cpus
        .set    max_cpus, 4
        .section .bss.stacks, "aw", @nobits
        .balign 16
stacks: .space  max_cpus << stack_shift
