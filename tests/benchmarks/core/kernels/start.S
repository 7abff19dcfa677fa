/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a kernel without anything below it begins: 64-bit real mode of either byte order, on a hypervisor. `rounds` is a
 * symbol that the linker is given.
 */
    .abiversion 2
    .machine power9
    .section .start, "ax"
    .globl _start
_start:
    /* In big-endian order the first word is another instruction, a branch into the words behind it, which are written in
       that order: they return to the third word in little-endian order. */
    tdi     0, 0, 0x48
    b       little_endian
    .long   0x05009f42          /* bcl   20, 31, $+4 */
    .long   0xa602487d          /* mflr  r10 */
    .long   0x1c004a39          /* addi  r10, r10, 28 */
    .long   0xa600607d          /* mfmsr r11 */
    .long   0x01006b69          /* xori  r11, r11, 1 */
    .long   0xa6035a7d          /* mtsrr0 r10 */
    .long   0xa6037b7d          /* mtsrr1 r11 */
    .long   0x2400004c          /* rfid */
little_endian:
    /* FP, VEC and VSX */
    mfmsr   3
    ori     3, 3, 0x2000
    oris    3, 3, 0x0280
    mtmsrd  3
    isync
    bcl     20, 31, 1f
1:  mflr    12
    addis   2, 12, (.TOC. - 1b)@ha
    addi    2, 2, (.TOC. - 1b)@l
    addis   1, 2, stack_end@toc@ha
    addi    1, 1, stack_end@toc@l
    addi    1, 1, -128
    lis     3, rounds@highest
    ori     3, 3, rounds@higher
    sldi    3, 3, 32
    oris    3, 3, rounds@high
    ori     3, 3, rounds@l
    bl      bare_main
    nop
2:  b       2b

    .section .bss
    .balign 16
    .space  65536
stack_end:
