/* SPDX-License-Identifier: Apache-2.0
 *
 * For ELF files of each class and byte order: loads a word, and adds so that CR0 tells 32-bit mode from 64-bit mode.
 */
        .globl  _start
#ifdef DESCRIPTOR
        .section .opd, "aw"
_start: .quad   begin, 0x1234, 0
        .text
begin:
#else
        .text
_start:
#endif
        lis     5, word@ha
        lwz     5, word@l(5)
        addis   3, 0, 0x7fff
        addis   3, 3, 1
        add.    3, 3, 3
        .long   0x200                   /* attn */
        .data
word:   .long   0x11223344
