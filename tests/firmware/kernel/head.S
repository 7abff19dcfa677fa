/* SPDX-License-Identifier: Apache-2.0
 *
 * A kernel that is not Linux: where it begins, how it calls firmware, and its interrupt vectors.
 *
 * Linked at 0x400000, where firmware loads it. It runs little-endian, 64-bit; effective addresses are real ones.
 */
        .set    srr0, 26
        .set    srr1, 27
        .set    sprg0, 272
        .set    sprg1, 273
        .set    sprg2, 274
        .set    sprg3, 275              /* the processor's number */
        .set    frame_size, 40 * 8
        .set    below_frame, 32

        /* Big-endian instructions: MSR[LE] is set, and the next instruction is a little-endian one. */
        .macro  become_little_endian
        .long   0xa600607d              /* mfmsr  r11 */
        .long   0x01006b69              /* xori   r11,r11,1 */
        .long   0x00004039              /* li     r10,0 */
        .long   0x6401417d              /* mtmsrd r10,1: EE, RI off */
        .long   0x05009f42              /* bcl    20,31,.+4 */
        .long   0xa602487d              /* mflr   r10 */
        .long   0x14004a39              /* addi   r10,r10,20 */
        .long   0xa6035a7d              /* mtsrr0 r10 */
        .long   0xa6037b7d              /* mtsrr1 r11 */
        .long   0x2400004c              /* rfid */
        .endm
        .macro  in_either_byte_order
        tdi     0, 0, 0x48              /* `b .+8` when it is read the wrong way round */
        b       77f
        become_little_endian
77:
        .endm
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
interrupt:                              /* r31: the vector */
        mtspr   sprg2, 1
        mfspr   1, sprg1
        addi    1, 1, -(frame_size + below_frame)
        std     0, below_frame + 0 * 8(1)
        std     2, below_frame + 2 * 8(1)
        .irp    r, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
        std     \r, below_frame + \r * 8(1)
        .endr
        mfspr   0, sprg2
        std     0, below_frame + 1 * 8(1)
        mfspr   0, sprg0
        std     0, below_frame + 31 * 8(1)
        mflr    0
        std     0, below_frame + 32 * 8(1)
        mfctr   0
        std     0, below_frame + 33 * 8(1)
        mfxer   0
        std     0, below_frame + 34 * 8(1)
        mfcr    0
        std     0, below_frame + 35 * 8(1)
        mfspr   0, srr0
        std     0, below_frame + 36 * 8(1)
        mfspr   0, srr1
        std     0, below_frame + 37 * 8(1)
        li      0, 0
        std     0, 0(1)
        mr      3, 31
        addi    4, 1, below_frame
        lis     2, .TOC.@ha
        addi    2, 2, .TOC.@l
        bl      handle_interrupt
        nop
        ld      0, below_frame + 37 * 8(1)
        mtspr   srr1, 0
        ld      0, below_frame + 36 * 8(1)
        mtspr   srr0, 0
        ld      0, below_frame + 35 * 8(1)
        mtcr    0
        ld      0, below_frame + 34 * 8(1)
        mtxer   0
        ld      0, below_frame + 33 * 8(1)
        mtctr   0
        ld      0, below_frame + 32 * 8(1)
        mtlr    0
        ld      0, below_frame + 0 * 8(1)
        .irp    r, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld      \r, below_frame + \r * 8(1)
        .endr
        ld      1, below_frame + 1 * 8(1)
        rfid

        .section .bss.stacks, "aw", @nobits
        .balign 16
stacks: .space  4 << 14
