/* SPDX-License-Identifier: Apache-2.0
 *
 * A kernel that is not Linux: where it begins, how it calls firmware, and its interrupt vectors.
 *
 * Linked at 0x400000, where firmware loads it. It runs little-endian, 64-bit; effective addresses are real ones.
 */
#include "begin.S"
        .set    sprg3, 275              /* the processor's number */

        .macro  become_wide             /* MSR[SF] */
        mfmsr   11
        li      10, 1
        sldi    10, 10, 63
        or      11, 11, 10
        mtmsrd  11
        isync
        .endm
        .macro  stack_of number, to     /* 16 KiB for each processor, the upper half for interrupts */
        lis     \to, stacks@ha
        addi    \to, \to, stacks@l
        sldi    10, \number, 14
        add     \to, \to, 10
        addi    \to, \to, 0x2000
        .endm

        .section .head, "ax"
        .globl  _start
_start:                                 /* r3, r4, r5: firmware's */
        in_either_byte_order
        become_wide
        li      6, 0
        mtspr   sprg3, 6
        stack_of 6, 1
        addi    7, 1, 0x2000
        mtspr   sprg1, 7
        lis     2, .TOC.@ha
        addi    2, 2, .TOC.@l
        addi    1, 1, -below_frame
        std     6, 0(1)
        bl      kernel_main
        nop
1:      b       1b

        .globl  secondary_start
secondary_start:                        /* r3: what was given to start-cpu, the processor's number */
        in_either_byte_order
        mtspr   sprg3, 3
        stack_of 3, 1
        addi    7, 1, 0x2000
        mtspr   sprg1, 7
        lis     2, .TOC.@ha
        addi    2, 2, .TOC.@l
        addi    1, 1, -below_frame
        li      6, 0
        std     6, 0(1)
        bl      secondary_main
        nop
1:      b       1b

/* long call_firmware(void *arguments, u64 entry): in 32-bit mode, big-endian, real. */
        .globl  call_firmware
call_firmware:
        mflr    0
        std     0, 16(1)
        stdu    1, -64(1)
        mfmsr   5
        std     5, 32(1)
        std     2, 40(1)
        li      6, 0
        mtmsrd  6, 1
        li      8, 0x1000               /* ME */
        mtspr   srr1, 8
        mtspr   srr0, 4
        lis     9, 1f@ha
        addi    9, 9, 1f@l
        mtlr    9
        rfid
1:      become_little_endian
        become_wide
        ld      5, 32(1)
        ld      2, 40(1)
        mtmsrd  5
        isync
        addi    1, 1, 64
        ld      0, 16(1)
        mtlr    0
        blr

/* void go_to(u64 address_bits, u64 msr): on with these bits in the program counter and that MSR. */
        .globl  go_to
go_to:
        mflr    5
        rldicl  5, 5, 0, 4
        or      5, 5, 3
        mtspr   srr0, 5
        mtspr   srr1, 4
        rfid

/* Copied to where interrupts go. Absolute branches: they run at another address than they are linked for. */
        .macro  vector at
        .org    \at - 0x100
        mtspr   sprg0, 31
        li      31, \at
        ba      interrupt
        .endm

        .section .vectors, "ax"
        .globl  vectors, vectors_end
vectors:
        .irp    at, 0x100, 0x200, 0x300, 0x380, 0x400, 0x480, 0x500, 0x600, 0x700, 0x800, 0x900, 0xa00
        vector  \at
        .endr
        .irp    at, 0xc00, 0xd00, 0xe00, 0xe40, 0xf00, 0xf20, 0xf40, 0xf60, 0xf80
        vector  \at
        .endr
vectors_end:

        .text
interrupt:
        save_and_handle_interrupt

        .section .bss.stacks, "aw", @nobits
        .balign 16
stacks: .space  4 << 14
