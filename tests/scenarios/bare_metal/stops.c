/* SPDX-License-Identifier: Apache-2.0
 *
 * Stops of each kind, at labels that the test knows.
 */
#include "pefsim.h"

static u64 served[3];

void handle_interrupt(u64 vector, struct interrupt_frame *frame) {
    const u64 kinds = frame->msr >> 17 & 7; /* SRR1 of a Program interrupt: trap, privileged, illegal */
    if (vector != 0x700)
        exit(1);
    served[kinds == 1 ? 0 : kinds == 4 ? 1 : 2]++;
    frame->nip += 4;
}

int main(u64 cpu) {
    __asm__ volatile(".globl at_trap\nat_trap: trap");
    __asm__ volatile(".globl at_illegal\nat_illegal: .long 0x00000000");
    __asm__ volatile(".globl at_attn\nat_attn: .long 0x00000200");
    print_number(served[0]);
    print(" traps, ");
    print_number(served[1]);
    print(" illegal instructions, ");
    print_number(served[2]);
    print(" others\n");
    return (int)cpu;
}
