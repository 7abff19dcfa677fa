/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a bare-metal program begins: interrupt vectors, a stack for each CPU, and main().
 *
 * Every interrupt saves all general registers in a struct interrupt_frame (pefsim.h) and calls
 * handle_interrupt(vector, frame); when that returns, the interrupted program goes on as the frame says.
 * Registers: SPRG0 is for the vectors, SPRG1 holds the top of this CPU's stack for interrupts.
 */

        .set    frame_size, 40 * 8      /* 38 doublewords, and the stack stays aligned to 16 bytes */
        .set    below_frame, 32         /* the ABI's frame header */
        .set    srr0, 26
        .set    srr1, 27
        .set    sprg0, 272
        .set    sprg1, 273
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

interrupt:                              /* r31: the vector */
        mtspr   274, 1                  /* SPRG2: r1 */
        mfspr   1, sprg1
        addi    1, 1, -(frame_size + below_frame)
        std     0, below_frame + 0 * 8(1)
        std     2, below_frame + 2 * 8(1)
        .irp    r, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
        std     \r, below_frame + \r * 8(1)
        .endr
        mfspr   0, 274
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

        .text
        .globl  _start
_start:
        /* In either byte order: `tdi 0,0,0x48` is `b .+8` when it is read the wrong way round. */
        tdi     0, 0, 0x48
        b       1f
        .long   0xa600607d              /* mfmsr  r11 */
        .long   0x01006b69              /* xori   r11,r11,1: MSR[LE] */
        .long   0x00004039              /* li     r10,0 */
        .long   0x6401417d              /* mtmsrd r10,1 */
        .long   0x05009f42              /* bcl    20,31,.+4 */
        .long   0xa602487d              /* mflr   r10 */
        .long   0x14004a39              /* addi   r10,r10,20 */
        .long   0xa6035a7d              /* mtsrr0 r10 */
        .long   0xa6037b7d              /* mtsrr1 r11 */
        .long   0x2400004c              /* rfid */
1:
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
