/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter_vector loads every register from the state and goes on at the words, 64 KiB in front of it; behind them stands a
 * branch to leave_vector, which stores every register and returns to enter_vector's caller. vecrun copies all of it to
 * where that is so: the code is position-independent.
 *
 * r31 addresses the state (vector_file.h), r12 the area 4 KiB behind it that keeps the program's own registers. TAR
 * keeps the words' r31 while the rest is stored.
 */
        .machine power9
        .set    GPR, 0                  /* struct vector_state */
        .set    VSR, 256
        .set    LR, 1280
        .set    CTR, 1288
        .set    XER, 1296
        .set    CR, 1304
        .set    TAR, 1312
        .set    FPSCR, 1320
        .set    VSCR, 1328

        .set    OWN, 0x1000             /* the program's: r1 2 13 LR CR FPSCR, r14-31, f14-31, v20-31 */

        .macro  each insn, first, last, offset, size, base
        .set    n, \first
        .rept   \last - \first + 1
        \insn   n, \offset + \size * n(\base)
        .set    n, n + 1
        .endr
        .endm

        .text
        .balign 16
        .globl  enter_vector, leave_vector, end_of_vector
enter_vector:
0:
        lis     12, 0x2000
        ori     12, 12, OWN
        std     1, 8(12)
        std     2, 16(12)
        std     13, 24(12)
        mflr    0
        std     0, 32(12)
        mfcr    0
        std     0, 40(12)
        mffs    0
        stfd    0, 48(12)
        each    std, 14, 31, 0, 8, 12
        each    stfd, 14, 31, 256, 8, 12
        each    stxv, 52, 63, 512, 16, 12

        lis     31, 0x2000
        lfd     0, FPSCR(31)
        mtfsf   255, 0, 1, 0
        lxv     32, VSCR(31)
        mtvscr  0
        each    lxv, 0, 63, VSR, 16, 31
        ld      0, LR(31)
        mtlr    0
        ld      0, CTR(31)
        mtctr   0
        ld      0, XER(31)
        mtxer   0
        ld      0, CR(31)
        mtcr    0
        ld      0, TAR(31)
        mtspr   815, 0
        each    ld, 0, 31, GPR, 8, 31   /* r31, the base, is the last */
        b       0b - 0x10000

leave_vector:
        mtspr   815, 31
        lis     31, 0x2000
        each    std, 0, 30, GPR, 8, 31
        mfspr   0, 815
        std     0, GPR + 8 * 31(31)
        each    stxv, 0, 63, VSR, 16, 31
        mflr    0
        std     0, LR(31)
        mfctr   0
        std     0, CTR(31)
        mfxer   0
        std     0, XER(31)
        mfcr    0
        std     0, CR(31)
        mffs    0
        stfd    0, FPSCR(31)
        mfvscr  0
        stxv    32, VSCR(31)

        lis     12, 0x2000
        ori     12, 12, OWN
        lfd     0, 48(12)
        mtfsf   255, 0, 1, 0
        each    lxv, 52, 63, 512, 16, 12
        each    lfd, 14, 31, 256, 8, 12
        each    ld, 14, 31, 0, 8, 12
        ld      1, 8(12)
        ld      2, 16(12)
        ld      13, 24(12)
        ld      0, 40(12)
        mtcr    0
        ld      0, 32(12)
        mtlr    0
        blr
end_of_vector:
        .section .note.GNU-stack, "", @progbits
