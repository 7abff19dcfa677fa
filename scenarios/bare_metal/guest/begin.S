/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs without an operating system begin with alike, as macros: either byte order, and interrupts.
 *
 * SPRG0 and SPRG2 are for the vectors, SPRG1 holds the top of this CPU's stack for interrupts.
 */
        .set    frame_size, 40 * 8      /* 38 doublewords, and the stack stays aligned to 16 bytes */
        .set    below_frame, 32         /* the ABI's frame header */
        .set    srr0, 26
        .set    srr1, 27
        .set    sprg0, 272
        .set    sprg1, 273
        .set    sprg2, 274

/* Big-endian instructions: MSR[LE] is set, interrupts are off, and the next instruction is a little-endian one. */
        .macro  become_little_endian
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
        .endm

        .macro  in_either_byte_order
        tdi     0, 0, 0x48              /* `b .+8` when it is read the wrong way round */
        b       77f
        become_little_endian
77:
        .endm

/* Where vectors go with their own number in r31 and its content in SPRG0: saves all general registers in a struct
 * interrupt_frame (pefsim.h), calls handle_interrupt(vector, frame), and goes on as the frame says. */
        .macro  save_and_handle_interrupt
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
        .endm
